// Elementwise functions of two and three operands.
#include <numeric>

#include "test/ops/table/catalogue.h"

namespace rill::optable {
namespace {

struct Options {
  double low = -3, high = 3, low2 = -3, high2 = 3;
  unsigned kinds = kNumbers;
  Result result = Result::same;
  double bound = 1;
  bool differentiable = true, special = true;
  std::vector<double> kinks = {}, kinks2 = {};
};
std::string differ(const std::string& op) { return op + ": shapes [2, 3] and [2, 4] do not broadcast: sizes 3 and 4 differ at axis -1 from the right and neither is 1"; }
Row row(const char* name, std::function<Tensor(const Args&)> run, double (*f)(const double*), Options o = {}) {
  Row r{.name = name, .run = std::move(run), .inputs = {{.low = o.low, .high = o.high, .kinks = o.kinks}, {.low = o.low2, .high = o.high2, .kinks = o.kinks2}},
          .kinds = o.kinds, .result = o.result, .elementwise = true, .each = f, .bound = o.bound, .differentiable = o.differentiable, .special = o.special};
  r.errors = {throws<ShapeError>(differ(name), [f = r.run] { f({ones({2, 3}, {.dtype = int64}), ones({2, 4}, {.dtype = int64})}); })};
  return r;
}
#define RILL_BINARY(op) #op, [](const Args& a) { return rill::op(a[0], a[1]); }
using X = const double*;
double nan_of(double a, double b) { return a + b; }
double remainder_of(double a, double b) {
  const double r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
std::int64_t whole(double v) { return static_cast<std::int64_t>(v); }

}  // namespace

std::vector<Row> rows_binary() {
  const Options question = {.kinds = kAll, .result = Result::boolean, .bound = 0, .differentiable = false};
  const Options bits = {.low = 0, .high = 60, .low2 = 0, .high2 = 5, .kinds = kInts | kBool, .bound = 0, .differentiable = false};
  Options whole_numbers = bits;
  whole_numbers.kinds = kInts;
  std::vector<Row> list = {
      row(RILL_BINARY(add), [](X x) { return x[0] + x[1]; }, {.kinds = kAll}),
      row(RILL_BINARY(sub), [](X x) { return x[0] - x[1]; }, {.low = 3, .high = 6}),
      row(RILL_BINARY(mul), [](X x) { return x[0] * x[1]; }, {.kinds = kAll}),
      row(RILL_BINARY(div), [](X x) { return x[0] / x[1]; }, {.low2 = 1, .kinds = kAll, .result = Result::floating}),
      row(RILL_BINARY(floor_divide), [](X x) { return (x[0] - remainder_of(x[0], x[1])) / x[1]; }, {.low = 1, .high = 9, .low2 = 1, .special = false}),
      row(RILL_BINARY(trunc_divide), [](X x) { return std::trunc(x[0] / x[1]); }, {.low = 1, .high = 9, .low2 = 1, .special = false}),
      row(RILL_BINARY(remainder), [](X x) { return remainder_of(x[0], x[1]); }, {.low = 0.2, .high = 0.8, .low2 = 1, .special = false}),
      row(RILL_BINARY(fmod), [](X x) { return std::fmod(x[0], x[1]); }, {.low = 0.2, .high = 0.8, .low2 = 1, .special = false}),
      row(RILL_BINARY(pow), [](X x) { return std::pow(x[0], x[1]); }, {.low = 0.3, .kinds = kReal, .bound = 4}),
      row(RILL_BINARY(maximum), [](X x) { return std::isnan(x[0] + x[1]) && (std::isnan(x[0]) || std::isnan(x[1])) ? nan_of(x[0], x[1]) : std::max(x[0], x[1]); }, {.high = -0.1, .low2 = 0.1, .kinds = kAll, .bound = 0}),
      row(RILL_BINARY(minimum), [](X x) { return std::isnan(x[0]) || std::isnan(x[1]) ? nan_of(x[0], x[1]) : std::min(x[0], x[1]); }, {.high = -0.1, .low2 = 0.1, .kinds = kAll, .bound = 0}),
      row(RILL_BINARY(fmax), [](X x) { return std::fmax(x[0], x[1]); }, {.high = -0.1, .low2 = 0.1, .kinds = kAll, .bound = 0}),
      row(RILL_BINARY(fmin), [](X x) { return std::fmin(x[0], x[1]); }, {.high = -0.1, .low2 = 0.1, .kinds = kAll, .bound = 0}),
      row(RILL_BINARY(atan2), [](X x) { return std::atan2(x[0], x[1]); }, {.low2 = 0.3, .kinds = kAll, .result = Result::floating, .bound = 4}),
      row(RILL_BINARY(hypot), [](X x) { return std::hypot(x[0], x[1]); }, {.low2 = 0.3, .kinds = kAll, .result = Result::floating, .bound = 4}),
      row(RILL_BINARY(copysign), [](X x) { return std::copysign(x[0], x[1]); }, {.kinds = kAll, .result = Result::floating, .bound = 0, .kinks = {0}, .kinks2 = {0}}),
      row(RILL_BINARY(logaddexp), [](X x) { return std::max(x[0], x[1]) + std::log1p(std::exp(-std::fabs(x[0] - x[1]))); }, {.kinds = kAll, .result = Result::floating, .bound = 8, .special = false}),
      row(RILL_BINARY(logaddexp2), [](X x) { return std::max(x[0], x[1]) + std::log2(1 + std::exp2(-std::fabs(x[0] - x[1]))); }, {.kinds = kAll, .result = Result::floating, .bound = 8, .special = false}),
      row(RILL_BINARY(ldexp), [](X x) { return x[0] * std::exp2(x[1]); }, {.kinds = kAll, .result = Result::floating, .bound = 8, .special = false}),
      row(RILL_BINARY(xlogy), [](X x) { return x[0] == 0 ? 0 : x[0] * std::log(x[1]); }, {.low = 0.3, .low2 = 0.3, .kinds = kAll, .result = Result::floating, .bound = 8, .special = false}),
      row(RILL_BINARY(heaviside), [](X x) { return x[0] > 0 ? 1.0 : x[0] < 0 ? 0.0 : x[1]; }, {.kinds = kAll, .bound = 0, .special = false, .kinks = {0}}),
      row(RILL_BINARY(bitwise_and), [](X x) { return static_cast<double>(whole(x[0]) & whole(x[1])); }, bits),
      row(RILL_BINARY(bitwise_or), [](X x) { return static_cast<double>(whole(x[0]) | whole(x[1])); }, bits),
      row(RILL_BINARY(bitwise_xor), [](X x) { return static_cast<double>(whole(x[0]) ^ whole(x[1])); }, bits),
      row(RILL_BINARY(bitwise_right_shift), [](X x) { return static_cast<double>(whole(x[0]) >> whole(x[1])); }, whole_numbers),
      row(RILL_BINARY(bitwise_left_shift), [](X x) { return static_cast<double>(whole(x[0]) << whole(x[1])); }, {.low = 0, .high = 3, .low2 = 0, .high2 = 5, .kinds = kInts, .bound = 0, .differentiable = false}),
      row(RILL_BINARY(gcd), [](X x) { return static_cast<double>(std::gcd(whole(x[0]), whole(x[1]))); }, whole_numbers),
      row(RILL_BINARY(lcm), [](X x) { return static_cast<double>(std::lcm(whole(x[0]), whole(x[1]))); }, {.low = 0, .high = 20, .low2 = 0, .high2 = 5, .kinds = kInts, .bound = 0, .differentiable = false}),
      row(RILL_BINARY(eq), [](X x) { return double(x[0] == x[1]); }, question), row(RILL_BINARY(ne), [](X x) { return double(x[0] != x[1]); }, question),
      row(RILL_BINARY(lt), [](X x) { return double(x[0] < x[1]); }, question), row(RILL_BINARY(le), [](X x) { return double(x[0] <= x[1]); }, question),
      row(RILL_BINARY(gt), [](X x) { return double(x[0] > x[1]); }, question), row(RILL_BINARY(ge), [](X x) { return double(x[0] >= x[1]); }, question),
      row(RILL_BINARY(logical_and), [](X x) { return double(x[0] != 0 && x[1] != 0); }, question),
      row(RILL_BINARY(logical_or), [](X x) { return double(x[0] != 0 || x[1] != 0); }, question),
      row(RILL_BINARY(logical_xor), [](X x) { return double((x[0] != 0) != (x[1] != 0)); }, question),
      row(RILL_BINARY(isclose), [](X x) { return double(x[0] == x[1] || (std::isfinite(x[1]) && std::fabs(x[0] - x[1]) <= 1e-8 + 1e-5 * std::fabs(x[1]))); }, question),
  };
  auto in_place = [&](const char* name, std::function<void(const Args&)> f) {
    for (Row& r : list)
      if (r.name == name) r.in_place = f;
  };
  in_place("add", [](const Args& a) { a[0].add_(a[1]); });
  in_place("sub", [](const Args& a) { a[0].sub_(a[1]); });
  in_place("mul", [](const Args& a) { a[0].mul_(a[1]); });
  for (Row& r : list)
    if (r.name == "logaddexp" || r.name == "logaddexp2") r.magnitude = 3;  // they cancel around their roots
  for (Row& r : list)
    if (r.name == "ldexp") r.roundings = 2;
  in_place("floor_divide", [](const Args& a) { floor_divide_(a[0], a[1]); });
  in_place("remainder", [](const Args& a) { remainder_(a[0], a[1]); });
  in_place("fmod", [](const Args& a) { fmod_(a[0], a[1]); });
  in_place("pow", [](const Args& a) { pow_(a[0], a[1]); });
  for (Row& r : list)
    if (r.kinds == kReal) r.errors = {throws<ShapeError>(differ(r.name), [run = r.run] { run({ones({2, 3}), ones({2, 4})}); })};

  const Input condition = {.low = -1, .high = 1, .dtype = boolean};
  list.push_back({.name = "where", .run = [](const Args& a) { return where(a[0], a[1], a[2]); }, .inputs = {condition, {}, {}}, .kinds = kAll, .elementwise = true,
                  .each = [](X x) { return x[0] != 0 ? x[1] : x[2]; }, .bound = 0, .special = false,
                  .errors = {throws<ShapeError>("where: shapes [3] and [4] do not broadcast: sizes 3 and 4 differ at axis -1 from the right and neither is 1", [] { where(ones({3}, {.dtype = boolean}), ones({4}), ones({4})); })}});
  list.push_back({.name = "lerp", .run = [](const Args& a) { return lerp(a[0], a[1], a[2]); }, .inputs = {{}, {}, {.low = 0.1, .high = 0.9}}, .elementwise = true,
                  .each = [](X x) { return x[0] + x[2] * (x[1] - x[0]); }, .bound = 4, .magnitude = 4, .special = false,
                  .errors = {throws<ShapeError>("lerp: shapes [3] and [4] do not broadcast: sizes 3 and 4 differ at axis -1 from the right and neither is 1", [] { lerp(ones({3}), ones({4}), ones({3})); })}});
  list.push_back({.name = "addcmul", .run = [](const Args& a) { return addcmul(a[0], a[1], a[2], 0.5); }, .inputs = {{}, {}, {}}, .elementwise = true,
                  .each = [](X x) { return x[0] + 0.5 * x[1] * x[2]; }, .bound = 4, .magnitude = 4, .special = false,
                  .errors = {throws<ShapeError>("addcmul: shapes [3] and [4] do not broadcast: sizes 3 and 4 differ at axis -1 from the right and neither is 1", [] { addcmul(ones({3}), ones({4}), ones({3})); })}});
  list.push_back({.name = "addcdiv", .run = [](const Args& a) { return addcdiv(a[0], a[1], a[2], 0.5); }, .inputs = {{}, {}, {.low = 1, .high = 3}}, .elementwise = true,
                  .each = [](X x) { return x[0] + 0.5 * x[1] / x[2]; }, .bound = 4, .magnitude = 4, .special = false,
                  .errors = {throws<ShapeError>("addcdiv: shapes [3] and [4] do not broadcast: sizes 3 and 4 differ at axis -1 from the right and neither is 1", [] { addcdiv(ones({3}), ones({4}), ones({3})); })}});
  list.push_back({.name = "clamp", .run = [](const Args& a) { return clamp(a[0], a[1], a[2]); }, .inputs = {{.low = -4, .high = 4}, {.low = -2, .high = -0.5}, {.low = 0.5, .high = 2}}, .kinds = kNumbers, .elementwise = true,
                  .each = [](X x) { return std::min(x[2], std::max(x[1], x[0])); }, .bound = 0, .required = 1, .special = false,
                  .errors = {throws<ShapeError>("clamp: shapes [3] and [4] do not broadcast: sizes 3 and 4 differ at axis -1 from the right and neither is 1", [] { clamp(ones({3}), ones({4}), Tensor()); })}});
  list.push_back({.name = "float_power", .run = [](const Args& a) { return float_power(a[0], a[1]).to(a[0].dtype()); }, .inputs = {{.low = 0.3, .high = 2}, {}}, .kinds = kReal, .also = kInts | kBool, .elementwise = true,
                  .each = [](X x) { return std::pow(x[0], x[1]); }, .bound = 4, .special = false,
                  .errors = {throws<ShapeError>("float_power: shapes [3] and [4] do not broadcast: sizes 3 and 4 differ at axis -1 from the right and neither is 1", [] { float_power(ones({3}), ones({4})); })}});
  in_place("lerp", [](const Args& a) { lerp_(a[0], a[1], a[2]); });
  in_place("addcmul", [](const Args& a) { addcmul_(a[0], a[1], a[2], 0.5); });
  in_place("addcdiv", [](const Args& a) { addcdiv_(a[0], a[1], a[2], 0.5); });
  for (Row& r : list)
    if (r.name.ends_with("_shift")) r.special = false;  // counts outside the width have no reference in C++: kinks.cpp
  return list;
}

}  // namespace rill::optable
