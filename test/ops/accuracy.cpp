// Accuracy of elementwise functions in units of the last place (ulp): float32 and float64 over all bit patterns and densely where the
// function bends, float16 and bfloat16 at every one of their 65,536 values. References in long double.
#include "test/support/catch.h"

#include <bit>
#include <cstdint>
#include <iomanip>
#include <vector>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>

#include "test/support/special_functions.h"

using namespace rill;

namespace {

struct Format {
  Dtype dtype;
  int digits, lowest;  // bits of the significand, exponent of the smallest normal number
  double largest;
};
const Format kFloat16{float16, 11, -14, 65504}, kBfloat16{bfloat16, 8, -126, 3.3895313892515355e38}, kFloat32{float32, 24, -126, 3.4028234663852886e38},
    kFloat64{float64, 53, -1022, 1.7976931348623157e308};

/// The distance of neighbouring numbers around r.
Wide ulp(Wide r, const Format& f) { return std::ldexp(Wide(1), std::max(r == 0 ? f.lowest : std::ilogb(r), f.lowest) - (f.digits - 1)); }
/// Correctly rounded.
Wide rounded(Wide r, const Format& f) {
  if (!std::isfinite(r) || r == 0) return r;
  const Wide q = ulp(r, f), y = std::rint(r / q) * q;
  return std::fabs(y) > f.largest ? std::copysign(kWideInf, r) : y;
}

/// What a class of functions may be off by: ulps of the result, or of the size of the terms that cancel near a root.
struct Bound {
  double ulps;
  Wide (*terms)(Wide) = [](Wide) -> Wide { return 0; };
};
constexpr Bound kExact{0.5}, kUnary{4}, kComposite{8};

struct Function {
  const char* name;
  Tensor (*run)(const Tensor&);
  Wide (*reference)(Wide);
  Bound bound;
  double from, to;          // where it bends
  bool signed_zero = true;  // a result of 0 has the sign of the exact one
};

/// By how many bounds y misses r; at most 1 is right.
double miss(double y, Wide r, double ulps, Wide terms, bool signed_zero, const Format& f) {
  const Format& computed = f.dtype == float64 ? kFloat64 : kFloat32;
  if (std::isnan(r) || std::isnan(y)) return std::isnan(r) && std::isnan(y) ? 0 : 1e9;
  if (y == 0 && r == 0) return signed_zero && std::signbit(y) != std::signbit(r) ? 1e8 : 0;
  const Wide room = ulps * std::max(ulp(r, computed), terms * std::ldexp(Wide(1), 1 - computed.digits));
  if (f.dtype != computed.dtype) {  // rounded once from a number within the room
    const Wide low = rounded(r - room, f), high = rounded(r + room, f);
    return y >= low && y <= high ? 0 : 1 + static_cast<double>(std::min(std::fabs(y - low), std::fabs(y - high)) / ulp(r, f));
  }
  if (std::isinf(y) || std::isinf(r)) return Wide(y) == r || ((y > 0) == (r > 0) && std::fabs(r) + room >= f.largest) ? 0 : 1e9;
  if (y == 0 && signed_zero && std::signbit(y) != std::signbit(r)) return 1e8;
  return static_cast<double>(std::fabs(y - r) / room);
}

void check_at(const Function& op, const std::vector<double>& points, const Format& f) {
  const Tensor in = tensor(points, {.dtype = float64}).to(f.dtype);
  const auto x = in.to_vector<double>(), y = op.run(in).to_vector<double>();
  double worst = 0;
  std::size_t at = 0, bad = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Wide exact = op.reference(x[i]), terms = op.bound.terms(x[i]);
    const double m = miss(y[i], exact, op.bound.ulps, terms, op.signed_zero, f);
    bad += m > 1;
    if (m > worst) worst = m, at = i;
  }
  INFO(op.name << " of " << to_string(f.dtype) << ": " << bad << " of " << x.size() << " outside the bound; worst at " << std::setprecision(17) << x[at] << ": " << y[at] << ", exactly "
               << op.reference(x[at]) << ", " << worst * op.bound.ulps << " ulp");
  CHECK(bad == 0);
}

