// TF-Slim's names: the table of its convolutions is test/nn/models/inception_slim_convs.txt.
#include "test/nn/models/filled.h"

#include <rill/autograd/grad_mode.h>
#include <rill/nn/models/inception_slim.h>
#include <rill/ops/random.h>

#include "test/support/message.h"

using namespace rill;
using namespace rill::nn::models;

namespace {

struct Row {
  std::string scope;
  std::int64_t rows, columns, in, out, height;
};
/// scope, kernel rows and columns, channels in and out, height of the output for 299 pixels
std::vector<Row> table() {
  std::ifstream file(RILL_SOURCE_DIR "/test/nn/models/inception_slim_convs.txt");
  std::vector<Row> rows;
  for (Row r; file >> r.scope >> r.rows >> r.columns >> r.in >> r.out >> r.height;) rows.push_back(r);
  return rows;
}

InceptionV3Options few_channels(bool scale) {
  auto options = InceptionV3Options::slim();
  options.classes = 4;
  options.blocks.depth_multiplier = 0.05;
  options.blocks.scale = scale;
  return options;
}
/// The rows that a network with other numbers of channels would have.
std::vector<Row> rows_of(InceptionV3& m) {
  const NamedTensors state = m.state();
  std::vector<Row> rows;
  for (const auto& [unit, scope] : slim_scopes(m))
    if (const Tensor w = find(state, unit + ".conv.weight"); w.defined()) rows.push_back({scope.substr(12), w.size(2), w.size(3), w.size(1), w.size(0), 0});
  return rows;
}

/// A checkpoint as TF-Slim writes it, with things that are no weights in between.
NamedTensors checkpoint(const std::vector<Row>& rows, std::int64_t classes, std::int64_t features) {
  NamedTensors all = {{"global_step", tensor({1})}};
  const auto add = [&](const std::string& name, const Shape& shape) { all.emplace_back(name, rand(shape)); };
  for (const Row& r : rows) {
    add("InceptionV3/" + r.scope + "/weights", {r.rows, r.columns, r.in, r.out});
    add("InceptionV3/" + r.scope + "/weights/RMSProp", {1});
    for (const char* part : {"beta", "moving_mean", "moving_variance"}) add("InceptionV3/" + r.scope + "/BatchNorm/" + part, {r.out});
  }
  add("InceptionV3/AuxLogits/Conv2d_2b_1x1/weights", {1, 1, rows.back().out, classes}), add("InceptionV3/AuxLogits/Conv2d_2b_1x1/biases", {classes});
  add("InceptionV3/Logits/Conv2d_1c_1x1/weights", {1, 1, features, classes}), add("InceptionV3/Logits/Conv2d_1c_1x1/biases", {classes});
  return all;
}

}  // namespace

