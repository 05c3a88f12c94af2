// Elementwise functions of one operand. References in long double.
#include "test/ops/table/catalogue.h"
#include "test/support/special_functions.h"

namespace rill::optable {
namespace {

/// name, domain, dtypes; the in-place form is name_.
#define RILL_UNARY(op) \
  Row { .name = #op, .run = [](const Args& a) { return rill::op(a[0]); }, .elementwise = true, .in_place = [](const Args& a) { rill::op##_(a[0]); } }

struct Options {
  double low = -2, high = 2;
  std::vector<double> kinks = {};
  unsigned kinds = kAll;
  Result result = Result::floating;
  double bound = 4, magnitude = 0;
  bool special = true, differentiable = true, twice = true;
};
Row row(Row r, Wide (*f)(Wide), Options o = {}) {
  r.inputs = {{.low = o.low, .high = o.high, .kinks = o.kinks}};
  r.kinds = o.kinds, r.result = o.result, r.bound = o.bound, r.magnitude = o.magnitude, r.special = o.special, r.differentiable = o.differentiable, r.twice = o.twice;
  r.each = [f](const double* x) { return static_cast<double>(f(x[0])); };
  r.errors = unary_errors(r.name, r.run, r.in_place);
  return r;
}

}  // namespace

std::vector<Row> rows_unary() {
  const unsigned numbers = kNumbers;
  std::vector<Row> list = {
      row(RILL_UNARY(abs), [](Wide x) { return std::fabs(x); }, {.kinks = {0}, .kinds = numbers, .result = Result::same, .bound = 0}),
      row(RILL_UNARY(neg), [](Wide x) { return -x; }, {.low = 0, .kinds = kNumbers, .result = Result::same, .bound = 0}),
      row(RILL_UNARY(square), [](Wide x) { return x * x; }, {.kinds = numbers, .result = Result::same, .bound = 1}),
      row(RILL_UNARY(sign), [](Wide x) { return x > 0 ? Wide(1) : x < 0 ? Wide(-1) : Wide(0); }, {.kinks = {0}, .kinds = numbers, .result = Result::same, .bound = 0, .special = false}),
      row(RILL_UNARY(sqrt), [](Wide x) { return std::sqrt(x); }, {.low = 0.3, .high = 9, .bound = 1}),
      row(RILL_UNARY(rsqrt), [](Wide x) { return 1 / std::sqrt(x); }, {.low = 0.3, .high = 9, .bound = 2}),
      row(RILL_UNARY(reciprocal), [](Wide x) { return 1 / x; }, {.low = 0.3, .high = 9, .bound = 1}),
      row(RILL_UNARY(floor), [](Wide x) { return std::floor(x); }, {.kinks = {-2, -1, 0, 1, 2}, .kinds = numbers, .result = Result::same, .bound = 0}),
      row(RILL_UNARY(ceil), [](Wide x) { return std::ceil(x); }, {.kinks = {-2, -1, 0, 1, 2}, .kinds = numbers, .result = Result::same, .bound = 0}),
      row(RILL_UNARY(round), [](Wide x) { return std::rint(x); }, {.kinks = {-1.5, -0.5, 0.5, 1.5}, .kinds = numbers, .result = Result::same, .bound = 0}),
      row(RILL_UNARY(trunc), [](Wide x) { return std::trunc(x); }, {.kinks = {-2, -1, 0, 1, 2}, .kinds = numbers, .result = Result::same, .bound = 0}),
      row(RILL_UNARY(frac), [](Wide x) { return x - std::trunc(x); }, {.kinks = {-2, -1, 0, 1, 2}, .kinds = kNumbers | kBool, .bound = 1, .special = false}),
      row(RILL_UNARY(exp), [](Wide x) { return std::exp(x); }),
      row(RILL_UNARY(exp2), [](Wide x) { return std::exp2(x); }),
      row(RILL_UNARY(expm1), [](Wide x) { return std::expm1(x); }),
      row(RILL_UNARY(log), [](Wide x) { return std::log(x); }, {.low = 0.3, .high = 9}),
      row(RILL_UNARY(log1p), [](Wide x) { return std::log1p(x); }, {.low = -0.5, .high = 9}),
      row(RILL_UNARY(log2), [](Wide x) { return std::log2(x); }, {.low = 0.3, .high = 9}),
      row(RILL_UNARY(log10), [](Wide x) { return std::log10(x); }, {.low = 0.3, .high = 9}),
      row(RILL_UNARY(sin), [](Wide x) { return std::sin(x); }),
      row(RILL_UNARY(cos), [](Wide x) { return std::cos(x); }),
      row(RILL_UNARY(tan), [](Wide x) { return std::tan(x); }, {.low = -1.3, .high = 1.3, .special = false}),
      row(RILL_UNARY(asin), [](Wide x) { return std::asin(x); }, {.low = -0.9, .high = 0.9}),
      row(RILL_UNARY(acos), [](Wide x) { return std::acos(x); }, {.low = -0.9, .high = 0.9}),
      row(RILL_UNARY(atan), [](Wide x) { return std::atan(x); }),
      row(RILL_UNARY(sinh), [](Wide x) { return std::sinh(x); }),
      row(RILL_UNARY(cosh), [](Wide x) { return std::cosh(x); }),
      row(RILL_UNARY(tanh), [](Wide x) { return std::tanh(x); }),
      row(RILL_UNARY(asinh), [](Wide x) { return std::asinh(x); }),
      row(RILL_UNARY(acosh), [](Wide x) { return std::acosh(x); }, {.low = 1.3, .high = 9}),
      row(RILL_UNARY(atanh), [](Wide x) { return std::atanh(x); }, {.low = -0.9, .high = 0.9}),
      row(RILL_UNARY(erf), [](Wide x) { return std::erf(x); }),
      row(RILL_UNARY(erfc), [](Wide x) { return std::erfc(x); }),
      row(RILL_UNARY(erfinv), erfinv_of, {.low = -0.9, .high = 0.9, .bound = 8, .special = false}),
      row(RILL_UNARY(lgamma), [](Wide x) { return std::lgamma(x); }, {.low = 2.3, .high = 9, .bound = 8, .special = false}),
      row(RILL_UNARY(digamma), digamma_of, {.low = 1.8, .high = 9, .bound = 8, .magnitude = 3, .special = false, .twice = false}),
      row(RILL_UNARY(trigamma), trigamma_of, {.low = 0.3, .high = 9, .bound = 16, .special = false, .differentiable = false}),
  };
  auto simple = [&](std::string name, std::function<Tensor(const Args&)> run, Wide (*f)(Wide), Options o) {
    list.push_back(row(Row{.name = std::move(name), .run = std::move(run), .elementwise = true}, f, o));
    return &list.back();
  };
  simple("clamp", [](const Args& a) { return clamp(a[0], -1, 1); }, [](Wide x) { return x != x ? x : std::min(Wide(1), std::max(Wide(-1), x)); },
         {.kinks = {-1, 1}, .kinds = kNumbers, .result = Result::same, .bound = 0})->in_place = [](const Args& a) { clamp_(a[0], -1, 1); };
  simple("nan_to_num", [](const Args& a) { return nan_to_num(a[0]); }, [](Wide x) { return x; }, {.kinds = kAll, .result = Result::same, .bound = 0, .special = false});
  list.back().in_place = [](const Args& a) { nan_to_num_(a[0]); };
  simple("logit", [](const Args& a) { return logit(a[0]); }, logit_of, {.low = 0.2, .high = 0.8, .bound = 8});
  simple("sinc", [](const Args& a) { return sinc(a[0]); }, sinc_of, {.low = 0.2, .high = 0.8, .bound = 8});
  simple("deg2rad", [](const Args& a) { return deg2rad(a[0]); }, [](Wide x) { return x * (M_PIl / 180); }, {.bound = 2});
  simple("rad2deg", [](const Args& a) { return rad2deg(a[0]); }, [](Wide x) { return x * (180 / M_PIl); }, {.bound = 2});
  simple("logical_not", [](const Args& a) { return logical_not(a[0]); }, [](Wide x) { return Wide(x == 0); }, {.result = Result::boolean, .differentiable = false});
  simple("isnan", [](const Args& a) { return isnan(a[0]); }, [](Wide x) { return Wide(x != x); }, {.result = Result::boolean, .differentiable = false});
  simple("isinf", [](const Args& a) { return isinf(a[0]); }, [](Wide x) { return Wide(std::isinf(x)); }, {.result = Result::boolean, .differentiable = false});
  simple("isfinite", [](const Args& a) { return isfinite(a[0]); }, [](Wide x) { return Wide(std::isfinite(x)); }, {.result = Result::boolean, .differentiable = false});
  simple("bitwise_not", [](const Args& a) { return bitwise_not(a[0]); }, [](Wide x) { return -1 - x; },
         {.kinds = kInts, .result = Result::same, .differentiable = false})->also = kBool;
  for (Row& r : list)
    if (r.name == "clamp") r.errors.push_back(throws<ValueError>("clamp: both bounds are missing; give at least one", [] { clamp(ones({2}), Tensor(), Tensor()); }));
  return list;
}

}  // namespace rill::optable
