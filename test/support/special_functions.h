// Functions that the standard library lacks, in long double: references for tests.
#pragma once

#include <cmath>
#include <limits>

namespace rill {

using Wide = long double;
inline constexpr Wide kPi = 3.141592653589793238462643383279502884L, kWideInf = std::numeric_limits<Wide>::infinity();

/// Newton's method on erf(y) = x, or on erfc in the tails, from Winitzki's approximation.
inline Wide erfinv_of(Wide x) {
  if (!(std::fabs(x) < 1)) return std::fabs(x) == 1 ? x * kWideInf : std::numeric_limits<Wide>::quiet_NaN();
  const Wide a = std::fabs(x), l = std::log1p(-a * a), t = 2 / (kPi * 0.147L) + l / 2;
  Wide y = std::sqrt(std::sqrt(t * t - l / 0.147L) - t);
  for (int i = 0; i < 5 && y > 0; ++i) {
    const Wide excess = a > 0.5L ? (1 - a) - std::erfc(y) : std::erf(y) - a;
    y -= excess * (std::sqrt(kPi) / 2) * std::exp(y * y);
  }
  return std::copysign(a < 1e-9L ? a * std::sqrt(kPi) / 2 : y, x);
}

/// Derivatives of log Gamma: reflection below 0, recurrence up to 30, asymptotic series (Abramowitz and Stegun 6.3.18, 6.4.12).
inline Wide digamma_of(Wide x) {
  Wide r = 0;
  if (x == 0) return std::copysign(kWideInf, -x);
  if (x < 0) {
    const Wide f = x - std::rint(x);
    return f == 0 || std::isinf(x) ? std::numeric_limits<Wide>::quiet_NaN() : digamma_of(1 - x) - kPi / std::tan(kPi * f);
  }
  for (; x < 30; ++x) r -= 1 / x;
  const Wide i = 1 / (x * x);
  return r + std::log(x) - 1 / (2 * x) - i * (1 / 12.0L - i * (1 / 120.0L - i * (1 / 252.0L - i * (1 / 240.0L - i * (1 / 132.0L - i * 691 / 32760.0L)))));
}
inline Wide trigamma_of(Wide x) {
  Wide r = 0;
  if (x <= 0) {
    const Wide f = x - std::rint(x), s = kPi / std::sin(kPi * f);
    return f == 0 ? kWideInf : s * s - trigamma_of(1 - x);
  }
  for (; x < 30; ++x) r += 1 / (x * x);
  const Wide i = 1 / (x * x);
  return r + 1 / x + i / 2 + i / x * (1 / 6.0L - i * (1 / 30.0L - i * (1 / 42.0L - i * (1 / 30.0L - i * (5 / 66.0L - i * 691 / 2730.0L)))));
}

/// sin(pi x) / (pi x); the whole turns are taken off without rounding.
inline Wide sinc_of(Wide x) {
  const Wide n = std::rint(x), s = std::sin(kPi * (x - n));
  return x == 0 ? 1 : (std::fmod(n, 2) == 0 ? s : -s) / (kPi * x);
}
/// log(x / (1 - x)), with the digits of x - 1/2 near it.
inline Wide logit_of(Wide x) { return std::fabs(x - 0.5L) < 0.25L ? std::log1p((2 * x - 1) / (1 - x)) : std::log(x / (1 - x)); }

}  // namespace rill
