#include "test/support/catch.h"

#include <rill/core/random.h>
#include <rill/nn/activation.h>
#include <rill/nn/batch_statistics.h>
#include <rill/nn/containers.h>
#include <rill/nn/dropout.h>
#include <rill/nn/init.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/random.h>
#include <rill/ops/reduce.h>

#include "test/support/message.h"

using namespace rill;

namespace {

/// A normalisation that does something.
template <class N> N trained(std::int64_t channels, const nn::BatchNormOptions& options = {}) {
  N norm(channels, options);
  norm.to({.dtype = float64});
  norm.running_mean.normal_(), norm.running_var.uniform_(0.5, 2);
  if (norm.weight.defined()) nn::init::normal_(norm.weight, 1);
  if (norm.bias.defined()) nn::init::normal_(norm.bias);
  norm.eval();
  return norm;
}
template <class L, class N> void check_fused(L layer, const N& norm, const Shape& input) {
  layer.to({.dtype = float64});
  const Tensor x = randn(input, {.dtype = float64});
  const Tensor before = layer.weight.detach().clone();
  const L fused = nn::fuse(layer, norm);
  CHECK(allclose(fused(x), norm(layer(x)), 1e-12, 1e-12));
  CHECK(equal(layer.weight, before));
  CHECK(fused.describe().find("bias=False") == std::string::npos);
}

}  // namespace

TEST_CASE("a layer and its batch normalisation become one layer", "[nn][batch_statistics]") {
  manual_seed(1);
  check_fused(nn::Linear(3, 4), trained<nn::BatchNorm1d>(4), {2, 3});
  check_fused(nn::Conv1d(2, 3, {.kernel = 2}), trained<nn::BatchNorm1d>(3, {.affine = false}), {2, 2, 4});
  check_fused(nn::Conv2d(4, 6, {.kernel = 3, .padding = 1, .groups = 2, .bias = false}), trained<nn::BatchNorm2d>(6, {.eps = 0.1}), {1, 4, 3, 3});
  check_fused(nn::Conv3d(1, 2, {.kernel = 2}), trained<nn::BatchNorm3d>(2, {.bias = false}), {1, 1, 2, 3, 2});
  check_fused(nn::ConvTranspose1d(2, 4, {.kernel = 2}), trained<nn::BatchNorm1d>(4), {1, 2, 3});
  check_fused(nn::ConvTranspose2d(4, 6, {.kernel = 2, .stride = 2, .groups = 2}), trained<nn::BatchNorm2d>(6), {1, 4, 2, 2});
  check_fused(nn::ConvTranspose3d(1, 2, {.kernel = 2, .bias = false}), trained<nn::BatchNorm3d>(2), {1, 1, 1, 2, 2});
  CHECK(MESSAGE(ShapeError, nn::fuse(nn::Linear(2, 3), nn::BatchNorm1d(4))) == "fuse: the layer has 3 outputs, the normalisation 4 channels");
  CHECK(MESSAGE(ValueError, nn::fuse(nn::Linear(2, 3), nn::BatchNorm1d(3, {.track_running_stats = false}))) == "fuse: the normalisation has no running statistics");
  CHECK(MESSAGE(ValueError, nn::fuse(nn::Linear(2, 3), nn::BatchNorm1d(3, {.relu = true}))) ==
        "fuse: the normalisation ends in a rectifier, which the layer cannot take; build it without .relu and call relu() behind the fused layer");
}

TEST_CASE("update_bn averages the statistics of all batches anew", "[nn][batch_statistics]") {
  nn::Sequential net{nn::BatchNorm1d(1, {.momentum = 0.25}), nn::Dropout(0.5)};
  auto& norm = net[0].as<nn::BatchNorm1d>();
  net(tensor({{100.f}, {-50.f}}));
  net.eval();
  const std::vector<Tensor> batches = {tensor({{1.f}, {3.f}}), tensor({{2.f}, {8.f}}), tensor({{0.f}, {0.f}})};
  nn::update_bn(net, batches);
  CHECK(norm.running_mean.item<float>() == Approx((2 + 5 + 0) / 3.0));
  CHECK(norm.running_var.item<float>() == Approx((2 + 18 + 0) / 3.0));
  CHECK(norm.num_batches_tracked.item<std::int64_t>() == 3);
  CHECK(norm.options.momentum == 0.25);
  CHECK_FALSE(norm.training);
  CHECK_FALSE(net[1].as<nn::Dropout>().training);

  CHECK_THROWS_AS(nn::update_bn(net, [&] { net(ones({1, 1})); }), ValueError);  // one value per channel
  CHECK(norm.options.momentum == 0.25);
  CHECK_FALSE(norm.training);
  nn::Sequential none{nn::ReLU(), nn::BatchNorm1d(1, {.track_running_stats = false})};
  nn::update_bn(none, [] { FAIL("there is nothing to average"); });
}
