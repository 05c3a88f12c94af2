// Values, layouts, broadcasting, purity, in-place forms, dtypes, threads and errors of every row.
#include "test/support/catch.h"

#include <cstring>

#include "test/ops/table/catalogue.h"

namespace rill::optable {
namespace {

Args draw_inputs(const Row& row, Dtype dtype, std::uint64_t seed, const std::vector<Input>& inputs) {
  Draw draw(seed);
  Args args;
  for (const Input& in : inputs) args.push_back(make_input(in, in.shape, dtype, draw));
  (void)row;
  return args;
}

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

std::vector<Dtype> dtypes_of(unsigned kinds) {
  std::vector<Dtype> list;
  if (kinds & kFloats) list.insert(list.end(), {float32, float64});
  if (kinds & kHalfs) list.insert(list.end(), {float16, bfloat16});
  if (kinds & kInts) list.insert(list.end(), {int64, int32, int16, int8, uint8});
  if (kinds & kBool) list.push_back(boolean);
  return list;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  if (!(a.shape() == b.shape()) || a.dtype() != b.dtype()) return false;
  const auto x = a.to_vector<double>(), y = b.to_vector<double>();
  for (std::size_t i = 0; i < x.size(); ++i)
    if (std::memcmp(&x[i], &y[i], sizeof(double)) != 0 && !(std::isnan(x[i]) && std::isnan(y[i]))) return false;
  return true;
}

/// The same values in another layout.
Tensor sliced_out_of_poison(const Tensor& x) {
  if (x.dim() == 0) return x;
  Shape big = x.shape();
  for (auto& s : big) s = 2 * s + 3;
  Tensor store = full(big, is_floating(x.dtype()) ? Scalar(std::nan("")) : Scalar(0x5A), {.dtype = x.dtype()});
  Tensor window = store;
  for (int a = 0; a < x.dim(); ++a) window = slice(window, a, Slice(1, 1 + 2 * x.size(a), 2));
  window.copy_(x);
  return window;
}
Tensor reversed_strides(const Tensor& x) {
  Dims order;
  for (std::int64_t a = x.dim(); a-- > 0;) order.push_back(a);
  return permute(permute(x, order).contiguous(), order);
}
Tensor with_offset(const Tensor& x) {
  const Tensor store = full({x.numel() + 1}, 1, {.dtype = x.dtype()});
  const Tensor shifted = store.narrow(0, 1, x.numel()).view(x.shape());
  shifted.copy_(x);
  return shifted;
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
        const Args args = draw_inputs(row, dtype, ++seed, inputs);
        const Tensor out = row.run(args);
        CHECK(to_string(out.dtype()) == to_string(expected_dtype(row, dtype)));
        if (row.each) {
          Shape shape = args[0].shape();
          for (const Tensor& a : args) shape = broadcast_shapes(shape, a.shape());
          CHECK(out.shape() == shape);
          check_values(row, out, reference_each(row, args, shape));
        } else if (row.whole) {
          std::vector<Plain> values;
          for (const Tensor& a : args) values.push_back(plain(a));
          check_values(row, out, row.whole(values));
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

TEST_CASE("layouts give the values of contiguous inputs, and inputs stay as they were", "[table]") {
  for (const Row& row : rows()) {
    INFO(row.name);
    const Dtype dtype = row.kinds & kFloats ? float64 : row.kinds & kInts ? int64 : boolean;
    const Args args = draw_inputs(row, dtype, 5, row.inputs);
    const Tensor want = row.run(args);
    int layout = 0;
    for (auto change : {sliced_out_of_poison, reversed_strides, with_offset}) {
      INFO("layout " << layout++);
      Args changed, before;
      for (const Tensor& a : args) changed.push_back(change(a)), before.push_back(changed.back().clone());
      const Tensor out = row.run(changed);
      if (row.elementwise || !is_floating(out.dtype())) CHECK(same_bits(out, want));
      else CHECK(allclose(out, want, 1e-12, 1e-12, true));
      for (std::size_t k = 0; k < args.size(); ++k) CHECK(same_bits(changed[k], before[k]));
    }
    // one value for the whole first axis
    Args flat, copies;
    bool possible = !args.empty();
    for (const Tensor& a : args) possible &= a.dim() > 0 && a.size(0) > 0 && is_floating(a.dtype());
    if (!possible || !row.whole) continue;
    for (const Tensor& a : args) flat.push_back(expand(a.narrow(0, 0, 1), a.shape())), copies.push_back(flat.back().contiguous().clone());
    Tensor from_flat, from_copies;
    try { from_copies = row.run(copies); } catch (const Error&) { continue; }  // a singular matrix, say
    CHECK(allclose(row.run(flat), from_copies, 1e-12, 1e-12, true));
  }
}

TEST_CASE("views share memory, other results do not", "[table]") {
  for (const Row& row : rows()) {
    INFO(row.name);
    const Dtype dtype = row.kinds & kFloats ? float32 : row.kinds & kInts ? int64 : boolean;
    const Args args = draw_inputs(row, dtype, 6, row.inputs);
    if (args.empty()) continue;
    Args before;
    for (const Tensor& a : args) before.push_back(a.clone());
    const Tensor out = row.run(args);
    if (out.numel() == 0) continue;
    out.detach().copy_(full(out.shape(), 77, {.dtype = out.dtype()}));
    if (row.view) CHECK_FALSE(same_bits(args[0], before[0]));
    else
      for (std::size_t k = 0; k < args.size(); ++k) CHECK(same_bits(args[k], before[k]));
  }
}

TEST_CASE("in-place forms equal the others", "[table]") {
  int seen = 0;
  for (const Row& row : rows()) {
    if (!row.in_place) continue;
    ++seen;
    INFO(row.name);
    for (const Dtype dtype : dtypes_of(row.kinds & (row.result == Result::same ? kAll : kReal))) {
      const Args args = draw_inputs(row, dtype, 7, row.inputs);
      const Tensor want = row.run(args);
      Args changed = args;
      changed[0] = args[0].clone();
      const auto version = changed[0].version();
      row.in_place(changed);
      CHECK(same_bits(changed[0], want));
      CHECK(changed[0].version() > version);
    }
  }
  CHECK(seen > 40);
}

TEST_CASE("results do not depend on the number of threads", "[table]") {
  const int before = num_threads();
  for (const Row& row : rows()) {
    INFO(row.name);
    std::vector<Input> inputs = row.large;
    if (inputs.empty()) {
      inputs = row.inputs;
      if (row.elementwise)
        for (Input& in : inputs) in.shape = {70001};
    }
    const Dtype dtype = row.kinds & kFloats ? float32 : row.kinds & kInts ? int64 : boolean;
    const Args args = draw_inputs(row, dtype, 8, inputs);
    set_num_threads(1);
    const Tensor one = row.run(args);
    for (int n : {2, 3, 7}) {
      set_num_threads(n);
      CHECK(same_bits(row.run(args), one));
    }
  }
  set_num_threads(before);
}

TEST_CASE("every row refuses undefined inputs, other dtypes and its own wrong calls", "[table]") {
  for (const Row& row : rows()) {
    INFO(row.name);
    const Dtype dtype = row.kinds & kFloats ? float32 : row.kinds & kInts ? int64 : boolean;
    const Args args = draw_inputs(row, dtype, 9, row.inputs);
    for (std::size_t k = 0; k < std::min(args.size(), row.required); ++k) {
      Args missing = args;
      missing[k] = Tensor();
      INFO("undefined input " << k);
      CHECK_THROWS_AS(row.run(missing), Error);
    }
    for (const Dtype d : dtypes_of(kAll & ~row.kinds)) {
      INFO(to_string(d));
      CHECK_THROWS_AS(row.run(draw_inputs(row, d, 9, row.inputs)), DtypeError);
    }
    for (const ErrorCase& e : row.errors) {
      INFO("expected: " << e.text);
      bool thrown = false;
      try {
        e.run();
      } catch (const std::exception& x) {
        thrown = true;
        INFO(x.what());
        CHECK(e.is(x));
        CHECK(std::string(x.what()).find(e.text) != std::string::npos);
      }
      CHECK(thrown);
    }
  }
}

}  // namespace rill::optable
