// Every layer against PyTorch: test/oracle/layer_goldens.py; and what holds for each of them.
#include "test/support/goldens.h"

#include <algorithm>
#include <fstream>

#include <rill/autograd/autocast.h>
#include <rill/autograd/backward.h>
#include <rill/autograd/grad_mode.h>
#include <rill/autograd/gradcheck.h>
#include <rill/core/random.h>
#include <rill/nn/conv.h>
#include <rill/nn/distance.h>
#include <rill/nn/embedding.h>
#include <rill/nn/linear.h>
#include <rill/nn/pool.h>
#include <rill/nn/print.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>

#ifdef RILL_WITH_CUDA
#include "test/cuda/backends.h"
#endif
#include "test/nn/every_layer.h"
#include "test/support/message.h"
#include "test/support/names.h"
#include "test/support/put_parameters.h"

using namespace rill;

namespace {

using List = std::vector<Tensor>;

List values(const NamedTensors& named) {
  List list;
  for (const auto& entry : named) list.push_back(entry.second);
  return list;
}

/// How the script calls the layer.
Tensor step(const std::string& key, const nn::AnyModule& m, const List& x) {
  if (key == "conv_transpose2d_size") return m.as<nn::ConvTranspose2d>()(x[0], {6, 7});
  if (key == "embedding_bag_sum") return m.as<nn::EmbeddingBag>()(x[0], x[1]);
  if (key.starts_with("bilinear")) return m.as<nn::Bilinear>()(x[0], x[1]);
  if (key.starts_with("cosine_similarity")) return m.as<nn::CosineSimilarity>()(x[0], x[1]);
  if (key.starts_with("pairwise_distance")) return m.as<nn::PairwiseDistance>()(x[0], x[1]);
  if (key == "max_unpool2d_options") return m.as<nn::MaxUnpool>()(x[0], x[1], {4, 4});
  if (key.starts_with("max_unpool")) return m.as<nn::MaxUnpool>()(x[0], x[1]);
  if (key == "batch_norm1d_average" || key == "batch_norm1d_thrice" || key == "spectral_norm_conv") m(x[0] * 2), m(x[0] + 1);
  return m(x[0]);
}

struct Line {
  Golden golden;
  std::uint64_t seed;
  bool training;
  std::vector<std::string> names;
  std::string repr;

  explicit Line(const std::string& line) : golden(parse_golden(line)), seed(static_cast<std::uint64_t>(golden.integer(0))), training(golden.integer(1) != 0) {
    if (golden.arguments[2] != "-") names = text::split(golden.arguments[2], ',');
    repr = golden.arguments[3];
    std::replace(repr.begin(), repr.end(), '~', ' ');
    for (std::size_t at; (at = repr.find("\\n")) != std::string::npos;) repr.replace(at, 2, "\n");
  }
  const List& section(const std::string& name) const {
    static const List none;
    const auto it = golden.sections.find(name);
    return it == golden.sections.end() ? none : it->second;
  }
  NamedTensors named(const std::string& name) const {
    NamedTensors result;
    for (std::size_t k = 0; k < names.size(); ++k) result.emplace_back(names[k], section(name).at(k));
    return result;
  }
  nn::AnyModule make() const {
    const GeneratorScope scope(Generator::torch_compatible(seed));
    return every_layer().at(golden.op)();
  }
};

std::vector<Line> lines() {
  std::ifstream file(RILL_SOURCE_DIR "/test/nn/layer_goldens.txt");
  std::vector<Line> result;
  for (std::string line; std::getline(file, line);) result.emplace_back(line);
  return result;
}

void same(const List& have, const List& want, double tolerance) {
  REQUIRE(have.size() == want.size());
  for (std::size_t k = 0; k < have.size(); ++k) check_same(have[k], want[k], tolerance);
}

void check_line(const Line& line, Device device = {}) {
  nn::AnyModule layer = line.make();
  nn::Module& m = layer.module();
  if (line.repr != "-") CHECK(to_string(m) == line.repr);
  REQUIRE(names(m.state()) == line.names);
  same(values(m.state()), line.section("start"), 5e-7);
  m.load(line.named("start"));  // normals may differ in the last bit
  m.to({.dtype = float64, .device = device});
  m.train(line.training);

  List leaves = line.golden.inputs, wanted;
  for (Tensor& t : leaves) t = t.to(device);
  for (Tensor& t : leaves)
    if (t.is_floating_point()) wanted.push_back(t.requires_grad_());
  for (const Tensor& p : m.parameters())
    if (p.requires_grad()) wanted.push_back(p);
  const GeneratorScope scope(Generator::torch_compatible(line.seed + 1));
  const Tensor y = step(line.golden.op, layer, leaves);
  same({y.detach()}, line.section("output"), 2e-12);
  if (!wanted.empty()) {
    const Tensor w = arange(1, y.numel() + 1, 1, {.dtype = float64, .device = device}).reshape(y.shape());
    List grads = grad({sum(y * w)}, wanted, {}, {.allow_unused = true});
    for (std::size_t k = 0; k < grads.size(); ++k)
      if (!grads[k].defined()) grads[k] = zeros_like(wanted[k]);
    same(grads, line.section("grad"), 2e-11);
  }
  List after = line.section("after");
  if (after.empty())
    for (const Tensor& t : line.section("start")) after.push_back(t.is_floating_point() ? t.to(float64) : t);
  same(values(m.state()), after, 2e-12);
}

}  // namespace