TEST_CASE("from_slim: every variable of the table goes to one place, transposed", "[nn][models]") {
  const auto rows = table();
  REQUIRE(rows.size() == 96);
  auto options = InceptionV3Options::slim();
  options.classes = 5;
  InceptionV3 m(options);
  const NamedTensors file = checkpoint(rows, 6, 2048);
  m.load(from_slim(m, file));

  std::map<std::string, std::string> unit_of;
  for (const auto& [unit, scope] : slim_scopes(m)) CHECK(unit_of.emplace(scope, unit).second);
  CHECK(unit_of.size() == 98);
  const NamedTensors state = m.state();
  std::int64_t weights = 0;
  for (const Row& r : rows) {
    INFO(r.scope);
    const std::string scope = "InceptionV3/" + r.scope, unit = unit_of.at(scope);
    const Tensor own = find(state, unit + ".conv.weight"), theirs = find(file, scope + "/weights");
    CHECK(own.shape() == Shape{r.out, r.in, r.rows, r.columns});
    const std::int64_t o = r.out - 1, i = r.in / 2, a = r.rows - 1, b = r.columns / 2;
    CHECK(own[o][i][a][b].item<float>() == theirs[a][b][i][o].item<float>());
    CHECK(equal(find(state, unit + ".bn.bias"), find(file, scope + "/BatchNorm/beta")));
    CHECK(equal(find(state, unit + ".bn.running_mean"), find(file, scope + "/BatchNorm/moving_mean")));
    CHECK(equal(find(state, unit + ".bn.running_var"), find(file, scope + "/BatchNorm/moving_variance")));
    if (!r.scope.starts_with("AuxLogits")) weights += own.numel();
  }
  CHECK(weights == 21'751'136);
  CHECK(m.parameter_count() == 24'339'242);
  // six outputs there, five here: the first is the background
  CHECK(equal(m.fc.weight, find(file, "InceptionV3/Logits/Conv2d_1c_1x1/weights").view({2048, 6}).t().narrow(0, 1, 5)));
  CHECK(equal(m.fc.bias, find(file, "InceptionV3/Logits/Conv2d_1c_1x1/biases").narrow(0, 1, 5)));
  CHECK(equal(m.aux_logits->fc.weight, find(file, "InceptionV3/AuxLogits/Conv2d_2b_1x1/weights").view({768, 6}).t().narrow(0, 1, 5)));
}

TEST_CASE("from_slim: gamma where there is one, 1 elsewhere, all classes", "[nn][models]") {
  InceptionV3 m(few_channels(true));
  NamedTensors file = checkpoint(rows_of(m), 4, m.fc.weight.size(1));
  file.emplace_back("InceptionV3/Conv2d_1a_3x3/BatchNorm/gamma", full({16}, 2.0));
  m.load(from_slim(m, file));
  CHECK(max(m.stem.conv_1a.bn.weight).item<float>() == 2);
  CHECK(max(m.stem.conv_2a.bn.weight).item<float>() == 1);
  CHECK(equal(m.fc.bias, find(file, "InceptionV3/Logits/Conv2d_1c_1x1/biases")));
}

TEST_CASE("the convolutions of Inception-v3 give TF-Slim's sizes at 299 pixels", "[nn][models]") {
  InceptionV3 m(few_channels(false));
  m.eval();
  std::map<std::string, std::int64_t> height;
  for (const auto& [path, module] : m.named_modules())
    module->register_forward_hook([&height, path = path](const nn::Module&, const Tensor&, const Tensor& y) {
      if (y.dim() == 4) height[path] = y.size(2);
      return Tensor();
    });
  const NoGrad off;
  m.with_aux(zeros({1, 3, 299, 299}));
  std::map<std::string, std::string> unit_of;
  for (const auto& [unit, scope] : slim_scopes(m)) unit_of[scope] = unit;
  for (const Row& r : table()) {
    INFO(r.scope);
    CHECK(height.at(unit_of.at("InceptionV3/" + r.scope)) == r.height);
  }
}

TEST_CASE("from_slim names what is missing", "[nn][models]") {
  InceptionV3 m(few_channels(false));
  NamedTensors file = checkpoint(rows_of(m), 5, m.fc.weight.size(1));
  std::erase_if(file, [](const auto& e) { return e.first == "InceptionV3/Mixed_5b/Branch_0/Conv2d_0a_1x1/weights" || e.first == "InceptionV3/Logits/Conv2d_1c_1x1/biases"; });
  for (auto& [name, t] : file)
    if (name == "InceptionV3/Conv2d_1a_3x3/BatchNorm/beta") t = zeros({16, 1});
  CHECK(MESSAGE(ValueError, from_slim(m, file)) ==
        "from_slim: variables are missing: InceptionV3/Conv2d_1a_3x3/BatchNorm/beta of rank 1 (found [16, 1]), InceptionV3/Mixed_5b/Branch_0/Conv2d_0a_1x1/weights, "
        "InceptionV3/Logits/Conv2d_1c_1x1/biases");
}
