#include "test/nn/models/filled.h"

#include <rill/autograd/grad_mode.h>
#include <rill/nn/models/inception_v3.h>
#include <rill/ops/loss.h>
#include <rill/ops/random.h>

#include "test/support/message.h"

using namespace rill;
using namespace rill::nn::models;

namespace {

/// Few channels, 3 classes, an auxiliary head for 107 pixels.
InceptionV3Options narrow() {
  InceptionV3Options o{.classes = 3, .image_size = 107};
  o.blocks.depth_multiplier = 0.1;
  o.blocks.min_depth = 4;
  o.blocks.head_pool = HeadPool::fixed;
  return o;
}

/// Shapes by name, batch left out.
std::map<std::string, std::string> shapes(const NamedTensors& points) {
  std::map<std::string, std::string> result;
  for (const auto& [name, t] : points) result[name] = shape_text(t[0]);
  return result;
}
std::int64_t body_variables(InceptionV3& m) {  // weights, shifts, running statistics of everything below the heads
  std::int64_t count = 0;
  for (const auto& [name, t] : m.state())
    if (!name.starts_with("AuxLogits") && !name.starts_with("fc") && t.is_floating_point()) count += t.numel();
  return count;
}
std::int64_t body_weights(InceptionV3& m) {
  std::int64_t count = 0;
  for (const auto& [name, t] : m.named_parameters())
    if (!name.starts_with("AuxLogits") && !name.starts_with("fc") && t.dim() == 4) count += t.numel();
  return count;
}

}  // namespace

TEST_CASE("Inception-v3: state names and shapes are torchvision's", "[nn][models]") {
  InceptionV3 m;
  check_state_names(m, "inception_v3");
  nn::check_parts(m);
  CHECK(m.parameter_count() == 27'161'264);
  CHECK(InceptionV3({.aux_head = false}).parameter_count() == 23'834'568);
}

TEST_CASE("Inception-v3: parameter totals of TF-Slim, by width and by classes", "[nn][models]") {
  InceptionV3 whole(InceptionV3Options::slim());
  CHECK(whole.parameter_count() == 27'143'152);
  CHECK(whole.named_parameters().size() == 196);
  std::size_t variables = 0;
  for (const auto& [name, t] : whole.state()) variables += t.is_floating_point();
  CHECK(variables == 388);
  CHECK(body_weights(whole) == 21'751'136);
  CHECK(body_variables(whole) == 21'802'784);
  const struct { double multiplier; std::int64_t weights, variables, mixed_6e, mixed_7c; } rows[] = {
      {0.75, 12'235'176, 12'273'912, 576, 1536}, {0.5, 5'438'000, 5'463'824, 384, 1024}, {0.25, 1'369'136, 1'382'156, 192, 512}};
  for (const auto& row : rows) {
    INFO(row.multiplier);
    auto o = InceptionV3Options::slim();
    o.classes = 1;
    o.aux_head = false;
    o.blocks.depth_multiplier = row.multiplier;
    InceptionV3 m(o);
    CHECK(body_weights(m) == row.weights);
    CHECK(body_variables(m) == row.variables);
    CHECK(m.mixed_6e.out_channels() == row.mixed_6e);
    CHECK(m.mixed_7c.out_channels() == row.mixed_7c);
  }
}