TEST_CASE("every layer starts, prints, runs, differentiates and remembers as PyTorch's", "[nn][every]") {
  std::map<std::string, int> seen;
  for (const Line& line : lines()) {
    INFO(line.golden.op << " " << line.repr << (line.training ? " in training" : " in evaluation"));
    ++seen[line.golden.op];
    try {
      check_line(line);
    } catch (const std::exception& e) {
      FAIL_CHECK(e.what());
    }
  }
  CHECK(seen.size() == every_layer().size());
}

#ifdef RILL_WITH_CUDA
namespace {

void layers_on_the_device() {
  for (const Line& line : lines()) {
    INFO(line.golden.op << " " << line.repr << (line.training ? " in training" : " in evaluation"));
    try {
      check_line(line, Device::cuda());
    } catch (const std::exception& e) {
      FAIL_CHECK(e.what());
    }
  }
}

}  // namespace

RILL_DEVICE_TEST(layers_on_the_device, "every layer on CUDA gives what PyTorch gives", "[nn]")
#endif

TEST_CASE("every layer has right gradients with respect to its input and its parameters", "[nn][every]") {
  for (const Line& line : lines()) {
    const std::string& key = line.golden.op;
    if (key == "embedding_options" || key == "embedding_bag_sum" || key == "embedding_pretrained") continue;  // write into their table when they run
    if (key == "embedding_bag_frequency") continue;  // its gradient is not the derivative
    if (key.starts_with("spectral_norm") && line.training) continue;  // the vectors follow the weight, outside the tape
    INFO(key << (line.training ? " in training" : " in evaluation"));
    nn::AnyModule layer = line.make();
    layer.module().to({.dtype = float64});
    layer.module().train(line.training);
    List inputs = line.golden.inputs;
    for (Tensor& t : inputs)
      if (t.is_floating_point()) t.requires_grad_();
    const std::size_t given = inputs.size();
    for (const Tensor& p : layer.module().parameters()) inputs.push_back(p.detach().clone().requires_grad_());
    const auto run = [&](const List& x) -> Tensor {
      const GeneratorScope scope(Generator(line.seed));
      nn::AnyModule copy = layer;
      put_parameters(copy.module(), names(copy.module().named_parameters()), std::span(x).subspan(given));
      return step(key, copy, x);
    };
    CHECK(gradcheck(run, inputs).message == "");
  }
}

TEST_CASE("every layer runs under autocast with the accuracy of bfloat16, and its parameters keep float32", "[nn][every][autocast]") {
  for (const Line& line : lines()) {
    INFO(line.golden.op << " " << line.repr << (line.training ? " in training" : " in evaluation"));
    nn::AnyModule layer = line.make();
    nn::Module& m = layer.module();
    m.load(line.named("start"));
    m.train(line.training);
    List leaves = line.golden.inputs;
    for (Tensor& t : leaves)
      if (t.is_floating_point()) t = t.to(float32).requires_grad_();
    const GeneratorScope scope(Generator::torch_compatible(line.seed + 1));
    Tensor y;
    {
      const amp::autocast precision(bfloat16);
      y = step(line.golden.op, layer, leaves).to(float32);
    }
    const Tensor want = line.section("output")[0];
    check_same(y.detach().to(float64), want, Within{.relative = 0.02, .absolute = 0.02 * std::max(1.0, amax(abs(want)).item<double>())});
    if (y.requires_grad()) sum(y).backward();
    for (const Tensor& p : m.parameters()) {
      CHECK(p.dtype() == float32);
      if (p.grad().defined()) CHECK(p.grad().dtype() == float32);
    }
  }
}

TEST_CASE("every layer names its parts, copies as a snapshot and locates its errors", "[nn][every]") {
  for (const auto& [key, make] : every_layer()) {
    INFO(key);
    nn::Sequential held{make()};
    nn::check_parts(held);
    const nn::Sequential copy = held;
    std::vector<std::vector<double>> before;
    for (const Tensor& t : values(held.state())) before.push_back(t.to_vector<double>());
    for (const Tensor& t : values(held.state())) t.add_(1);
    const List kept = values(copy.state());
    for (std::size_t k = 0; k < kept.size(); ++k) CHECK(kept[k].to_vector<double>() == before[k]);
    CHECK(to_string(copy) == to_string(held));
    held = copy;
    const List restored = values(held.state());
    for (std::size_t k = 0; k < restored.size(); ++k) CHECK(restored[k].to_vector<double>() == before[k]);

    if (key == "identity") continue;
    const std::string error = message<Error>([&, &key = key] { key.starts_with("batch_norm") || key == "spectral_norm_conv" ? held[0](Tensor()) : step(key, held[0], {Tensor(), Tensor()}); });
    CHECK(error.ends_with(key == "sequential" ? "(in 0.0)" : "(in 0)"));
  }
}
