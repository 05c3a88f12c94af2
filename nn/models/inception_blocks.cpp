#include <rill/nn/models/inception_blocks.h>

#include <rill/nn/init.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/pool.h>
#include <rill/ops/shape.h>

#include "lib/core/check.h"

namespace rill::nn::models {
namespace {

nn::ConvOptions kernel(std::int64_t size) { return {.kernel = size, .padding = size / 2}; }
nn::ConvOptions kernel(std::int64_t rows, std::int64_t columns) { return {.kernel = {rows, columns}, .padding = Dims{rows / 2, columns / 2}}; }
nn::ConvOptions valid(std::int64_t size, std::int64_t stride = 1) { return {.kernel = size, .stride = stride}; }

Tensor average(const Tensor& x, bool count_include_pad) { return avg_pool2d(x, 3, {.stride = 1, .padding = 1, .count_include_pad = count_include_pad}); }
Tensor reduce(const Tensor& x) { return max_pool2d(x, 3, {.stride = 2}); }
Tensor join(const std::vector<Tensor>& branches) { return cat(branches, 1); }

}  // namespace

std::int64_t InceptionOptions::depth(std::int64_t channels) const {
  check<ValueError>(depth_multiplier > 0, "InceptionOptions", "depth_multiplier is {}; it must be above 0", depth_multiplier);
  return std::max(static_cast<std::int64_t>(static_cast<double>(channels) * depth_multiplier), min_depth);
}

ConvNormRelu::ConvNormRelu(std::int64_t in, std::int64_t out, nn::ConvOptions options, const InceptionOptions& o, std::optional<double> std)
    : conv(in, out, (options.bias = false, options.tensor = o.tensor, options)), bn(out, {.eps = o.eps, .momentum = o.momentum, .relu = true, .tensor = o.tensor}) {
  if (!o.scale) bn.weight.reset({});
  if (!std && o.start == InceptionStart::variance_scaling) init::slim_variance_scaling_(conv.weight);
  else init::truncated_normal_(conv.weight, {.std = std.value_or(0.1)});
}
Tensor ConvNormRelu::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return bn(conv(x)); });
}

// ---- stem -----------------------------------------------------------------------------------------------------------------------

InceptionStem::InceptionStem(const InceptionOptions& o)
    : conv_1a(3, o.depth(32), valid(3, 2), o), conv_2a(o.depth(32), o.depth(32), valid(3), o), conv_2b(o.depth(32), o.depth(64), kernel(3), o),
      conv_3b(o.depth(64), o.depth(80), valid(1), o), conv_4a(o.depth(80), o.depth(192), valid(3), o) {}
Tensor InceptionStem::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return reduce(conv_4a(conv_3b(reduce(conv_2b(conv_2a(conv_1a(x))))))); });
}
void InceptionStem::parts(Parts& p) {
  p("Conv2d_1a_3x3", conv_1a)("Conv2d_2a_3x3", conv_2a)("Conv2d_2b_3x3", conv_2b)("Conv2d_3b_1x1", conv_3b)("Conv2d_4a_3x3", conv_4a);
}

// ---- blocks on a grid of constant size -----------------------------------------------------------------------------------------------

InceptionA::InceptionA(std::int64_t in, std::int64_t pool_channels, const InceptionOptions& o)
    : branch1x1(in, o.depth(64), kernel(1), o), branch5x5_1(in, o.depth(48), kernel(1), o), branch5x5_2(o.depth(48), o.depth(64), kernel(5), o),
      branch3x3dbl_1(in, o.depth(64), kernel(1), o), branch3x3dbl_2(o.depth(64), o.depth(96), kernel(3), o), branch3x3dbl_3(o.depth(96), o.depth(96), kernel(3), o),
      branch_pool(in, o.depth(pool_channels), kernel(1), o), count_include_pad(o.count_include_pad) {}
