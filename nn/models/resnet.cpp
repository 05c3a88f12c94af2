#include <rill/nn/models/resnet.h>

#include <rill/nn/init.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/pool.h>

#include "lib/core/check.h"

namespace rill::nn::models {
namespace {

Conv2d convolution(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride, const Options& tensor) {
  Conv2d conv(in, out, {.kernel = kernel, .stride = stride, .padding = kernel / 2, .bias = false, .tensor = tensor});
  init::kaiming_normal_(conv.weight, {.mode = init::Mode::fan_out, .nonlinearity = "relu"});
  return conv;
}
BatchNorm2d normalisation(std::int64_t channels, const Options& tensor, bool relu = false) { return BatchNorm2d(channels, {.relu = relu, .tensor = tensor}); }

std::int64_t expansion(const ResNetOptions& o) { return o.bottleneck ? 4 : 1; }

std::vector<ResNetBlock> stage(std::size_t index, const ResNetOptions& o) {
  check<ValueError>(o.blocks[index] >= 1, "ResNet", "stage {} has {} blocks; each needs at least 1", index + 1, o.blocks[index]);
  const std::int64_t width = o.width << index;
  std::vector<ResNetBlock> blocks;
  blocks.emplace_back(index == 0 ? o.width : width / 2 * expansion(o), width, index == 0 ? 1 : 2, o);
  while (static_cast<std::int64_t>(blocks.size()) < o.blocks[index]) blocks.emplace_back(width * expansion(o), width, 1, o);
  return blocks;
}

}  // namespace

ResNetDownsample::ResNetDownsample(std::int64_t in, std::int64_t out, std::int64_t stride, const Options& tensor)
    : conv(convolution(in, out, 1, stride, tensor)), bn(normalisation(out, tensor)) {}
Tensor ResNetDownsample::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return bn(conv(x)); });
}

ResNetBlock::ResNetBlock(std::int64_t in, std::int64_t width, std::int64_t stride, const ResNetOptions& o)
    : conv1(convolution(in, width, o.bottleneck ? 1 : 3, o.bottleneck ? 1 : stride, o.tensor)), bn1(normalisation(width, o.tensor, true)),
      conv2(convolution(width, width, 3, o.bottleneck ? stride : 1, o.tensor)), bn2(normalisation(width, o.tensor, o.bottleneck)) {
  const std::int64_t out = width * expansion(o);
  if (o.bottleneck) conv3 = convolution(width, out, 1, 1, o.tensor), bn3 = normalisation(out, o.tensor);
  if (stride != 1 || in != out) downsample.emplace(in, out, stride, o.tensor);
  if (o.zero_init_residual) init::zeros_(bn3 ? bn3->weight : bn2.weight);
}
void ResNetBlock::parts(Parts& p) { p("conv1", conv1)("bn1", bn1)("conv2", conv2)("bn2", bn2)("conv3", conv3)("bn3", bn3)("downsample", downsample); }
Tensor ResNetBlock::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) {
    Tensor y = bn2(conv2(bn1(conv1(x))));
    if (conv3) y = (*bn3)((*conv3)(y));
    return relu(y + (downsample ? (*downsample)(x) : x));
  });
}

ResNet::ResNet(const ResNetOptions& o)
    : conv1(convolution(3, o.width, 7, 2, o.tensor)), bn1(normalisation(o.width, o.tensor, true)), layer1(stage(0, o)), layer2(stage(1, o)), layer3(stage(2, o)), layer4(stage(3, o)),
      fc(layer4.back().out_channels(), o.classes, {.tensor = o.tensor}) {}
void ResNet::parts(Parts& p) { p("conv1", conv1)("bn1", bn1)("layer1", layer1)("layer2", layer2)("layer3", layer3)("layer4", layer4)("fc", fc); }

Tensor ResNet::body(const Tensor& x) const {
  Tensor y = max_pool2d(bn1(conv1(x)), 3, {.stride = 2, .padding = 1});
  for (const auto* stage : {&layer1, &layer2, &layer3, &layer4})
    for (const ResNetBlock& block : *stage) y = block(y);
  return adaptive_avg_pool2d(y, 1).flatten(1);
}
Tensor ResNet::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return fc(body(x)); });
}
Tensor ResNet::features(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return body(x); });
}

ResNet resnet18(std::int64_t classes) { return ResNet({.classes = classes}); }
ResNet resnet50(std::int64_t classes) { return ResNet({.classes = classes, .blocks = {3, 4, 6, 3}, .bottleneck = true}); }

}  // namespace rill::nn::models
