// Elementwise functions of one operand. This header includes the other elementwise families: functions and operators of several operands
// (binary.h), activations and comparisons. For all of them: tensors of any shape and strides, operands broadcast, dtypes are promoted as
// the README's "Dtypes" says, functions are differentiable unless noted. A trailing underscore writes the result into the first operand
// (whose shape and kind of dtype must not change) and returns it.
// Errors: ShapeError when shapes do not broadcast, DtypeError for a dtype that the function does not take, DeviceError for
// operands on different devices, GradError for an in-place write to a leaf that requires grad.
#pragma once

#include <optional>

#include <rill/core/tensor.h>
#include <rill/ops/activation.h>
#include <rill/ops/binary.h>
#include <rill/ops/compare.h>

namespace rill {

/// |x|; the derivative at 0 is 0.
Tensor abs(const Tensor& x);
Tensor abs_(const Tensor& x);
/// -x.
Tensor neg(const Tensor& x);
Tensor neg_(const Tensor& x);
inline Tensor operator-(const Tensor& x) { return neg(x); }
/// x * x.
Tensor square(const Tensor& x);
Tensor square_(const Tensor& x);
/// -1, 0 or 1; 0 for NaN.
Tensor sign(const Tensor& x);
Tensor sign_(const Tensor& x);
/// square root; the derivative at 0 is inf.
Tensor sqrt(const Tensor& x);
Tensor sqrt_(const Tensor& x);
/// 1 / sqrt(x).
Tensor rsqrt(const Tensor& x);
Tensor rsqrt_(const Tensor& x);
/// 1 / x.
Tensor reciprocal(const Tensor& x);
Tensor reciprocal_(const Tensor& x);
/// largest integer <= x.
Tensor floor(const Tensor& x);
Tensor floor_(const Tensor& x);
/// smallest integer >= x.
Tensor ceil(const Tensor& x);
Tensor ceil_(const Tensor& x);
/// nearest integer, half to even.
Tensor round(const Tensor& x);
Tensor round_(const Tensor& x);
/// towards zero.
Tensor trunc(const Tensor& x);
Tensor trunc_(const Tensor& x);
/// x - trunc(x).
Tensor frac(const Tensor& x);
Tensor frac_(const Tensor& x);
/// e^x.
Tensor exp(const Tensor& x);
Tensor exp_(const Tensor& x);
/// 2^x.
Tensor exp2(const Tensor& x);
Tensor exp2_(const Tensor& x);
/// e^x - 1, exact near 0.
Tensor expm1(const Tensor& x);
Tensor expm1_(const Tensor& x);
/// natural logarithm.
Tensor log(const Tensor& x);
Tensor log_(const Tensor& x);
/// log(1 + x), exact near 0.
Tensor log1p(const Tensor& x);
Tensor log1p_(const Tensor& x);
/// logarithm to base 2.
Tensor log2(const Tensor& x);
Tensor log2_(const Tensor& x);
/// logarithm to base 10.
Tensor log10(const Tensor& x);
Tensor log10_(const Tensor& x);
/// sine of x in radians.
Tensor sin(const Tensor& x);
Tensor sin_(const Tensor& x);
/// cosine.
Tensor cos(const Tensor& x);
Tensor cos_(const Tensor& x);
/// tangent.
Tensor tan(const Tensor& x);
Tensor tan_(const Tensor& x);
/// inverse sine.
Tensor asin(const Tensor& x);
Tensor asin_(const Tensor& x);
/// inverse cosine.
Tensor acos(const Tensor& x);
Tensor acos_(const Tensor& x);
/// inverse tangent.
Tensor atan(const Tensor& x);
Tensor atan_(const Tensor& x);
/// hyperbolic sine.
Tensor sinh(const Tensor& x);
Tensor sinh_(const Tensor& x);
/// hyperbolic cosine.
Tensor cosh(const Tensor& x);
Tensor cosh_(const Tensor& x);
/// hyperbolic tangent.
Tensor tanh(const Tensor& x);
Tensor tanh_(const Tensor& x);
/// inverse hyperbolic sine.
Tensor asinh(const Tensor& x);
Tensor asinh_(const Tensor& x);
/// inverse hyperbolic cosine.
Tensor acosh(const Tensor& x);
Tensor acosh_(const Tensor& x);
/// inverse hyperbolic tangent.
Tensor atanh(const Tensor& x);
Tensor atanh_(const Tensor& x);
/// error function.
Tensor erf(const Tensor& x);
Tensor erf_(const Tensor& x);
/// 1 - erf(x), exact in the tail.
Tensor erfc(const Tensor& x);
Tensor erfc_(const Tensor& x);
/// inverse of erf on (-1, 1).
Tensor erfinv(const Tensor& x);
Tensor erfinv_(const Tensor& x);
/// log |Gamma(x)|.
Tensor lgamma(const Tensor& x);
Tensor lgamma_(const Tensor& x);
/// derivative of lgamma.
Tensor digamma(const Tensor& x);
Tensor digamma_(const Tensor& x);
/// second derivative of lgamma; has no second derivative here.
Tensor trigamma(const Tensor& x);
Tensor trigamma_(const Tensor& x);

/// x limited to [low, high]; low above high gives high; the derivative at a bound is 1. A missing bound does not limit.
Tensor clamp(const Tensor& x, std::optional<Scalar> low, std::optional<Scalar> high = {});
/// Bounds that broadcast; an undefined one does not limit. At a bound the gradient goes to x.
Tensor clamp(const Tensor& x, const Tensor& low, const Tensor& high);
Tensor clamp_(const Tensor& x, std::optional<Scalar> low, std::optional<Scalar> high = {});
/// NaN becomes `nan`, infinities become the given values (default: the dtype's largest and smallest finite ones).
Tensor nan_to_num(const Tensor& x, double nan = 0, std::optional<double> positive = {}, std::optional<double> negative = {});
Tensor nan_to_num_(const Tensor& x, double nan = 0, std::optional<double> positive = {}, std::optional<double> negative = {});
/// log(x / (1 - x)); with eps, x is first clamped to [eps, 1 - eps].
Tensor logit(const Tensor& x, std::optional<double> eps = {});
/// sin(pi x) / (pi x), 1 at 0, exactly 0 at the other integers.
Tensor sinc(const Tensor& x);
Tensor deg2rad(const Tensor& x);
Tensor rad2deg(const Tensor& x);

}  // namespace rill