TEST_CASE("Inception-v3: every end point at 299 pixels, channels-last agrees with row-major", "[nn][models]") {
  InceptionV3 m({.classes = 1001});
  CHECK(m.parameter_count() == 27'161'264 + 768 + 1 + 2048 + 1);
  m.eval();
  const NoGrad off;
  const Tensor x = randn({1, 3, 299, 299});
  const NamedTensors points = m.end_points(x);
  const std::map<std::string, std::string> want = {
      {"Conv2d_1a_3x3", "32x149x149"}, {"Conv2d_2a_3x3", "32x147x147"}, {"Conv2d_2b_3x3", "64x147x147"}, {"MaxPool_3a_3x3", "64x73x73"}, {"Conv2d_3b_1x1", "80x73x73"},
      {"Conv2d_4a_3x3", "192x71x71"}, {"MaxPool_5a_3x3", "192x35x35"}, {"Mixed_5b", "256x35x35"}, {"Mixed_5c", "288x35x35"}, {"Mixed_5d", "288x35x35"}, {"Mixed_6a", "768x17x17"},
      {"Mixed_6b", "768x17x17"}, {"Mixed_6c", "768x17x17"}, {"Mixed_6d", "768x17x17"}, {"Mixed_6e", "768x17x17"}, {"Mixed_7a", "1280x8x8"}, {"Mixed_7b", "2048x8x8"},
      {"Mixed_7c", "2048x8x8"}, {"AuxLogits", "1001"}, {"PreLogits", "2048x1x1"}, {"Logits", "1001"}, {"Predictions", "1001"}};
  CHECK(shapes(points) == want);
  CHECK(points.front().first == "Conv2d_1a_3x3");
  CHECK(points.back().first == "Predictions");

  const NamedTensors last = m.end_points(x.contiguous(MemoryFormat::channels_last));
  for (std::size_t i = 0; i < points.size(); ++i) {
    INFO(points[i].first);
    CHECK(max(abs(last[i].second - points[i].second)).item<double>() <= 1e-5 * max(abs(points[i].second)).item<double>());  // values grow to 1e9 with untrained weights
    if (last[i].second.dim() == 4 && last[i].second.size(2) > 1) CHECK(last[i].second.is_contiguous(MemoryFormat::channels_last));
  }
}

TEST_CASE("Inception-v3: the ways to run it agree", "[nn][models]") {
  InceptionV3 m(narrow());
  m.eval();
  const NoGrad off;
  const Tensor x = randn({2, 3, 107, 110});
  const NamedTensors points = m.end_points(x);
  const auto [logits, aux] = m.with_aux(x);
  CHECK(logits.shape() == Shape{2, 3});
  CHECK(equal(logits, find(points, "Logits")));
  CHECK(equal(aux, find(points, "AuxLogits")));
  CHECK(equal(m(x), logits));
  CHECK(equal(m.features(x), find(points, "PreLogits").flatten(1)));
  CHECK(allclose(sum(find(points, "Predictions"), {1}), ones({2})));
  CHECK(m.end_points(x, "Mixed_5b").size() == 8);
  CHECK(m.end_points(x, "PreLogits").back().first == "PreLogits");
}

TEST_CASE("Inception-v3: values of every end point are torchvision's, also in TF-Slim's dialect", "[nn][models]") {
  for (const bool slim : {false, true}) {
    InceptionV3Options o{.classes = 7, .aux_head = false, .transform_input = !slim};
    if (slim) o.blocks.scale = o.blocks.count_include_pad = false;
    InceptionV3 m(o);
    m.eval();
    fill(m, slim);
    const NoGrad off;
    const char* name = slim ? "inception_v3_slim" : "inception_v3";
    std::size_t compared = 0;
    const Tensor x = image({1, 3, 75, 82}).to(float32);
    for (const auto& [point, y] : m.end_points(x))
      if (point != "PreLogits") check_summary(y, name, point, 1e-4), ++compared;
    CHECK(compared == model_goldens().at(name).size());
  }
}

TEST_CASE("Inception-v3, made narrow, trains on both heads", "[nn][models]") {
  manual_seed(1);
  InceptionV3 m(narrow());
  const Tensor x = randn({2, 3, 107, 107}).contiguous(MemoryFormat::channels_last), labels = tensor({0, 2});
  const auto [logits, aux] = m.with_aux(x);
  (cross_entropy(logits, labels) + 0.4 * cross_entropy(aux, labels)).backward();
  for (const auto& [name, p] : m.named_parameters()) {
    INFO(name);
    CHECK(p.grad().defined());
  }
  CHECK(m.stem.conv_1a.bn.num_batches_tracked.item<std::int64_t>() == 1);
}