Tensor InceptionA::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) {
    return join({branch1x1(x), branch5x5_2(branch5x5_1(x)), branch3x3dbl_3(branch3x3dbl_2(branch3x3dbl_1(x))), branch_pool(average(x, count_include_pad))});
  });
}
void InceptionA::parts(Parts& p) {
  p("branch1x1", branch1x1)("branch5x5_1", branch5x5_1)("branch5x5_2", branch5x5_2)("branch3x3dbl_1", branch3x3dbl_1)("branch3x3dbl_2", branch3x3dbl_2);
  p("branch3x3dbl_3", branch3x3dbl_3)("branch_pool", branch_pool);
}
std::int64_t InceptionA::out_channels() const { return branch1x1.out_channels() + branch5x5_2.out_channels() + branch3x3dbl_3.out_channels() + branch_pool.out_channels(); }

InceptionC::InceptionC(std::int64_t in, std::int64_t channels, const InceptionOptions& o)
    : branch1x1(in, o.depth(192), kernel(1), o), branch7x7_1(in, o.depth(channels), kernel(1), o), branch7x7_2(o.depth(channels), o.depth(channels), kernel(1, 7), o),
      branch7x7_3(o.depth(channels), o.depth(192), kernel(7, 1), o), branch7x7dbl_1(in, o.depth(channels), kernel(1), o),
      branch7x7dbl_2(o.depth(channels), o.depth(channels), kernel(7, 1), o), branch7x7dbl_3(o.depth(channels), o.depth(channels), kernel(1, 7), o),
      branch7x7dbl_4(o.depth(channels), o.depth(channels), kernel(7, 1), o), branch7x7dbl_5(o.depth(channels), o.depth(192), kernel(1, 7), o),
      branch_pool(in, o.depth(192), kernel(1), o), count_include_pad(o.count_include_pad) {}
Tensor InceptionC::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) {
    return join({branch1x1(x), branch7x7_3(branch7x7_2(branch7x7_1(x))), branch7x7dbl_5(branch7x7dbl_4(branch7x7dbl_3(branch7x7dbl_2(branch7x7dbl_1(x))))),
                 branch_pool(average(x, count_include_pad))});
  });
}
void InceptionC::parts(Parts& p) {
  p("branch1x1", branch1x1)("branch7x7_1", branch7x7_1)("branch7x7_2", branch7x7_2)("branch7x7_3", branch7x7_3)("branch7x7dbl_1", branch7x7dbl_1);
  p("branch7x7dbl_2", branch7x7dbl_2)("branch7x7dbl_3", branch7x7dbl_3)("branch7x7dbl_4", branch7x7dbl_4)("branch7x7dbl_5", branch7x7dbl_5)("branch_pool", branch_pool);
}
std::int64_t InceptionC::out_channels() const { return branch1x1.out_channels() + branch7x7_3.out_channels() + branch7x7dbl_5.out_channels() + branch_pool.out_channels(); }

InceptionE::InceptionE(std::int64_t in, const InceptionOptions& o)
    : branch1x1(in, o.depth(320), kernel(1), o), branch3x3_1(in, o.depth(384), kernel(1), o), branch3x3_2a(o.depth(384), o.depth(384), kernel(1, 3), o),
      branch3x3_2b(o.depth(384), o.depth(384), kernel(3, 1), o), branch3x3dbl_1(in, o.depth(448), kernel(1), o), branch3x3dbl_2(o.depth(448), o.depth(384), kernel(3), o),
      branch3x3dbl_3a(o.depth(384), o.depth(384), kernel(1, 3), o), branch3x3dbl_3b(o.depth(384), o.depth(384), kernel(3, 1), o), branch_pool(in, o.depth(192), kernel(1), o),
      count_include_pad(o.count_include_pad) {}
Tensor InceptionE::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) {
    const Tensor single = branch3x3_1(x), twice = branch3x3dbl_2(branch3x3dbl_1(x));
    return join({branch1x1(x), branch3x3_2a(single), branch3x3_2b(single), branch3x3dbl_3a(twice), branch3x3dbl_3b(twice), branch_pool(average(x, count_include_pad))});
  });
}
void InceptionE::parts(Parts& p) {
  p("branch1x1", branch1x1)("branch3x3_1", branch3x3_1)("branch3x3_2a", branch3x3_2a)("branch3x3_2b", branch3x3_2b)("branch3x3dbl_1", branch3x3dbl_1);
  p("branch3x3dbl_2", branch3x3dbl_2)("branch3x3dbl_3a", branch3x3dbl_3a)("branch3x3dbl_3b", branch3x3dbl_3b)("branch_pool", branch_pool);
}
std::int64_t InceptionE::out_channels() const {
  return branch1x1.out_channels() + branch3x3_2a.out_channels() + branch3x3_2b.out_channels() + branch3x3dbl_3a.out_channels() + branch3x3dbl_3b.out_channels() + branch_pool.out_channels();
}

