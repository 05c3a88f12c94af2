// From random words to distributions: Note [Random mathematics] in kernels/random.h. Written for one lane; the loops around them
// are vectorised by the compiler (CPU) or run by one thread each (CUDA, compiled without contraction: -fmad=false).
#pragma once

#include "backends/api/functors/scalar.h"
#include "lib/core/philox.h"

namespace rill::fn {

// ---- float: one 32-bit word per number -------------------------------------------------------------------------------------------

/// The upper `digits` bits of a word as a multiple of 2^-digits in [0, 1).
template <int digits> RILL_FN float uniform_of(std::uint32_t w) {
  return static_cast<float>(static_cast<std::int32_t>(w >> (32 - digits))) * (1.0f / static_cast<float>(1 << digits));
}
/// In (0, 1]: down to 2^-32, so that tails reach 6.6 standard deviations.
RILL_FN float positive_uniform_of(std::uint32_t w) { return (static_cast<float>(static_cast<std::int32_t>(w >> 1)) + 0.5f) * 0x1p-31f; }

/// log(x) for normal positive x: x = 2^k m, m in [sqrt(1/2), sqrt(2)); log m = 2 artanh((m - 1) / (m + 1)) by its Taylor series.
RILL_FN float log_of(float x) {
  const std::int32_t bits = __builtin_bit_cast(std::int32_t, x), k = (bits - 0x3f3504f3) >> 23;
  const float m = __builtin_bit_cast(float, bits - k * (1 << 23)), e = static_cast<float>(k);
  const float f = m - 1.0f, s = f / (2.0f + f), z = s * s;
  const float tail = s * z * (2.0f / 3 + z * (2.0f / 5 + z * (2.0f / 7 + z * (2.0f / 9))));
  return e * 0.693145751953125f + (2.0f * s + (tail + e * 1.42860682030941723e-6f));  // log 2 in two parts, the first exact with e
}

/// cos and sin of 2 pi w / 2^32. The nearest quarter turn is split off in integers, so the reduction is exact; |t| <= pi / 4.
RILL_FN void turn(std::uint32_t w, float& c, float& s) {
  const std::uint32_t quarter = (w + 0x20000000u) >> 30;
  const std::int32_t rest = static_cast<std::int32_t>(w - (quarter << 30));
  const float t = static_cast<float>(rest) * 1.46291807926715968105133780430979e-9f;  // pi / 2^31
  const float z = t * t;
  const float sine = t + t * z * (-1.0f / 6 + z * (1.0f / 120 + z * (-1.0f / 5040 + z * (1.0f / 362880))));
  const float cosine = 1.0f - z * (0.5f - z * (1.0f / 24 - z * (1.0f / 720 - z * (1.0f / 40320 - z * (1.0f / 3628800)))));
  const float a = quarter & 1 ? sine : cosine, b = quarter & 1 ? cosine : sine;
  c = (quarter + 1) & 2 ? -a : a;
  s = quarter & 2 ? -b : b;
}

// ---- double: two words per number ------------------------------------------------------------------------------------------------

/// 53 bits as an integer-valued double, exact; the signed conversion is one instruction everywhere.
RILL_FN double bits53(std::uint32_t low, std::uint32_t high) {
  const double h = static_cast<double>(static_cast<std::int32_t>(high ^ 0x80000000u)) + 2147483648.0;
  return h * 2097152.0 + static_cast<double>(static_cast<std::int32_t>(low >> 11));
}
RILL_FN double uniform_of(std::uint32_t low, std::uint32_t high) { return bits53(low, high) * 0x1p-53; }
RILL_FN double positive_uniform_of(std::uint32_t low, std::uint32_t high) { return (bits53(low, high) + 0.5) * 0x1p-53; }

RILL_FN double log_of(double x) {
  const std::int64_t bits = __builtin_bit_cast(std::int64_t, x);
  const std::int32_t high = static_cast<std::int32_t>(bits >> 32), k = (high - 0x3fe6a09e) >> 20;
  const double m = __builtin_bit_cast(double, bits - static_cast<std::int64_t>(k) * (std::int64_t{1} << 52)), e = static_cast<double>(k);
  const double f = m - 1.0, s = f / (2.0 + f), z = s * s;
  double tail = 2.0 / 23;
  tail = 2.0 / 21 + z * tail, tail = 2.0 / 19 + z * tail, tail = 2.0 / 17 + z * tail, tail = 2.0 / 15 + z * tail, tail = 2.0 / 13 + z * tail;
  tail = 2.0 / 11 + z * tail, tail = 2.0 / 9 + z * tail, tail = 2.0 / 7 + z * tail, tail = 2.0 / 5 + z * tail, tail = 2.0 / 3 + z * tail;
  return e * 0x1.62e42fefap-1 + (2.0 * s + (s * z * tail + e * 0x1.cf79abc9e3b3ap-40));
}

/// sqrt(-2 log u): the radius of a Box-Muller pair.
template <Real T> RILL_FN T radius_of(T u) { return std::sqrt(T{-2} * log_of(u)); }

RILL_FN void turn(std::uint32_t low, std::uint32_t high, double& c, double& s) {
  const std::uint32_t quarter = (high + 0x20000000u) >> 30;
  const std::int32_t rest = static_cast<std::int32_t>(high - (quarter << 30));
  const double fraction = static_cast<double>(static_cast<std::int32_t>(low >> 1)) * 0x1p-31;
  const double t = (static_cast<double>(rest) + fraction) * 1.46291807926715968105133780430979e-9;
  const double z = t * t;
  double a = 1.0 / 355687428096000, b = 1.0 / 20922789888000;
  a = -1.0 / 1307674368000 + z * a, a = 1.0 / 6227020800 + z * a, a = -1.0 / 39916800 + z * a, a = 1.0 / 362880 + z * a;
  a = -1.0 / 5040 + z * a, a = 1.0 / 120 + z * a, a = -1.0 / 6 + z * a;
  b = -1.0 / 87178291200 + z * b, b = 1.0 / 479001600 + z * b, b = -1.0 / 3628800 + z * b, b = 1.0 / 40320 + z * b;
  b = -1.0 / 720 + z * b, b = 1.0 / 24 + z * b, b = -0.5 + z * b;
  const double sine = t + t * z * a, cosine = 1.0 + z * b;
  const double p = quarter & 1 ? sine : cosine, q = quarter & 1 ? cosine : sine;
  c = (quarter + 1) & 2 ? -p : p;
  s = quarter & 2 ? -q : q;
}

/// In (0, 1]: 64-bit number i of a call.
RILL_FN double open_uniform(const Draw& draw, std::int64_t i) {
  const std::uint64_t r = philox_random64(draw, static_cast<std::uint64_t>(i));
  return positive_uniform_of(static_cast<std::uint32_t>(r), static_cast<std::uint32_t>(r >> 32));
}

// ---- Poisson -----------------------------------------------------------------------------------------------------------------------

/// The numbers of one element: pairs of doubles in (0, 1], from the blocks element + 2^40 attempt.
class Attempts {
 public:
  RILL_FN Attempts(const Draw& draw, std::int64_t element) : draw_(resolved(draw)), element_(static_cast<std::uint64_t>(element)) {}  // below 2^40
  RILL_FN double next() {
    if (at_ == 0) block_ = philox_block(draw_.seed, element_ | attempt_++ << 40, draw_.call);
    const double u = positive_uniform_of(block_.w[2 * at_], block_.w[2 * at_ + 1]);
    at_ ^= 1;
    return u;
  }

