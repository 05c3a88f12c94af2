#include "test/support/catch.h"

#include <algorithm>
#include <cmath>

#include <rill/core/random.h>
#include <rill/nn/init.h>
#include <rill/nn/linear.h>
#include <rill/ops/create.h>

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
  CHECK_THROWS_AS(init::fan(zeros({5})), ShapeError);
  CHECK_THROWS_WITH(init::fan(zeros({5})), "fan: a weight of shape [5] has no fan; it needs [out, in, kernel...]");
  CHECK_THROWS_WITH(init::gain("cosine"), "gain: \"cosine\" is not a known nonlinearity; use linear, conv, sigmoid, tanh, relu, leaky_relu or selu");
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
