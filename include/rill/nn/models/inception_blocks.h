// The building blocks of Inception-v3 (Szegedy et al. 2016, "Rethinking the Inception architecture for computer vision"), each usable
// alone. A block takes [N, in, H, W] and joins the channels of its branches; members are named as in torchvision, whose files load.
#pragma once

#include <optional>

#include <rill/nn/conv.h>
#include <rill/nn/linear.h>
#include <rill/nn/norm.h>

namespace rill::nn::models {

/// How the weights of convolutions start; biases start with 0.
enum class InceptionStart : std::uint8_t {
  truncated_normal,  ///< deviation 0.1, but 0.01 and 0.001 in the auxiliary head, cut at two deviations: TF-Slim's first releases
  variance_scaling,  ///< in the body, deviation sqrt(1.3 * 2 / fan_in): TF-Slim's later ones
};
/// How the classifiers reduce their last grid to one value per channel.
enum class HeadPool : std::uint8_t {
  adaptive,  ///< the mean over what is there
  fixed,     ///< windows of 8x8 (stride 2) and, in the auxiliary head, a kernel as large as the grid: TF-Slim's, for one size of images
};

/// What all convolutions and pools of a network have in common. The defaults are torchvision's.
struct InceptionOptions {
  double depth_multiplier = 1;    ///< d channels become max(floor(d depth_multiplier), min_depth)
  std::int64_t min_depth = 16;
  double eps = 1e-3;              ///< of the normalisations
  double momentum = 0.1;          ///< of their running statistics: 1 - TensorFlow's decay
  bool scale = true;              ///< they have a weight (TensorFlow's gamma)
  bool count_include_pad = true;  ///< average pools divide by 9 also at the border; off: by the number of real pixels
  InceptionStart start = InceptionStart::truncated_normal;
  HeadPool head_pool = HeadPool::adaptive;
  Options tensor = {};            ///< dtype and device of the parameters

  /// TF-Slim's dialect: decay 0.9997, no scale, real pixels, variance scaling, fixed windows.
  static InceptionOptions slim() {
    return {.momentum = 0.0003, .scale = false, .count_include_pad = false, .start = InceptionStart::variance_scaling, .head_pool = HeadPool::fixed};
  }
  /// The number of channels that the architecture's `channels` become. ValueError unless depth_multiplier is above 0.
  std::int64_t depth(std::int64_t channels) const;
};

/// Convolution without bias, batch normalisation, relu.
struct ConvNormRelu : Module {
  /// `out` is taken as it is (see InceptionOptions::depth). With `std` the weights start truncated normal with that deviation.
  ConvNormRelu(std::int64_t in, std::int64_t out, nn::ConvOptions conv, const InceptionOptions& options = {}, std::optional<double> std = {});
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override { p("conv", conv)("bn", bn); }
  std::int64_t out_channels() const { return conv.weight.size(0); }

  Conv2d conv;
  BatchNorm2d bn;
};

/// [N, 3, H, W] -> [N, 192, about H / 8, about W / 8]: five convolutions and two maximum pools.
struct InceptionStem : Module {
  explicit InceptionStem(const InceptionOptions& options = {});
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override;
  std::int64_t out_channels() const { return conv_4a.out_channels(); }

  ConvNormRelu conv_1a, conv_2a, conv_2b, conv_3b, conv_4a;
};

/// Branches 1x1, 5x5, twice 3x3, and pool of `pool_channels`: 224 + pool_channels channels of the same size (Mixed_5b to 5d).
struct InceptionA : Module {
  InceptionA(std::int64_t in, std::int64_t pool_channels, const InceptionOptions& options = {});
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override;
  std::int64_t out_channels() const;

  ConvNormRelu branch1x1, branch5x5_1, branch5x5_2, branch3x3dbl_1, branch3x3dbl_2, branch3x3dbl_3, branch_pool;
  bool count_include_pad;
};

/// Halves the grid: branches 3x3, twice 3x3, and pool: 480 + in channels (Mixed_6a).
struct InceptionB : Module {
  explicit InceptionB(std::int64_t in, const InceptionOptions& options = {});
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override;
  std::int64_t out_channels() const;

  ConvNormRelu branch3x3, branch3x3dbl_1, branch3x3dbl_2, branch3x3dbl_3;
};

/// Branches 1x1, 7x7 and twice 7x7 as pairs of 1x7 and 7x1 over `channels`, and pool: 768 channels of the same size (Mixed_6b to 6e).
struct InceptionC : Module {
  InceptionC(std::int64_t in, std::int64_t channels, const InceptionOptions& options = {});
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override;
  std::int64_t out_channels() const;

  ConvNormRelu branch1x1, branch7x7_1, branch7x7_2, branch7x7_3, branch7x7dbl_1, branch7x7dbl_2, branch7x7dbl_3, branch7x7dbl_4, branch7x7dbl_5, branch_pool;
  bool count_include_pad;
};

/// Halves the grid: branches 3x3, 7x7 with 3x3, and pool: 512 + in channels (Mixed_7a).
struct InceptionD : Module {
  explicit InceptionD(std::int64_t in, const InceptionOptions& options = {});
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override;
  std::int64_t out_channels() const;

  ConvNormRelu branch3x3_1, branch3x3_2, branch7x7x3_1, branch7x7x3_2, branch7x7x3_3, branch7x7x3_4;
};

/// Branches 1x1, 3x3 and twice 3x3 that end side by side in 1x3 and 3x1, and pool: 2048 channels of the same size (Mixed_7b, 7c).
struct InceptionE : Module {
  explicit InceptionE(std::int64_t in, const InceptionOptions& options = {});
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override;
  std::int64_t out_channels() const;

  ConvNormRelu branch1x1, branch3x3_1, branch3x3_2a, branch3x3_2b, branch3x3dbl_1, branch3x3dbl_2, branch3x3dbl_3a, branch3x3dbl_3b, branch_pool;
  bool count_include_pad;
};

/// The auxiliary classifier on [N, in, H, W]: average pool 5x5 with stride 3, 1x1, `kernel` x `kernel`, mean over what is left (ShapeError
/// for more than one element with HeadPool::fixed), linear: [N, classes].
struct InceptionAux : Module {
  InceptionAux(std::int64_t in, std::int64_t classes, const InceptionOptions& options = {}, std::int64_t kernel = 5);
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override { p("conv0", conv0)("conv1", conv1)("fc", fc); }

  ConvNormRelu conv0, conv1;
  Linear fc;
  HeadPool head_pool;
};

}  // namespace rill::nn::models
