// Convolution (cross-correlation, as in neural networks). x is [N, C, spatial..] or [C, spatial..], the result has the same form.
// Floating dtypes and integers; all operands of one dtype; float16 and bfloat16 are computed in float32 and rounded once. A channels-last
// x (or weight) gives a channels-last result. Differentiable any number of times. Errors: ShapeError when sizes do not fit, ValueError
// for an impossible option, DtypeError, DeviceError.
#pragma once

#include <concepts>
#include <initializer_list>

#include <rill/core/tensor.h>

namespace rill {

/// One number for all spatial axes (`3`) or one per axis (`{3, 5}`).
class PerAxis {
 public:
  constexpr PerAxis() = default;  ///< nothing given: count() is 0, the op has a default
  template <std::integral I> constexpr PerAxis(I value) : values_{static_cast<std::int64_t>(value)}, count_(1) {}
  PerAxis(std::initializer_list<std::int64_t> values) : PerAxis(Dims(values)) {}
  PerAxis(const Dims& values) : count_(values.rank()) {
    for (int i = 0; i < count_ && i < 3; ++i) values_[i] = values[i];
  }
  int count() const noexcept { return count_; }
  std::int64_t operator[](int axis) const noexcept { return values_[count_ == 1 ? 0 : axis]; }

 private:
  std::int64_t values_[3] = {};
  int count_ = 0;
};

/// Zeros around x: a number for both sides of an axis, or `ConvPadding::same()`: the result has the spatial size of x (stride 1 only; an
/// odd zero goes to the end). `ConvPadding::valid()` is 0.
class ConvPadding : public PerAxis {
 public:
  using PerAxis::PerAxis;
  static ConvPadding same() {
    ConvPadding p(0);
    p.same_ = true;
    return p;
  }
  static ConvPadding valid() { return ConvPadding(0); }
  bool is_same() const noexcept { return same_; }

 private:
  bool same_ = false;
};

struct ConvOptions {
  PerAxis stride = 1;
  ConvPadding padding = 0;
  PerAxis dilation = 1;
  std::int64_t groups = 1;
};

/// y[n, o, p] = b[o] + sum over c, k of w[o, c, k] x[n, c, stride p + dilation k - padding]; w [O, C / groups, kernel..], b [O] or none.
/// Sizes: (L + 2 padding - dilation (k - 1) - 1) / stride + 1, rounded down. Group g of O / groups filters sees the channels of group g.
Tensor conv1d(const Tensor& x, const Tensor& w, const Tensor& b = {}, const ConvOptions& options = {});
Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& b = {}, const ConvOptions& options = {});
Tensor conv3d(const Tensor& x, const Tensor& w, const Tensor& b = {}, const ConvOptions& options = {});

struct ConvTransposeOptions {
  PerAxis stride = 1;
  PerAxis padding = 0;
  PerAxis output_padding = 0;  ///< extra size at the end; smaller than stride or dilation
  PerAxis dilation = 1;
  std::int64_t groups = 1;
};

/// The adjoint of a convolution with the same weight: w [C, O / groups, kernel..] for x [N, C, spatial..].
/// Sizes: (L - 1) stride - 2 padding + dilation (k - 1) + output_padding + 1.
Tensor conv_transpose1d(const Tensor& x, const Tensor& w, const Tensor& b = {}, const ConvTransposeOptions& options = {});
Tensor conv_transpose2d(const Tensor& x, const Tensor& w, const Tensor& b = {}, const ConvTransposeOptions& options = {});
Tensor conv_transpose3d(const Tensor& x, const Tensor& w, const Tensor& b = {}, const ConvTransposeOptions& options = {});

}  // namespace rill
