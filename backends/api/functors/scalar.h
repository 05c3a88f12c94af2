// The vocabulary for plain numbers.
#pragma once

#include <cmath>
#include <concepts>
#include <initializer_list>
#include <limits>

#ifdef __CUDACC__
#define RILL_FN __host__ __device__ constexpr
#else
#define RILL_FN [[gnu::always_inline]] constexpr inline
#endif

namespace rill::fn {

template <class T> concept Number = std::is_arithmetic_v<T>;
template <class T> concept Real = std::floating_point<T>;
template <class T> concept Whole = std::integral<T>;

template <Number T> RILL_FN T where(bool m, T a, T b) { return m ? a : b; }
RILL_FN bool both(bool a, bool b) { return a && b; }
template <Number T> RILL_FN T zero_like(T) { return T{0}; }

template <Real T> RILL_FN T max(T a, T b) { return a != a ? a : a < b || b != b ? b : a; }  // NaN passes through
template <Real T> RILL_FN T min(T a, T b) { return a != a ? a : b < a || b != b ? b : a; }
template <Whole T> RILL_FN T max(T a, T b) { return a < b ? b : a; }
template <Whole T> RILL_FN T min(T a, T b) { return b < a ? b : a; }
template <Real T> RILL_FN T abs(T x) { return std::fabs(x); }
template <Whole T> RILL_FN T abs(T x) {
  if constexpr (std::is_unsigned_v<T>) return x;
  else return static_cast<T>(x < 0 ? -x : x);
}
template <Number T> RILL_FN T sign(T x) { return static_cast<T>((x > T{0}) - (x < T{0})); }

template <Whole T> RILL_FN T floor(T x) { return x; }
template <Whole T> RILL_FN T ceil(T x) { return x; }
template <Whole T> RILL_FN T rint(T x) { return x; }
template <Whole T> RILL_FN T trunc(T x) { return x; }

using std::acos, std::acosh, std::asin, std::asinh, std::atan, std::atan2, std::atanh, std::ceil, std::copysign, std::cos, std::cosh, std::erf,
    std::erfc, std::exp, std::exp2, std::expm1, std::floor, std::fmod, std::hypot, std::log, std::log10, std::log1p, std::log2, std::pow,
    std::rint, std::sin, std::sinh, std::sqrt, std::tan, std::tanh, std::trunc;

/// Without the global variable in which C's lgamma leaves a sign: threads would write there at the same time.
template <Real T> RILL_FN T lgamma(T x) {
#ifdef __CUDA_ARCH__
  return ::lgamma(x);
#else
  int sign = 0;
  if constexpr (sizeof(T) == sizeof(float)) return ::lgammaf_r(x, &sign);
  else return ::lgamma_r(x, &sign);
#endif
}

/// a b - p without rounding, where p is a b rounded.
template <Real T> RILL_FN T product_error(T a, T b, T p) { return std::fma(a, b, -p); }

// Integer division: the op has refused a zero divisor; the smallest value divided by -1 wraps.
template <Whole T> RILL_FN T truncated_quotient(T a, T b) {
  if (b == T{0}) return T{0};
  if constexpr (std::is_signed_v<T>)
    if (b == T{-1}) return static_cast<T>(-a);
  return static_cast<T>(a / b);
}
template <Whole T> RILL_FN T truncated_remainder(T a, T b) {
  if (b == T{0}) return T{0};
  if constexpr (std::is_signed_v<T>)
    if (b == T{-1}) return T{0};
  return static_cast<T>(a % b);
}
template <Whole T> RILL_FN T floored_remainder(T a, T b) {
  const T r = truncated_remainder(a, b);
  if constexpr (std::is_signed_v<T>)
    if (r != 0 && (r < 0) != (b < 0)) return static_cast<T>(r + b);
  return r;
}
template <Whole T> RILL_FN T floored_quotient(T a, T b) {
  const T q = truncated_quotient(a, b);
  if constexpr (std::is_signed_v<T>)
    if (truncated_remainder(a, b) != 0 && (a < 0) != (b < 0)) return static_cast<T>(q - 1);
  return q;
}
template <Real T> RILL_FN T truncated_quotient(T a, T b) { return std::trunc(a / b); }
template <Real T> RILL_FN T truncated_remainder(T a, T b) { return std::fmod(a, b); }
template <Real T> RILL_FN T floored_remainder(T a, T b) {
  const T r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
template <Real T> RILL_FN T floored_quotient(T a, T b) {  // Python's: exact where a is a multiple of b
  if (b == 0) return a / b;
  T r = std::fmod(a, b), q = (a - r) / b;
  if (r != 0 && (r < 0) != (b < 0)) q -= 1;
  return q == 0 ? std::copysign(T{0}, a / b) : std::rint(q);
}

template <Whole T> RILL_FN T shift_left(T a, T b) {
  if constexpr (std::is_same_v<T, bool>) return a && !b;
  else return b < 0 || b >= static_cast<T>(8 * sizeof(T)) ? T{0} : static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) << b);
}
template <Whole T> RILL_FN T shift_right(T a, T b) {
  if constexpr (std::is_same_v<T, bool>) return a && !b;
  else return b < 0 || b >= static_cast<T>(8 * sizeof(T)) ? static_cast<T>(a < 0 ? -1 : 0) : static_cast<T>(a >> b);
}
template <Whole T> RILL_FN T gcd(T a, T b) {
  while (b != T{0}) {
    const T r = truncated_remainder(a, b);
    a = b, b = r;
  }
  return abs(a);
}