// ---- blocks that halve the grid --------------------------------------------------------------------------------------------------------

InceptionB::InceptionB(std::int64_t in, const InceptionOptions& o)
    : branch3x3(in, o.depth(384), valid(3, 2), o), branch3x3dbl_1(in, o.depth(64), kernel(1), o), branch3x3dbl_2(o.depth(64), o.depth(96), kernel(3), o),
      branch3x3dbl_3(o.depth(96), o.depth(96), valid(3, 2), o) {}
Tensor InceptionB::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return join({branch3x3(x), branch3x3dbl_3(branch3x3dbl_2(branch3x3dbl_1(x))), reduce(x)}); });
}
void InceptionB::parts(Parts& p) { p("branch3x3", branch3x3)("branch3x3dbl_1", branch3x3dbl_1)("branch3x3dbl_2", branch3x3dbl_2)("branch3x3dbl_3", branch3x3dbl_3); }
std::int64_t InceptionB::out_channels() const { return branch3x3.out_channels() + branch3x3dbl_3.out_channels() + branch3x3.conv.weight.size(1); }

InceptionD::InceptionD(std::int64_t in, const InceptionOptions& o)
    : branch3x3_1(in, o.depth(192), kernel(1), o), branch3x3_2(o.depth(192), o.depth(320), valid(3, 2), o), branch7x7x3_1(in, o.depth(192), kernel(1), o),
      branch7x7x3_2(o.depth(192), o.depth(192), kernel(1, 7), o), branch7x7x3_3(o.depth(192), o.depth(192), kernel(7, 1), o),
      branch7x7x3_4(o.depth(192), o.depth(192), valid(3, 2), o) {}
Tensor InceptionD::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return join({branch3x3_2(branch3x3_1(x)), branch7x7x3_4(branch7x7x3_3(branch7x7x3_2(branch7x7x3_1(x)))), reduce(x)}); });
}
void InceptionD::parts(Parts& p) {
  p("branch3x3_1", branch3x3_1)("branch3x3_2", branch3x3_2)("branch7x7x3_1", branch7x7x3_1)("branch7x7x3_2", branch7x7x3_2);
  p("branch7x7x3_3", branch7x7x3_3)("branch7x7x3_4", branch7x7x3_4);
}
std::int64_t InceptionD::out_channels() const { return branch3x3_2.out_channels() + branch7x7x3_4.out_channels() + branch3x3_1.conv.weight.size(1); }

// ---- auxiliary classifier ----------------------------------------------------------------------------------------------------------------

InceptionAux::InceptionAux(std::int64_t in, std::int64_t classes, const InceptionOptions& o, std::int64_t kernel)
    : conv0(in, o.depth(128), valid(1), o), conv1(o.depth(128), o.depth(768), {.kernel = kernel}, o, 0.01), fc(o.depth(768), classes, {.tensor = o.tensor}), head_pool(o.head_pool) {
  init::truncated_normal_(fc.weight, {.std = 0.001});
  init::zeros_(fc.bias);
}
Tensor InceptionAux::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) {
    const std::int64_t kernel = conv1.conv.options.kernel[0], least = 5 + 3 * (kernel - 1);
    check<ShapeError>(x.dim() == 4 && x.size(2) >= least && x.size(3) >= least, "InceptionAux", "a grid {} is too small for the kernel {}x{}; it needs {}x{} or more", x.shape(), kernel, kernel,
                      least, least);
    const Tensor y = conv1(conv0(avg_pool2d(x, 5, {.stride = 3})));
    check<ShapeError>(head_pool == HeadPool::adaptive || y.size(2) * y.size(3) == 1, "InceptionAux", "a grid {} leaves {}x{} elements per channel; take HeadPool::adaptive for images of this size",
                      x.shape(), y.size(2), y.size(3));
    return fc(adaptive_avg_pool2d(y, 1).flatten(1));
  });
}

}  // namespace rill::nn::models
