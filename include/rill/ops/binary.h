// Elementwise functions and operators of two and three operands, which broadcast and are promoted as rill/ops/elementwise.h says; that
// header also states the errors.
#pragma once

#include <rill/core/tensor.h>

namespace rill {

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

// ---- three operands ----------------------------------------------------------------------------------------------------------

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

// ---- operators ---------------------------------------------------------------------------------------------------------------

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator+(const Tensor& a, Scalar b) { return add(a, b); }
inline Tensor operator+(Scalar a, const Tensor& b) { return add(b, a); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator-(const Tensor& a, Scalar b) { return sub(a, b); }
Tensor operator-(Scalar a, const Tensor& b);
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator*(const Tensor& a, Scalar b) { return mul(a, b); }
inline Tensor operator*(Scalar a, const Tensor& b) { return mul(b, a); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator/(const Tensor& a, Scalar b) { return div(a, b); }
Tensor operator/(Scalar a, const Tensor& b);
inline Tensor operator%(const Tensor& a, const Tensor& b) { return remainder(a, b); }
inline Tensor operator%(const Tensor& a, Scalar b) { return remainder(a, b); }
inline Tensor operator&(const Tensor& a, const Tensor& b) { return bitwise_and(a, b); }
inline Tensor operator|(const Tensor& a, const Tensor& b) { return bitwise_or(a, b); }
inline Tensor operator^(const Tensor& a, const Tensor& b) { return bitwise_xor(a, b); }
inline Tensor operator~(const Tensor& a) { return bitwise_not(a); }

}  // namespace rill
