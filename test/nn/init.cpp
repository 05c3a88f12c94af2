#include "test/support/goldens.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include <rill/core/random.h>
#include <rill/nn/init.h>
#include <rill/nn/linear.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/linalg.h>
#include <rill/ops/reduce.h>

#include "test/support/message.h"

using namespace rill;
namespace init = nn::init;

namespace {

struct Moments {
  double mean = 0, deviation = 0, low = 1e300, high = -1e300;
  explicit Moments(const Tensor& t) {
    const auto v = t.to_vector<double>();
    for (const double x : v) mean += x / static_cast<double>(v.size()), low = std::min(low, x), high = std::max(high, x);
    for (const double x : v) deviation += (x - mean) * (x - mean) / static_cast<double>(v.size());
    deviation = std::sqrt(deviation);
  }
};

}  // namespace

TEST_CASE("fans and gains are those of the literature", "[nn][init]") {
  CHECK(init::fan(zeros({500, 784})).in == 784);
  CHECK(init::fan(zeros({500, 784})).out == 500);
  CHECK(init::fan(zeros({64, 32, 5, 5})).in == 800);
  CHECK(init::fan(zeros({64, 32, 5, 5})).out == 1600);
  CHECK(init::gain("relu") == Approx(std::sqrt(2.0)));
  CHECK(init::gain("tanh") == Approx(5.0 / 3));
  CHECK(init::gain("leaky_relu", 0.2) == Approx(std::sqrt(2 / 1.04)));
  CHECK(init::gain("selu") == 0.75);
  for (const char* name : {"linear", "sigmoid", "conv1d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"}) CHECK(init::gain(name) == 1);
  CHECK_THROWS_AS(init::fan(zeros({5})), ShapeError);
  CHECK_THROWS_WITH(init::fan(zeros({5})), "fan: a weight of shape [5] has no fan; it needs [out, in, kernel...]");
  CHECK_THROWS_WITH(init::gain("cosine"), "gain: \"cosine\" is not a known nonlinearity; use linear, conv, conv_transpose1d (2d, 3d), sigmoid, tanh, relu, leaky_relu or selu");
}

TEST_CASE("drawn weights have the documented bounds and deviations", "[nn][init]") {
  manual_seed(5);
  const Tensor w = zeros({500, 784}, {.requires_grad = true});  // 392,000 values: a deviation is right to 0.12 % (one sigma)
  struct Case {
    const char* name;
    double bound, deviation;
  };
  const auto check = [&](const Tensor& t, double bound, double deviation) {
    const Moments m(t);
    CHECK(std::abs(m.mean) < 4 * deviation / std::sqrt(392000.0));
    CHECK(m.deviation == Approx(deviation).epsilon(0.006));
    CHECK(m.low >= -bound);
    CHECK(m.high <= bound);
    if (bound < 100) CHECK(std::max(-m.low, m.high) > bound * 0.999);
  };
  check(init::truncated_normal_(w, {.std = 0.1}), 0.2, 0.087962566);  // TensorFlow's truncated_normal(stddev = 0.1)
  check(init::xavier_uniform_(w), 0.0683585927, 0.0683585927 / std::sqrt(3.0));
  check(init::xavier_normal_(w), 1e9, std::sqrt(2.0 / 1284));
  check(init::kaiming_uniform_(w, {.slope = std::sqrt(5.0)}), 1.0 / 28, 1.0 / 28 / std::sqrt(3.0));
  check(init::kaiming_normal_(w, {.nonlinearity = "relu"}), 1e9, std::sqrt(2.0 / 784));
  check(init::kaiming_normal_(w, {.mode = init::Mode::fan_out}), 1e9, std::sqrt(2.0 / 500));
  check(init::uniform_(w, -3, 3), 3, std::sqrt(3.0));
  CHECK(w.is_leaf());
  CHECK(init::constant_(zeros({3}), 0.1).to_vector<float>() == std::vector<float>(3, 0.1f));
  CHECK_THROWS_AS(init::truncated_normal_(w, {.std = 0}), ValueError);
}

TEST_CASE("with the torch-compatible generator Linear starts as PyTorch's does", "[nn][init]") {
  // torch.manual_seed(0); torch.nn.Linear(3, 2)
  const GeneratorScope scope(Generator::torch_compatible(0));
  const nn::Linear layer(3, 2);
  const std::vector<double> weight = {-0.00432251766, 0.309715837, -0.475185335, -0.424894601, -0.222368971, 0.154820725}, bias = {-0.0114391446, 0.457774937};
  for (std::size_t i = 0; i < 6; ++i) CHECK(layer.weight.to_vector<double>()[i] == Approx(weight[i]).epsilon(1e-8));
  for (std::size_t i = 0; i < 2; ++i) CHECK(layer.bias.to_vector<double>()[i] == Approx(bias[i]).epsilon(1e-8));
}