TEST_CASE("Inception-v3: sizes of images", "[nn][models]") {
  CHECK(InceptionV3::min_input() == 75);
  const NoGrad off;
  auto o = InceptionV3Options::slim();
  o.blocks.depth_multiplier = 0.1;
  o.blocks.min_depth = 2;
  // TF-Slim's sizes after MaxPool_5a, Mixed_6e and Mixed_7c, and the kernel of the auxiliary head
  const struct { std::int64_t image, pool_5a, mixed_6e, mixed_7c, kernel; } rows[] = {{75, 7, 3, 1, 0},      {107, 11, 5, 2, 1},   {128, 13, 6, 2, 1},  {150, 16, 7, 3, 1},  {192, 21, 10, 4, 2},
                                                                                      {224, 25, 12, 5, 3}, {256, 29, 14, 6, 4}, {299, 35, 17, 8, 5}, {330, 38, 18, 8, 5}, {331, 39, 19, 9, 5}};
  for (const auto& row : rows) {
    INFO(row.image);
    o.image_size = row.image;
    o.aux_head = row.kernel > 0;
    InceptionV3 m(o);
    m.eval();
    const NamedTensors points = m.end_points(zeros({1, 3, row.image, row.image}));
    CHECK(find(points, "MaxPool_5a_3x3").size(2) == row.pool_5a);
    CHECK(find(points, "Mixed_6e").size(3) == row.mixed_6e);
    CHECK(find(points, "Mixed_7c").size(2) == row.mixed_7c);
    if (row.kernel) CHECK(m.aux_logits->conv1.conv.weight.size(2) == row.kernel);
  }
  o.aux_head = false;
  InceptionV3 m(o);
  m.eval();
  CHECK(MESSAGE(ShapeError, m(zeros({1, 3, 74, 80}))) == "InceptionV3: Mixed_7a would be empty for an image of 74x80 pixels; at least 75 are needed (in InceptionV3)");
  CHECK(MESSAGE(ShapeError, m(zeros({1, 3, 2, 80}))) == "InceptionV3: Conv2d_1a_3x3 would be empty for an image of 2x80 pixels; at least 75 are needed (in InceptionV3)");
  CHECK(MESSAGE(ShapeError, m(zeros({1, 1, 75, 75}))) == "InceptionV3: x has shape [1, 1, 75, 75]; expected [N, 3, H, W] (in InceptionV3)");
  CHECK(MESSAGE(ShapeError, m(zeros({1, 3, 363, 363}))) ==
        "InceptionV3: the 8x8 windows of HeadPool::fixed leave 2x2 elements of Mixed_7c [1, 203, 10, 10]; take HeadPool::adaptive for such images (in InceptionV3)");
  CHECK(MESSAGE(FailedPrecondition, m.with_aux(zeros({1, 3, 299, 299}))) == "InceptionV3: the network was built without the auxiliary head; build it with .aux_head = true");
  CHECK(MESSAGE(ValueError, m.end_points(zeros({1, 3, 75, 75}), "Mixed_8a")) ==
        "InceptionV3: there is no end point \"Mixed_8a\"; the names are Conv2d_1a_3x3, ..., Mixed_7c, PreLogits, Logits and Predictions");
  CHECK(MESSAGE(ValueError, m.end_points(zeros({1, 3, 75, 75}), "AuxLogits")).starts_with("InceptionV3: there is no end point"));
  o.aux_head = true;
  o.image_size = 106;
  CHECK(MESSAGE(ValueError, InceptionV3(o)) == "InceptionV3: images of 106 pixels leave nothing for the auxiliary head, which needs 107; build without it");
  o.blocks.head_pool = HeadPool::adaptive;
  InceptionV3 adaptive(o);
  adaptive.eval();
  CHECK(adaptive(zeros({1, 3, 400, 75})).shape() == Shape{1, 1000});
  CHECK(MESSAGE(ShapeError, adaptive.with_aux(zeros({1, 3, 298, 299}))).starts_with("InceptionAux: a grid [1, 76, 16, 17] is too small for the kernel 5x5; it needs 17x17 or more"));
}