/// The inverse of erf: Winitzki's approximation (2008), then Halley's method in double, which triples the digits with every step.
template <Real T> RILL_FN T erfinv(T x) {
  if (x != x || x < T{-1} || x > T{1}) return std::numeric_limits<T>::quiet_NaN();
  if (x == T{1} || x == T{-1}) return static_cast<T>(x * std::numeric_limits<T>::infinity());
  const double a = std::fabs(static_cast<double>(x)), w = -std::log1p(-a * a) / 0.147, t = 4.33074675078 - 0.0735 * w;
  double y = std::sqrt(w / (std::sqrt(t * t + w) + t));
  for (int i = 0; i < (sizeof(T) == 4 ? 2 : 3); ++i) {
    const double excess = a > 0.5 ? (1 - a) - std::erfc(y) : std::erf(y) - a;  // erfc keeps the digits of 1 - |x|
    const double step = excess * 0.88622692545275801365 * std::exp(y * y);
    y -= step / (1 + y * step);
  }
  return static_cast<T>(std::copysign(y, static_cast<double>(x)));
}

/// d/dx log Gamma(x): reflection below 0, recurrence up to 10, asymptotic series above (Abramowitz and Stegun 6.3.18), and the Taylor series
/// around the positive root, which keeps all digits there.
template <Real T> RILL_FN T digamma(T t) {
  double x = static_cast<double>(t), r = 0;
  if (x == 0) return static_cast<T>(-1 / x);
  if (x < 0) {
    const double f = x - std::rint(x);  // exact, with the digits of a small x
    if (f == 0 || f != f) return std::numeric_limits<T>::quiet_NaN();
#ifdef __CUDA_ARCH__
    r = -3.14159265358979323846 * ::cospi(f) / ::sinpi(f);  // tan would bring the reduction of large arguments, and more registers than there are
#else
    r = -3.14159265358979323846 / std::tan(3.14159265358979323846 * f);
#endif
    x = 1 - x;
  }
  const double d = (x - 1.4616321449683622) - 9.5499954299656977152e-17;
  if (std::fabs(d) < 0.15 && r == 0) {
    double p = -0.00073807093899600513;
    for (double c : {0.00107882520191629658, -0.00157693677143019726, 0.00230512632673492784, -0.00336980165543932808, 0.00492678139572985345,
                     -0.00720453438635686824, 0.0105387916166121754, -0.0154247659049489591, 0.0225976482322181047, -0.0331611264748473593,
                     0.0488042881641431072, -0.0721995612564547109, 0.107824050691262366, -0.163942705442406528, 0.258499760955651011,
                     -0.442763168983592106, 0.96767224544762117}) p = c + p * d;
    return static_cast<T>(p * d);
  }
  int steps = 0;
  for (double y = x; y < 10; ++y) ++steps;
  const double y = x + steps, i = 1 / (y * y);
  double sum = 0;
  while (steps > 0) sum += 1 / (x + --steps);  // small terms first
  const double series = i * (1.0 / 12 - i * (1.0 / 120 - i * (1.0 / 252 - i * (1.0 / 240 - i * (1.0 / 132 - i * (691.0 / 32760 - i * (1.0 / 12)))))));
  return static_cast<T>(r + ((std::log(y) - 0.5 / y - series) - sum));
}

/// The second derivative of log Gamma (Abramowitz and Stegun 6.4.12); infinite at 0, -1, -2, ...
template <Real T> RILL_FN T trigamma(T t) {
  double x = static_cast<double>(t), r = 0, s = 1;
  if (x <= 0) {
    const double d = 3.14159265358979323846 / std::sin(3.14159265358979323846 * (x - std::rint(x)));
    r = d * d, x = 1 - x, s = -1;
  }
  int steps = 0;
  for (double y = x; y < 10; ++y) ++steps;
  const double y = x + steps, i = 1 / (y * y);
  double sum = 1 / y + i / 2 + i / y * (1.0 / 6 - i * (1.0 / 30 - i * (1.0 / 42 - i * (1.0 / 30 - i * (5.0 / 66 - i * (691.0 / 2730 - i * (7.0 / 6 - i * (3617.0 / 510))))))));
  for (; steps > 0; sum += 1 / ((x + steps) * (x + steps))) --steps;  // small terms first
  return static_cast<T>(r + s * sum);
}

}  // namespace rill::fn