TEST_CASE("initialisers leave the values that PyTorch's leave: test/oracle/init_values.py", "[nn][init]") {
  std::ifstream file(RILL_SOURCE_DIR "/test/nn/init_goldens.txt");
  int count = 0;
  for (std::string line; std::getline(file, line); ++count) {
    INFO(line);
    const Golden g = parse_golden(line);
    const Tensor want = g.sections.at("").at(0), w = full_like(want, 9).requires_grad_();
    const GeneratorScope scope(Generator::torch_compatible(static_cast<std::uint64_t>(g.integer(0))));
    const auto kaiming = [&] { return init::Kaiming{.slope = g.number(1), .mode = g.arguments.at(2) == "fan_in" ? init::Mode::fan_in : init::Mode::fan_out, .nonlinearity = g.arguments.at(3)}; };
    const std::map<std::string, std::function<void()>> functions = {
        {"uniform_", [&] { init::uniform_(w, g.number(1), g.number(2)); }},
        {"normal_", [&] { init::normal_(w, g.number(1), g.number(2)); }},
        {"trunc_normal_", [&] { init::trunc_normal_(w, {.mean = g.number(1), .std = g.number(2), .low = g.number(3), .high = g.number(4)}); }},
        {"xavier_uniform_", [&] { init::xavier_uniform_(w, g.number(1)); }},
        {"xavier_normal_", [&] { init::xavier_normal_(w, g.number(1)); }},
        {"kaiming_uniform_", [&] { init::kaiming_uniform_(w, kaiming()); }},
        {"kaiming_normal_", [&] { init::kaiming_normal_(w, kaiming()); }},
        {"orthogonal_", [&] { init::orthogonal_(w, g.number(1)); }},
        {"eye_", [&] { init::eye_(w); }},
        {"dirac_", [&] { init::dirac_(w, g.integer(1)); }},
        {"sparse_", [&] { init::sparse_(w, g.number(1), g.number(2)); }}};
    functions.at(g.op)();
    check_same(w.detach(), want, g.op == "orthogonal_" ? 3e-6 : 6e-7);
    CHECK(w.is_leaf());
  }
  CHECK(count == 32);
}

TEST_CASE("scaled initialisers have the limits and deviations of TensorFlow's, in both layouts", "[nn][init]") {
  struct Row {
    Shape shape;  // [kernel.., in, out]
    double in, out, glorot, he, slim;
  };
  for (const Row& row : {Row{{784, 500}, 784, 500, 0.0683585927, 0.0574194563, 0.0575875553}, Row{{5, 5, 1, 32}, 25, 800, 0.0852802865, 0.3215489554, 0.3224903099},
                         Row{{5, 5, 32, 64}, 800, 1600, 0.05, 0.0568423617, 0.0570087713}, Row{{3136, 512}, 3136, 512, 0.0405553553, 0.0287097282, 0.0287937777}}) {
    INFO(to_string(row.shape));
    const Tensor w = zeros(row.shape);
    constexpr auto kTf = init::Layout::in_out;
    CHECK(static_cast<double>(init::fan(w, kTf).in) == row.in);
    CHECK(static_cast<double>(init::fan(w, kTf).out) == row.out);
    // one value of each stream tells the scale: the first uniform of this seed is 0.23903739, the first (truncated) normal -0.8113182
    const auto first = [&](const auto& fill) {
      const GeneratorScope scope(Generator::tensorflow_compatible(1));
      fill();
      return static_cast<double>(w.to_vector<float>()[0]);
    };
    CHECK(first([&] { init::glorot_uniform_(w, kTf); }) == Approx(row.glorot * (2 * 0.23903739 - 1)).epsilon(1e-6));
    CHECK(first([&] { init::he_normal_(w, kTf); }) == Approx(row.he * -0.8113182).epsilon(1e-6));
    CHECK(first([&] { init::slim_variance_scaling_(w, {.layout = kTf}); }) == Approx(row.slim * -0.8113182).epsilon(1e-6));
    CHECK(first([&] { init::slim_variance_scaling_(w, {.factor = 1, .mode = init::Mode::fan_avg, .uniform = true, .layout = kTf}); }) == Approx(row.glorot * (2 * 0.23903739 - 1)).epsilon(1e-6));
    CHECK(first([&] { init::lecun_normal_(w, kTf); }) == Approx(row.he / std::sqrt(2.0) * -0.8113182).epsilon(1e-6));
    CHECK(first([&] { init::lecun_uniform_(w, kTf); }) == Approx(std::sqrt(3 / row.in) * (2 * 0.23903739 - 1)).epsilon(1e-6));
    CHECK(first([&] { init::he_uniform_(w, kTf); }) == Approx(std::sqrt(6 / row.in) * (2 * 0.23903739 - 1)).epsilon(1e-6));
    CHECK(first([&] { init::glorot_normal_(w, kTf); }) == Approx(row.glorot / std::sqrt(3.0) / 0.87962566103423978 * -0.8113182).epsilon(1e-6));
    CHECK(first([&] { init::variance_scaling_(w, {.scale = 3, .mode = init::Mode::fan_out, .distribution = init::Distribution::untruncated_normal, .layout = kTf}); }) ==
          Approx(std::sqrt(3 / row.out) * -0.8113182).epsilon(1e-6));
    CHECK(first([&] { init::uniform_unit_scaling_(w, 2, kTf); }) == Approx(2 * std::sqrt(3.0 * static_cast<double>(w.size(-1)) / static_cast<double>(w.numel())) * (2 * 0.23903739 - 1)).epsilon(1e-6));
  }
  // the same weight the other way round
  CHECK(init::fan(zeros({64, 32, 5, 5})).in == init::fan(zeros({5, 5, 32, 64}), init::Layout::in_out).in);
  CHECK(init::fan(zeros({7}), init::Layout::in_out).in == 7);
  CHECK(init::fan(zeros({}), init::Layout::in_out).out == 1);
  const GeneratorScope scope(Generator::tensorflow_compatible(1));
  check_same(init::glorot_uniform_(zeros({2, 3}), init::Layout::in_out), tensor({{-0.5717404f, 0.9210494f, -0.9847779f}, {-0.0093234f, 0.7350925f, -1.0374514f}}, {.dtype = float32}), 1e-7);
}