 private:
  Draw draw_;
  std::uint64_t element_, attempt_ = 0;
  PhiloxBlock block_{};
  int at_ = 0;
};

/// log(k!) for a whole k >= 0: the product itself, or Stirling's series, whose next term is below 1e-12.
RILL_FN double log_factorial(double k) {
  if (k < 10) {
    double product = 1;
    for (double i = 2; i <= k; ++i) product *= i;
    return log_of(product);
  }
  const double r = 1 / k, z = r * r;
  return (k + 0.5) * log_of(k) - k + 0.91893853320467274178 + r * (1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z * (1.0 / 1680))));  // log(2 pi) / 2
}

RILL_FN double poisson_of(double rate, Attempts numbers) {
  if (rate == 0) return 0;
  if (rate < 10) {  // Knuth: count exponentials until they pass the rate
    double sum = -log_of(numbers.next()), k = 0;
    while (sum < rate) sum -= log_of(numbers.next()), ++k;
    return k;
  }
  // W. Hoermann, "The transformed rejection method for generating Poisson random variables" (1993), algorithm PTRS
  const double root = std::sqrt(rate), log_rate = log_of(rate), b = 0.931 + 2.53 * root, a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), quick = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double u = numbers.next() - 0.5, v = numbers.next(), us = 0.5 - std::fabs(u);
    const double k = std::floor((2 * a / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= quick) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (log_of(v) + log_of(inverse_alpha) - log_of(a / (us * us) + b) <= -rate + k * log_rate - log_factorial(k)) return k;
  }
}

}  // namespace rill::fn
