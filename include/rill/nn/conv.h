// Convolution layers. x is [N, C, spatial..] or [C, spatial..]; formulas, sizes and errors are those of rill/ops/conv.h.
#pragma once

#include <rill/nn/module.h>
#include <rill/ops/conv.h>
#include <rill/ops/pad.h>

namespace rill::nn {

struct ConvOptions {
  PerAxis kernel;                            ///< required: one size, or one per spatial axis
  PerAxis stride = 1;
  ConvPadding padding = 0;                   ///< numbers or ConvPadding::same() (stride 1 only)
  PerAxis dilation = 1;
  std::int64_t groups = 1;                   ///< divides both numbers of channels
  bool bias = true;
  PadMode padding_mode = PadMode::constant;  ///< what stands outside of x: zeros, or values of x
  Options tensor = {};                       ///< dtype and device of the parameters
};

/// What Conv1d, Conv2d and Conv3d have in common. weight [out, in / groups, kernel..] and bias [out] start uniform in
/// +-1 / sqrt(in / groups * kernel size), weight first, as PyTorch's do. ValueError for options that fit no input.
class Conv : public Module {
 public:
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override { p("weight", weight)("bias", bias); }
  std::string describe() const override;
  std::int64_t flops(const Tensor& x, const Tensor& y) const override;

  Parameter weight, bias;
  ConvOptions options;

 protected:
  Conv(const char* layer, int axes, std::int64_t in, std::int64_t out, const ConvOptions& options);
};

struct Conv1d : Conv { Conv1d(std::int64_t in, std::int64_t out, const ConvOptions& options) : Conv("Conv1d", 1, in, out, options) {} };
/// nn::Conv2d(3, 64, {.kernel = 7, .stride = 2, .padding = 3, .bias = false}).
struct Conv2d : Conv { Conv2d(std::int64_t in, std::int64_t out, const ConvOptions& options) : Conv("Conv2d", 2, in, out, options) {} };
struct Conv3d : Conv { Conv3d(std::int64_t in, std::int64_t out, const ConvOptions& options) : Conv("Conv3d", 3, in, out, options) {} };

struct ConvTransposeOptions {
  PerAxis kernel;              ///< required
  PerAxis stride = 1;
  PerAxis padding = 0;
  PerAxis output_padding = 0;  ///< below stride or dilation
  std::int64_t groups = 1;
  bool bias = true;
  PerAxis dilation = 1;
  Options tensor = {};
};

/// What the transposed convolutions have in common. weight is [in, out / groups, kernel..]; it and bias [out] start uniform in
/// +-1 / sqrt(out / groups * kernel size), as PyTorch's do.
class ConvTranspose : public Module {
 public:
  Tensor operator()(const Tensor& x) const;
  /// With the spatial sizes that the result shall have, which fix output_padding: up to stride - 1 above the smallest ones.
  Tensor operator()(const Tensor& x, const PerAxis& output_size) const;
  void parts(Parts& p) override { p("weight", weight)("bias", bias); }
  std::string describe() const override;
  std::int64_t flops(const Tensor& x, const Tensor& y) const override;

  Parameter weight, bias;
  ConvTransposeOptions options;

 protected:
  ConvTranspose(const char* layer, int axes, std::int64_t in, std::int64_t out, const ConvTransposeOptions& options);

 private:
  Tensor apply(const Tensor& x, const PerAxis& output_padding) const;
};

struct ConvTranspose1d : ConvTranspose { ConvTranspose1d(std::int64_t in, std::int64_t out, const ConvTransposeOptions& options) : ConvTranspose("ConvTranspose1d", 1, in, out, options) {} };
struct ConvTranspose2d : ConvTranspose { ConvTranspose2d(std::int64_t in, std::int64_t out, const ConvTransposeOptions& options) : ConvTranspose("ConvTranspose2d", 2, in, out, options) {} };
struct ConvTranspose3d : ConvTranspose { ConvTranspose3d(std::int64_t in, std::int64_t out, const ConvTransposeOptions& options) : ConvTranspose("ConvTranspose3d", 3, in, out, options) {} };

}  // namespace rill::nn