TEST_CASE("orthogonal_ makes rows or columns orthonormal in both layouts", "[nn][init]") {
  manual_seed(3);
  for (const auto layout : {init::Layout::out_in, init::Layout::in_out})
    for (const Shape& shape : {Shape{4, 4}, Shape{6, 2, 2}, Shape{2, 3, 5}}) {
      const Tensor w = init::orthogonal_(zeros(shape, {.dtype = float64}), 2, layout);
      const Tensor m = layout == init::Layout::out_in ? w.reshape({w.size(0), -1}) : w.reshape({-1, w.size(-1)});
      const Tensor gram = m.size(0) <= m.size(1) ? matmul(m, m.t()) : matmul(m.t(), m);
      CHECK(allclose(gram, eye(gram.size(0), -1, {.dtype = float64}) * 4, 1e-12, 1e-12));
    }
}

TEST_CASE("constant lists repeat their last value", "[nn][init]") {
  CHECK(init::constant_(zeros({2, 3}), {1, 2.5, 3}).to_vector<float>() == std::vector<float>{1, 2.5, 3, 3, 3, 3});
  CHECK(init::eye_(zeros({2, 2}), 3).to_vector<float>() == std::vector<float>{3, 0, 0, 3});
}

TEST_CASE("initialisers refuse what they cannot fill", "[nn][init]") {
  const Tensor w = zeros({2, 3}), v = zeros({3});
  CHECK(MESSAGE(ValueError, init::constant_(v, std::vector<double>{})) == "constant_: 0 values for a tensor of 3 elements; give at least one and at most one for each");
  CHECK(MESSAGE(ValueError, init::constant_(v, {1, 2, 3, 4})) == "constant_: 4 values for a tensor of 3 elements; give at least one and at most one for each");
  CHECK(MESSAGE(ValueError, init::truncated_normal_(w, {.std = -1})) == "truncated_normal_: std is -1, bounds are -2 and 2 deviations; expected std > 0 and low < high");
  CHECK(MESSAGE(ValueError, init::variance_scaling_(w, {.scale = 0})) == "variance_scaling_: scale is 0; it must be above 0");
  CHECK(MESSAGE(ValueError, init::slim_variance_scaling_(w, {.factor = -2})) == "slim_variance_scaling_: factor is -2; it must be above 0");
  CHECK(MESSAGE(ShapeError, init::orthogonal_(v)) == "orthogonal_: takes a weight of rank 2 or more, got [3]");
  CHECK(MESSAGE(ShapeError, init::eye_(v)) == "eye_: takes a matrix, got [3]");
  CHECK(MESSAGE(ShapeError, init::dirac_(w)) == "dirac_: takes a convolution's weight [out, in, kernel..] of rank 3 to 5, got [2, 3]");
  CHECK(MESSAGE(ValueError, init::dirac_(zeros({3, 1, 1}), 2)) == "dirac_: 2 groups do not divide the 3 outputs");
  CHECK(MESSAGE(ShapeError, init::sparse_(v, 0.5)) == "sparse_: takes a matrix, got [3]");
  CHECK(MESSAGE(ValueError, init::sparse_(w, 1.5)) == "sparse_: the sparsity 1.5 is outside [0, 1]");
}
