// Elementwise functions and operators. Every function takes tensors of any shape and strides, broadcasts where it has several
// operands, promotes dtypes as the README's "Dtypes" says, and is differentiable unless noted. A trailing underscore writes the
// result into the first operand (whose shape and kind of dtype must not change) and returns it.
// Errors: ShapeError when shapes do not broadcast, DtypeError for a dtype that the function does not take, DeviceError for
// operands on different devices, GradError for an in-place write to a leaf that requires grad.
#pragma once

#include <optional>

#include <rill/core/tensor.h>

namespace rill {

// ---- one operand --------------------------------------------------------------------------------------------------------

/// |x|; the derivative at 0 is 0.
Tensor abs(const Tensor& x);
Tensor abs_(const Tensor& x);
/// -x.
Tensor neg(const Tensor& x);
Tensor neg_(const Tensor& x);
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
const Tensor& nan_to_num_(const Tensor& x, double nan = 0, std::optional<double> positive = {}, std::optional<double> negative = {});
/// log(x / (1 - x)); with eps, x is first clamped to [eps, 1 - eps].
Tensor logit(const Tensor& x, std::optional<double> eps = {});
/// sin(pi x) / (pi x), 1 at 0, exactly 0 at the other integers.
Tensor sinc(const Tensor& x);
Tensor deg2rad(const Tensor& x);
Tensor rad2deg(const Tensor& x);

// ---- activations ----------------------------------------------------------------------------------------------------------

/// max(x, 0); the derivative at 0 is 0, NaN passes through.
Tensor relu(const Tensor& x);
Tensor relu_(const Tensor& x);
/// min(max(x, 0), 6); the derivative at 0 and 6 is 0.
Tensor relu6(const Tensor& x);
Tensor relu6_(const Tensor& x);
/// Klambauer et al. 2017.
Tensor selu(const Tensor& x);
Tensor selu_(const Tensor& x);
/// 1 / (1 + e^-x).
Tensor sigmoid(const Tensor& x);
Tensor sigmoid_(const Tensor& x);
/// log(sigmoid(x)).
Tensor logsigmoid(const Tensor& x);
Tensor logsigmoid_(const Tensor& x);
/// x / (1 + |x|).
Tensor softsign(const Tensor& x);
Tensor softsign_(const Tensor& x);
/// x sigmoid(x), also called swish.
Tensor silu(const Tensor& x);
Tensor silu_(const Tensor& x);
/// x tanh(softplus(x)); Misra 2019.
Tensor mish(const Tensor& x);
Tensor mish_(const Tensor& x);
/// x relu6(x + 3) / 6; Howard et al. 2019.
Tensor hardswish(const Tensor& x);
Tensor hardswish_(const Tensor& x);
/// relu6(x + 3) / 6.
Tensor hardsigmoid(const Tensor& x);
Tensor hardsigmoid_(const Tensor& x);
/// relu(concat(x, -x)) on `axis`, which doubles (TensorFlow's crelu; Shang et al. 2016).
Tensor crelu(const Tensor& x, std::int64_t axis = -1);
/// x above 0, alpha (e^x - 1) below. Clevert et al. 2015.
Tensor elu(const Tensor& x, double alpha = 1);
/// max(0, x) + min(0, alpha (e^(x / alpha) - 1)). Barron 2017.
Tensor celu(const Tensor& x, double alpha = 1);
/// x above 0, slope x below and at 0 (TensorFlow's default slope is 0.2).
Tensor leaky_relu(const Tensor& x, double slope = 0.01);
/// x above 0, weight x below; weight has one element or one per channel (axis 1). He et al. 2015.
Tensor prelu(const Tensor& x, const Tensor& weight);
/// log(1 + e^(beta x)) / beta, linear where beta x > threshold.
Tensor softplus(const Tensor& x, double beta = 1, double threshold = 20);
/// x Phi(x); with `tanh_approximation` the formula of Hendrycks and Gimpel 2016.
struct GeluOptions { bool tanh_approximation = false; };
Tensor gelu(const Tensor& x, GeluOptions options = {});
/// x limited to [low, high]; the derivative at both bounds is 0.
Tensor hardtanh(const Tensor& x, double low = -1, double high = 1);
Tensor softshrink(const Tensor& x, double lambda = 0.5);
Tensor hardshrink(const Tensor& x, double lambda = 0.5);
Tensor tanhshrink(const Tensor& x);
/// x where x > threshold, otherwise `value`.
Tensor threshold(const Tensor& x, double threshold, double value);
/// First half of `axis` times sigmoid of the second half. Dauphin et al. 2016.
Tensor glu(const Tensor& x, std::int64_t axis = -1);

// ---- two operands -----------------------------------------------------------------------------------------------------------

/// a + b, or a + alpha b; bool + bool is "or".
Tensor add(const Tensor& a, const Tensor& b);
Tensor add(const Tensor& a, const Tensor& b, Scalar alpha);
Tensor add(const Tensor& a, Scalar b);
/// a - b, or a - alpha b; not defined for two bool operands.
Tensor sub(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b, Scalar alpha);
Tensor sub(const Tensor& a, Scalar b);
Tensor mul(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, Scalar b);
/// a / b; integers are promoted to the default floating dtype first.
Tensor div(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, Scalar b);
/// Rounded towards minus infinity, as Python's //. ValueError for an integer divisor that holds 0.
Tensor floor_divide(const Tensor& a, const Tensor& b);
Tensor floor_divide(const Tensor& a, Scalar b);
const Tensor& floor_divide_(const Tensor& a, const Tensor& b);
/// Rounded towards zero. ValueError for an integer divisor that holds 0.
Tensor trunc_divide(const Tensor& a, const Tensor& b);
/// Has the sign of the divisor, as Python's %.
Tensor remainder(const Tensor& a, const Tensor& b);
Tensor remainder(const Tensor& a, Scalar b);
const Tensor& remainder_(const Tensor& a, const Tensor& b);
/// Has the sign of the dividend, as C's fmod.
Tensor fmod(const Tensor& a, const Tensor& b);
Tensor fmod(const Tensor& a, Scalar b);
const Tensor& fmod_(const Tensor& a, const Tensor& b);
/// a^b. Integers take an integer number b that is not negative; other powers of integers need a floating dtype.
Tensor pow(const Tensor& a, const Tensor& b);
Tensor pow(const Tensor& a, Scalar b);
Tensor pow(Scalar a, const Tensor& b);
const Tensor& pow_(const Tensor& a, const Tensor& b);
const Tensor& pow_(const Tensor& a, Scalar b);
/// a^b computed in float64, whatever the dtypes; the result is float64.
Tensor float_power(const Tensor& a, const Tensor& b);
/// a 2^b.
Tensor ldexp(const Tensor& a, const Tensor& b);
/// Larger of the two; NaN passes through; a tie halves the gradient.
Tensor maximum(const Tensor& a, const Tensor& b);
Tensor minimum(const Tensor& a, const Tensor& b);
/// Larger of the two; a NaN is ignored when the other is a number; a tie halves the gradient.
Tensor fmax(const Tensor& a, const Tensor& b);
Tensor fmin(const Tensor& a, const Tensor& b);
/// Angle of the point (b, a) in (-pi, pi].
Tensor atan2(const Tensor& a, const Tensor& b);
Tensor hypot(const Tensor& a, const Tensor& b);
Tensor copysign(const Tensor& a, const Tensor& b);
/// log(e^a + e^b) without overflow.
Tensor logaddexp(const Tensor& a, const Tensor& b);
/// log2(2^a + 2^b) without overflow.
Tensor logaddexp2(const Tensor& a, const Tensor& b);
/// a log(b), 0 where a is 0 (and b is not NaN).
Tensor xlogy(const Tensor& a, const Tensor& b);
/// 0 below zero, `value` at zero, 1 above; NaN passes through.
Tensor heaviside(const Tensor& x, const Tensor& value);
Tensor bitwise_and(const Tensor& a, const Tensor& b);
Tensor bitwise_or(const Tensor& a, const Tensor& b);
Tensor bitwise_xor(const Tensor& a, const Tensor& b);
Tensor bitwise_not(const Tensor& x);
Tensor bitwise_left_shift(const Tensor& a, const Tensor& b);
Tensor bitwise_right_shift(const Tensor& a, const Tensor& b);
Tensor gcd(const Tensor& a, const Tensor& b);
Tensor lcm(const Tensor& a, const Tensor& b);

// ---- three operands -----------------------------------------------------------------------------------------------------------

/// a where `condition` (bool), else b.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
Tensor where(const Tensor& condition, const Tensor& a, Scalar b);
Tensor where(const Tensor& condition, Scalar a, const Tensor& b);
/// a + weight (b - a).
Tensor lerp(const Tensor& a, const Tensor& b, const Tensor& weight);
Tensor lerp(const Tensor& a, const Tensor& b, double weight);
const Tensor& lerp_(const Tensor& a, const Tensor& b, const Tensor& weight);
const Tensor& lerp_(const Tensor& a, const Tensor& b, double weight);
/// a + value b c.
Tensor addcmul(const Tensor& a, const Tensor& b, const Tensor& c, double value = 1);
const Tensor& addcmul_(const Tensor& a, const Tensor& b, const Tensor& c, double value = 1);
/// a + value b / c.
Tensor addcdiv(const Tensor& a, const Tensor& b, const Tensor& c, double value = 1);
const Tensor& addcdiv_(const Tensor& a, const Tensor& b, const Tensor& c, double value = 1);

// ---- comparisons and logic: the result is bool, without a gradient ---------------------------------------------------------------

Tensor eq(const Tensor& a, const Tensor& b);
Tensor ne(const Tensor& a, const Tensor& b);
Tensor lt(const Tensor& a, const Tensor& b);
Tensor le(const Tensor& a, const Tensor& b);
Tensor gt(const Tensor& a, const Tensor& b);
Tensor ge(const Tensor& a, const Tensor& b);
Tensor eq(const Tensor& a, Scalar b);
Tensor ne(const Tensor& a, Scalar b);
Tensor lt(const Tensor& a, Scalar b);
Tensor le(const Tensor& a, Scalar b);
Tensor gt(const Tensor& a, Scalar b);
Tensor ge(const Tensor& a, Scalar b);
/// Operands of any dtype count as true where they are not zero.
Tensor logical_and(const Tensor& a, const Tensor& b);
Tensor logical_or(const Tensor& a, const Tensor& b);
Tensor logical_xor(const Tensor& a, const Tensor& b);
Tensor logical_not(const Tensor& x);
Tensor isnan(const Tensor& x);
Tensor isinf(const Tensor& x);
Tensor isfinite(const Tensor& x);
/// |a - b| <= atol + rtol |b|, elementwise.
struct Closeness { double rtol = 1e-5, atol = 1e-8; bool equal_nan = false; };
Tensor isclose(const Tensor& a, const Tensor& b, Closeness options = {});

// ---- operators ---------------------------------------------------------------------------------------------------------------

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator+(const Tensor& a, Scalar b) { return add(a, b); }
inline Tensor operator+(Scalar a, const Tensor& b) { return add(b, a); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator-(const Tensor& a, Scalar b) { return sub(a, b); }
Tensor operator-(Scalar a, const Tensor& b);
inline Tensor operator-(const Tensor& a) { return neg(a); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator*(const Tensor& a, Scalar b) { return mul(a, b); }
inline Tensor operator*(Scalar a, const Tensor& b) { return mul(b, a); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator/(const Tensor& a, Scalar b) { return div(a, b); }
Tensor operator/(Scalar a, const Tensor& b);
inline Tensor operator%(const Tensor& a, const Tensor& b) { return remainder(a, b); }
inline Tensor operator%(const Tensor& a, Scalar b) { return remainder(a, b); }
inline Tensor operator==(const Tensor& a, const Tensor& b) { return eq(a, b); }
inline Tensor operator==(const Tensor& a, Scalar b) { return eq(a, b); }
inline Tensor operator!=(const Tensor& a, const Tensor& b) { return ne(a, b); }
inline Tensor operator!=(const Tensor& a, Scalar b) { return ne(a, b); }
inline Tensor operator<(const Tensor& a, const Tensor& b) { return lt(a, b); }
inline Tensor operator<(const Tensor& a, Scalar b) { return lt(a, b); }
inline Tensor operator<=(const Tensor& a, const Tensor& b) { return le(a, b); }
inline Tensor operator<=(const Tensor& a, Scalar b) { return le(a, b); }
inline Tensor operator>(const Tensor& a, const Tensor& b) { return gt(a, b); }
inline Tensor operator>(const Tensor& a, Scalar b) { return gt(a, b); }
inline Tensor operator>=(const Tensor& a, const Tensor& b) { return ge(a, b); }
inline Tensor operator>=(const Tensor& a, Scalar b) { return ge(a, b); }
inline Tensor operator&(const Tensor& a, const Tensor& b) { return bitwise_and(a, b); }
inline Tensor operator|(const Tensor& a, const Tensor& b) { return bitwise_or(a, b); }
inline Tensor operator^(const Tensor& a, const Tensor& b) { return bitwise_xor(a, b); }
inline Tensor operator~(const Tensor& a) { return bitwise_not(a); }
inline Tensor operator!(const Tensor& a) { return logical_not(a); }

}  // namespace rill