struct Function2 {
  const char* name;
  Tensor (*run)(const Tensor&, const Tensor&);
  Wide (*reference)(Wide, Wide);
  double ulps;
  double from, to;  // of both operands
  Wide (*terms)(Wide, Wide) = [](Wide, Wide) -> Wide { return 0; };
};
void check_at(const Function2& op, const std::vector<double>& first, const std::vector<double>& second, const Format& f) {
  const Tensor a = tensor(first, {.dtype = float64}).to(f.dtype), b = tensor(second, {.dtype = float64}).to(f.dtype);
  const auto x = a.to_vector<double>(), z = b.to_vector<double>(), y = op.run(a, b).to_vector<double>();
  std::size_t at = 0, bad = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (miss(y[i], op.reference(x[i], z[i]), op.ulps, op.terms(x[i], z[i]), false, f) > 1) ++bad, at = i;
  INFO(op.name << " of " << to_string(f.dtype) << ": " << bad << " of " << x.size() << " outside the bound, as at " << std::setprecision(17) << x[at] << ", " << z[at] << ": " << y[at]
               << ", exactly " << op.reference(x[at], z[at]));
  CHECK(bad == 0);
}

constexpr std::int64_t kSamples = 20000;

/// Uniform in bit patterns, over all of them.
template <class Bits, class Float> std::vector<double> patterns(std::int64_t seed = 0) {
  const Bits step = static_cast<Bits>(0x9e3779b97f4a7c15ull >> (64 - 8 * sizeof(Bits))) | 1;  // the golden ratio: evenly spread
  std::vector<double> points;
  for (std::int64_t i = 0; i < kSamples; ++i) points.push_back(static_cast<double>(std::bit_cast<Float>(static_cast<Bits>(step * static_cast<Bits>(i + seed * i * i)))));
  return points;
}
std::vector<double> between(double from, double to) {
  std::vector<double> points;
  for (std::int64_t i = 0; i < kSamples; ++i) points.push_back(from + (to - from) * (static_cast<double>(i) + 0.381966) / kSamples);
  return points;
}
const std::vector<double>& every(Dtype d) {
  static const auto make = [](Dtype dtype) {
    std::vector<double> points;
    for (unsigned b = 0; b < 0x10000; ++b) {
      const auto bits = static_cast<std::uint16_t>(b);
      points.push_back(dtype == float16 ? static_cast<float>(std::bit_cast<Half>(bits)) : static_cast<float>(std::bit_cast<BFloat16>(bits)));
    }
    return points;
  };
  static const auto halfs = make(float16), brains = make(bfloat16);
  return d == float16 ? halfs : brains;
}

Wide sigmoid_of(Wide x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }
Wide mish_of(Wide x) {
  const Wide e = std::exp(-std::fabs(x));
  return x < 0 ? x * (e * (e + 2)) / (e * (e + 2) + 2) : x * (1 + 2 * e) / (1 + 2 * e + 2 * e * e);
}
Wide normal_cdf(Wide x) { return std::erfc(-x / std::sqrt(Wide(2))) / 2; }
/// The reflection formula cancels near the roots left of 0, log and recurrence right of it, but not next to the root there.
Wide digamma_terms(Wide x) { return x < 0 ? std::fabs(digamma_of(1 - x)) + 3 + std::fabs(kPi / std::tan(kPi * (x - std::rint(x)))) : x > 1.32L && x < 1.61L ? Wide(0) : Wide(2); }
/// The reflection formula squares, which doubles its roundings.
Wide trigamma_terms(Wide x) { return x < 0 ? 2 * trigamma_of(x) : Wide(0); }
Wide nan_or(Wide x, Wide y) { return std::isnan(x) ? x : y; }

#define RILL_OP(op) #op, [](const Tensor& x) { return rill::op(x); }
#define RILL_OP2(op) #op, [](const Tensor& a, const Tensor& b) { return rill::op(a, b); }
#define RILL_STD(op) #op, [](const Tensor& x) { return rill::op(x); }, [](Wide x) -> Wide { return std::op(x); }

