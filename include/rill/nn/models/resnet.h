// Residual networks (He et al. 2016, "Deep residual learning for image recognition"). State names are torchvision's (conv1.weight,
// layer1.0.bn2.running_mean, layer2.0.downsample.0.weight, fc.bias). Channels-last images are the fast path.
#pragma once

#include <array>
#include <optional>

#include <rill/nn/conv.h>
#include <rill/nn/linear.h>
#include <rill/nn/norm.h>

namespace rill::nn::models {

struct ResNetOptions {
  std::int64_t classes = 1000;
  std::array<std::int64_t, 4> blocks = {2, 2, 2, 2};  ///< per stage; each stage but the first halves the grid and doubles the channels
  bool bottleneck = false;                            ///< blocks of 1x1, 3x3, 1x1 with four times the channels, not of twice 3x3
  std::int64_t width = 64;                            ///< channels of the first stage
  bool zero_init_residual = false;                    ///< the last normalisation of each block starts with weight 0: the block starts as the identity
  Options tensor = {};
};

/// What a block adds to when its input has another shape: convolution 1x1 and normalisation.
struct ResNetDownsample : Module {
  ResNetDownsample(std::int64_t in, std::int64_t out, std::int64_t stride, const Options& tensor);
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override { p("0", conv)("1", bn); }

  Conv2d conv;
  BatchNorm2d bn;
};

/// relu(x + f(x)); [N, in, H, W] -> [N, width or 4 width, H / stride, W / stride]. The stride is that of the 3x3 convolution.
class ResNetBlock : public Module {
 public:
  ResNetBlock(std::int64_t in, std::int64_t width, std::int64_t stride, const ResNetOptions& options = {});
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override;
  std::int64_t out_channels() const { return conv3 ? conv3->weight.size(0) : conv2.weight.size(0); }

  Conv2d conv1;
  BatchNorm2d bn1;
  Conv2d conv2;
  BatchNorm2d bn2;
  std::optional<Conv2d> conv3;
  std::optional<BatchNorm2d> bn3;
  std::optional<ResNetDownsample> downsample;
};

/// [N, 3, H, W] -> logits [N, classes]. Weights of convolutions start normal with variance 2 / fan_out.
class ResNet : public Module {
 public:
  /// ValueError for a stage without blocks.
  explicit ResNet(const ResNetOptions& options = {});
  Tensor operator()(const Tensor& x) const;
  /// What the classifier sees: the means of the last stage, [N, 8 width] or, with bottlenecks, [N, 32 width].
  Tensor features(const Tensor& x) const;
  void parts(Parts& p) override;

  Conv2d conv1;
  BatchNorm2d bn1;
  std::vector<ResNetBlock> layer1, layer2, layer3, layer4;
  Linear fc;

 private:
  Tensor body(const Tensor& x) const;
};

/// 11,689,512 parameters for 1000 classes.
ResNet resnet18(std::int64_t classes = 1000);
/// 25,557,032 parameters for 1000 classes.
ResNet resnet50(std::int64_t classes = 1000);

}  // namespace rill::nn::models
