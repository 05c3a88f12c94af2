// Values, dtypes, broadcasting and special values of every row, against its reference.
#include "test/support/catch.h"

#include "test/ops/table/catalogue.h"

namespace rill::optable {
namespace {

Dtype expected_dtype(const Row& row, Dtype in) {
  switch (row.result) {
    case Result::boolean: return boolean;
    case Result::int64: return int64;
    case Result::floating: return is_floating(in) ? in : float32;
    case Result::wide: return is_floating(in) ? in : int64;
    default: return in;
  }
}

/// Checks out against the reference's values.
void check_values(const Row& row, const Tensor& out, const std::vector<double>& want) {
  const auto have = out.to_vector<double>();
  REQUIRE(have.size() == want.size());
  const Dtype d = out.dtype();
  for (std::size_t i = 0; i < have.size(); ++i) {
    double y = have[i], r = want[i];
    if (d == boolean) r = r != 0;
    if (d == uint8 && std::isfinite(r)) r = r - 256 * std::floor(r / 256);  // wraps
    if (std::isnan(r) ? std::isnan(y) : y == r) continue;
    if (is_floating(d) && std::fabs(r) > largest(d) * (1 - epsilon(d)) && std::fabs(y) >= largest(d) * (1 - 4 * epsilon(d)) && (y < 0) == (r < 0)) continue;  // overflow
    double bound = -1;
    if (is_floating(d)) {
      const Dtype computed = d == float16 || d == bfloat16 ? float32 : d;
      bound = row.bound * epsilon(computed) * (std::fabs(r) + row.magnitude) + smallest(d) * epsilon(d);
      if (computed != d) bound += 0.51 * row.roundings * epsilon(d) * std::max(std::fabs(r) + (row.roundings > 1 ? row.magnitude : 0), smallest(d));
      if (std::fabs(r) < smallest(d)) bound += smallest(d);  // subnormal results may be flushed
    }
    if (!(std::fabs(y - r) <= bound)) {
      FAIL_CHECK(row.name << " " << to_string(d) << ": element " << i << " is " << y << ", the reference " << r << ", bound " << bound);
      return;
    }
  }
}

std::vector<double> reference_each(const Row& row, const Args& args, const Shape& shape) {
  std::vector<std::vector<double>> columns;
  for (const Tensor& a : args) columns.push_back(expand(a, shape).to_vector<double>());
  std::vector<double> want(columns[0].size()), x(columns.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    for (std::size_t k = 0; k < x.size(); ++k) x[k] = columns[k][i];
    want[i] = row.each(x.data());
  }
  return want;
}

}  // namespace

TEST_CASE("values are those of the reference, for every dtype and shape", "[table]") {
  for (const Row& row : rows()) {
    INFO(row.name);
    for (const Dtype dtype : dtypes_of(row.kinds)) {
      INFO(to_string(dtype));
      std::vector<std::vector<Input>> cases = {row.inputs};
      if (row.elementwise)
        for (const Shape& s : {Shape{}, Shape{1}, Shape{7}, Shape{2, 1, 4}, Shape{17, 33}, Shape{1031}}) {
          cases.push_back(row.inputs);
          for (Input& in : cases.back()) in.shape = s;
        }
      if (row.elementwise && row.inputs.size() == 2)
        for (const auto& [a, b] : {std::pair<Shape, Shape>{{3, 1}, {4}}, {{}, {5}}, {{2, 3, 4}, {3, 1}}, {{0, 3}, {1, 3}}, {{2, 0}, {1}}}) {
          cases.push_back(row.inputs);
          cases.back()[0].shape = a, cases.back()[1].shape = b;
        }
      std::uint64_t seed = 1;
      for (const auto& inputs : cases) {
        const Args args = draw_inputs(inputs, dtype, ++seed);
        const Tensor out = row.run(args);
        CHECK(to_string(out.dtype()) == to_string(expected_dtype(row, dtype)));
        if (row.each) {
          Shape shape = args[0].shape();
          for (const Tensor& a : args) shape = broadcast_shapes(shape, a.shape());
          CHECK(out.shape() == shape);
          check_values(row, out, reference_each(row, args, shape));
        } else if (row.whole || row.whole_of) {
          std::vector<Plain> values;
          for (const Tensor& a : args) values.push_back(plain(a));
          check_values(row, out, row.whole_of ? row.whole_of(values, dtype) : row.whole(values));
        }
      }
    }
  }
}

TEST_CASE("special values are those of the reference", "[table]") {
  const double inf = std::numeric_limits<double>::infinity();
  for (const Row& row : rows()) {
    if (!row.elementwise || !row.special || !row.each || !(row.kinds & kFloats)) continue;
    INFO(row.name);
    for (const Dtype dtype : {float32, float64}) {
      const std::vector<double> odd = {0., -0., smallest(dtype) / 4, -smallest(dtype) / 4, largest(dtype), -largest(dtype), inf, -inf, std::nan(""), 1e20, -1e20, 1., -1., 0.5, 2.};
      std::vector<double> first, second;
      for (double a : odd)
        for (double b : row.inputs.size() > 1 ? odd : std::vector<double>{0}) first.push_back(a), second.push_back(b);
      Args args = {tensor(first).to(dtype)};
      if (row.inputs.size() > 1) args.push_back(tensor(second).to(dtype));
      while (args.size() < row.inputs.size()) args.push_back(full_like(args[0], 0.75));
      check_values(row, row.run(args), reference_each(row, args, args[0].shape()));
    }
  }
}

TEST_CASE("integers at the ends of their range wrap", "[table]") {
  for (const Row& row : rows()) {
    if (!row.elementwise || !row.special || !row.each || !(row.kinds & kInts) || row.result == Result::floating) continue;
    INFO(row.name);
    for (const auto& [dtype, bits] : {std::pair{int8, 8}, {int16, 16}}) {
      const double half = std::ldexp(1, bits - 1);
      std::vector<double> first, second;
      for (double a : {-half, -half + 1, -1., 0., 1., half - 1})
        for (double b : {-half, -half + 1, -1., 0., 1., half - 1}) first.push_back(a), second.push_back(b);
      Args args = {tensor(first).to(dtype)};
      if (row.inputs.size() > 1) args.push_back(tensor(second).to(dtype));
      std::vector<double> want = reference_each(row, args, args[0].shape());
      for (double& v : want)
        if (row.result == Result::same) v -= 2 * half * std::floor((v + half) / (2 * half));
      check_values(row, row.run(args), want);
    }
  }
}

}  // namespace rill::optable