const std::vector<Function> kFunctions = {
    {RILL_OP(abs), [](Wide x) { return std::fabs(x); }, kExact, -2, 2},
    {RILL_OP(neg), [](Wide x) { return -x; }, kExact, -2, 2},
    {RILL_OP(square), [](Wide x) { return x * x; }, kExact, -2, 2},
    {RILL_OP(sign), [](Wide x) { return x > 0 ? 1 : x < 0 ? -1 : Wide(0); }, kExact, -2, 2, false},
    {RILL_STD(sqrt), kExact, 0, 4},
    {RILL_OP(rsqrt), [](Wide x) { return 1 / std::sqrt(x); }, kUnary, 0, 4},
    {RILL_OP(reciprocal), [](Wide x) { return 1 / x; }, kExact, -4, 4},
    {RILL_STD(floor), kExact, -4, 4}, {RILL_STD(ceil), kExact, -4, 4}, {RILL_OP(round), [](Wide x) { return std::rint(x); }, kExact, -4, 4}, {RILL_STD(trunc), kExact, -4, 4},
    {RILL_OP(frac), [](Wide x) { return x - std::trunc(x); }, kExact, -4, 4, false},
    {RILL_STD(exp), kUnary, -110, 100}, {RILL_STD(exp2), kUnary, -160, 140}, {RILL_STD(expm1), kUnary, -20, 20},
    {RILL_STD(log), kUnary, 0.5, 2}, {RILL_STD(log1p), kUnary, -1, 2}, {RILL_STD(log2), kUnary, 0.5, 2}, {RILL_STD(log10), kUnary, 0.5, 2},
    {RILL_STD(sin), kUnary, -30, 30}, {RILL_STD(cos), kUnary, -30, 30}, {RILL_STD(tan), kUnary, -30, 30},
    {RILL_STD(asin), kUnary, -1, 1}, {RILL_STD(acos), kUnary, -1, 1}, {RILL_STD(atan), kUnary, -4, 4},
    {RILL_STD(sinh), kUnary, -20, 20}, {RILL_STD(cosh), kUnary, -20, 20}, {RILL_STD(tanh), kUnary, -10, 10},
    {RILL_STD(asinh), kUnary, -4, 4}, {RILL_STD(acosh), kUnary, 1, 4}, {RILL_STD(atanh), kUnary, -1, 1},
    {RILL_STD(erf), kUnary, -5, 5}, {RILL_STD(erfc), kUnary, -5, 11}, {RILL_OP(erfinv), erfinv_of, kUnary, -1, 1},
    {RILL_STD(lgamma), kUnary, 0, 10},
    {RILL_OP(digamma), digamma_of, {4, digamma_terms}, -5, 10},
    {RILL_OP(trigamma), trigamma_of, {4, trigamma_terms}, -5, 10},
    {RILL_OP(sinc), sinc_of, kComposite, -5, 5, false},
    {RILL_OP(logit), logit_of, kComposite, 0, 1},
    {RILL_OP(deg2rad), [](Wide x) { return x * (kPi / 180); }, kUnary, -400, 400},
    {RILL_OP(rad2deg), [](Wide x) { return x * (180 / kPi); }, kUnary, -7, 7},
    {RILL_OP(relu), [](Wide x) { return nan_or(x, x > 0 ? x : 0); }, kExact, -2, 2, false},
    {RILL_OP(relu6), [](Wide x) { return nan_or(x, std::min(std::max(x, Wide(0)), Wide(6))); }, kExact, -7, 7, false},
    {RILL_OP(elu), [](Wide x) { return x > 0 ? x : std::expm1(x); }, kUnary, -20, 2},
    {RILL_OP(celu), [](Wide x) { return x > 0 ? x : std::expm1(x); }, kUnary, -20, 2},
    {RILL_OP(selu), [](Wide x) { return 1.0507009873554804934193349852946L * (x > 0 ? x : 1.6732632423543772848170429916717L * std::expm1(x)); }, kUnary, -20, 2},
    {RILL_OP(leaky_relu), [](Wide x) { return x > 0 ? x : x * 0.01L; }, kUnary, -2, 2},
    {RILL_OP(sigmoid), sigmoid_of, kComposite, -110, 40},
    {RILL_OP(logsigmoid), [](Wide x) { return x < 0 ? x - std::log1p(std::exp(x)) : -std::log1p(std::exp(-x)); }, kComposite, -40, 110, false},
    {RILL_OP(softplus), [](Wide x) { return x > 20 ? x : x < 0 ? std::log1p(std::exp(x)) : x + std::log1p(std::exp(-x)); }, kComposite, -110, 25},
    {RILL_OP(softsign), [](Wide x) { return std::isinf(x) ? std::numeric_limits<Wide>::quiet_NaN() : x / (1 + std::fabs(x)); }, kComposite, -4, 4},
    {RILL_OP(silu), [](Wide x) { return x == -kWideInf ? std::numeric_limits<Wide>::quiet_NaN() : x * sigmoid_of(x); }, kComposite, -110, 40},
    {RILL_OP(mish), [](Wide x) { return x == -kWideInf ? std::numeric_limits<Wide>::quiet_NaN() : mish_of(x); }, kComposite, -110, 40},
    {RILL_OP(gelu), [](Wide x) { return x == -kWideInf ? std::numeric_limits<Wide>::quiet_NaN() : x * normal_cdf(x); }, kComposite, -15, 8},
    {"gelu with tanh", [](const Tensor& x) { return gelu(x, {.tanh_approximation = true}); },
     [](Wide x) { return x == -kWideInf ? std::numeric_limits<Wide>::quiet_NaN() : x * sigmoid_of(2 * std::sqrt(2 / kPi) * (x + 0.044715L * x * x * x)); }, kComposite, -15, 8},
    {RILL_OP(hardswish), [](Wide x) { return x == -kWideInf ? std::numeric_limits<Wide>::quiet_NaN() : nan_or(x, x * std::min(std::max(x + 3, Wide(0)), Wide(6)) / 6); }, kComposite, -4, 4},
    {RILL_OP(hardsigmoid), [](Wide x) { return nan_or(x, std::min(std::max(x + 3, Wide(0)), Wide(6)) / 6); }, kComposite, -4, 4},
    {RILL_OP(hardtanh), [](Wide x) { return nan_or(x, std::min(std::max(x, Wide(-1)), Wide(1))); }, kExact, -2, 2},
    {RILL_OP(softshrink), [](Wide x) { return x > 0.5L ? x - 0.5L : x < -0.5L ? x + 0.5L : nan_or(x, 0); }, kExact, -2, 2},
    {RILL_OP(hardshrink), [](Wide x) { return x > 0.5L || x < -0.5L ? x : nan_or(x, 0); }, kExact, -2, 2},
    {RILL_OP(tanhshrink), [](Wide x) { return x - std::tanh(x); }, {8, [](Wide x) { return std::fabs(x) / 8; }}, -4, 4, false},
    {"threshold", [](const Tensor& x) { return threshold(x, 0.25, -7); }, [](Wide x) { return x <= 0.25L ? -7 : x; }, kExact, -2, 2},
    {"clamp", [](const Tensor& x) { return clamp(x, -0.5, 2); }, [](Wide x) { return nan_or(x, std::min(std::max(x, Wide(-0.5L)), Wide(2))); }, kExact, -2, 4},
    {"nan_to_num", [](const Tensor& x) { return nan_to_num(x, 3, 4, 5); }, [](Wide x) { return std::isnan(x) ? 3 : std::isinf(x) ? (x > 0 ? Wide(4) : Wide(5)) : x; }, kExact, -2, 2},
};

constexpr double kRounded = 0.501;  // correctly: half an ulp and the rounding of the reference
const std::vector<Function2> kFunctions2 = {
    {RILL_OP2(add), [](Wide a, Wide b) { return a + b; }, kRounded, -2, 2},
    {RILL_OP2(sub), [](Wide a, Wide b) { return a - b; }, kRounded, -2, 2},
    {RILL_OP2(mul), [](Wide a, Wide b) { return a * b; }, kRounded, -2, 2},
    {RILL_OP2(div), [](Wide a, Wide b) { return a / b; }, kRounded, -2, 2},
    {RILL_OP2(maximum), [](Wide a, Wide b) { return std::isnan(a) || std::isnan(b) ? a + b : std::max(a, b); }, kRounded, -2, 2},
    {RILL_OP2(fmod), [](Wide a, Wide b) { return std::fmod(a, b); }, kRounded, -2, 2},
    {RILL_OP2(pow), [](Wide a, Wide b) { return std::pow(a, b); }, 4, -8, 8},
    {RILL_OP2(atan2), [](Wide a, Wide b) { return std::atan2(a, b); }, 4, -2, 2},
    {RILL_OP2(hypot), [](Wide a, Wide b) { return std::hypot(a, b); }, 4, -2, 2},
    {RILL_OP2(logaddexp), [](Wide a, Wide b) { return a == b ? a + std::log(Wide(2)) : std::max(a, b) + std::log1p(std::exp(-std::fabs(a - b))); }, 8, -5, 5,
     [](Wide a, Wide b) { return std::max(std::fabs(a), std::fabs(b)) + std::log(Wide(2)) / 2; }},
    {RILL_OP2(xlogy), [](Wide a, Wide b) { return a == 0 && !std::isnan(b) ? 0 : a * std::log(b); }, 8, 0, 3},
};

}  // namespace

TEST_CASE("functions of one operand are accurate in every format", "[ops][accuracy]") {
  const NoGrad off;
  static const auto singles = patterns<std::uint32_t, float>(), doubles = patterns<std::uint64_t, double>();
  for (const Function& op : kFunctions) {
    check_at(op, singles, kFloat32);
    check_at(op, doubles, kFloat64);
    check_at(op, between(op.from, op.to), kFloat32);
    check_at(op, between(op.from, op.to), kFloat64);
    check_at(op, every(float16), kFloat16);
    check_at(op, every(bfloat16), kBfloat16);
  }
}

TEST_CASE("functions of two operands are accurate in float32 and float64", "[ops][accuracy]") {
  const NoGrad off;
  for (const Function2& op : kFunctions2) {
    check_at(op, patterns<std::uint32_t, float>(), patterns<std::uint32_t, float>(1), kFloat32);
    check_at(op, patterns<std::uint64_t, double>(), patterns<std::uint64_t, double>(1), kFloat64);
    const auto dense = between(op.from, op.to);
    std::vector<double> other;
    for (std::size_t i = 0; i < dense.size(); ++i) other.push_back(dense[i * 7919 % dense.size()]);
    check_at(op, dense, other, kFloat32);
    check_at(op, dense, other, kFloat64);
  }
}

TEST_CASE("conversions between floating dtypes are correctly rounded", "[ops][accuracy]") {
  const auto check = [](const std::vector<double>& points, Dtype from, const Format& to) {
    const Tensor x = tensor(points, {.dtype = float64}).to(from);
    const auto exact = x.to_vector<double>(), have = x.to(to.dtype).to_vector<double>();
    std::size_t bad = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) bad += !(std::isnan(exact[i]) ? std::isnan(have[i]) : have[i] == rounded(exact[i], to));
    INFO(to_string(from) << " to " << to_string(to.dtype));
    CHECK(bad == 0);
  };
  const auto singles = patterns<std::uint32_t, float>(), dense = between(-70000, 70000);
  for (const Format& to : {kFloat16, kBfloat16}) check(singles, float32, to), check(dense, float32, to), check(between(-1e-4, 1e-4), float32, to);
  check(singles, float64, kFloat32), check(dense, float64, kFloat32), check(between(-1e-44, 1e-44), float64, kFloat32);
}
