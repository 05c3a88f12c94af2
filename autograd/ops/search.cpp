// Searching in sorted rows, different elements, counts.
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/shape.h>
#include <rill/ops/sort.h>
#include <rill/ops/view.h>

#include <cmath>

#include "autograd/record.h"
#include "backends/api/backend.h"
#include "lib/core/checked.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

/// Insertion points of values [rows, m] in sorted [rows or 1, n].
Tensor search(const Tensor& sorted, const Tensor& values, bool right) {
  const Tensor s = sorted.contiguous(), v = values.contiguous();
  const Tensor out = make_tensor(impl(v).shape, Dtype::int64, impl(v).device);
  kernels(v).search(view(s), view(v), right, view(out));
  return out;
}

void check_comparable(const char* op, const Tensor& sorted, const Tensor& values, const char* name) {
  check_same_device(op, sorted, values);
  check<DtypeError>(impl(sorted).dtype == impl(values).dtype, op, "{} is {}, the values are {}; convert one with .to()", name, impl(sorted).dtype, impl(values).dtype);
  check<DtypeError>(impl(sorted).dtype != Dtype::boolean, op, "bool is not supported, expected a floating or integer dtype; convert with .to()");
}

}  // namespace

Tensor searchsorted(const Tensor& sorted, const Tensor& values, bool right) {
  const OpRange here("searchsorted", sorted, values);
  constexpr const char* op = "searchsorted";
  check_defined(op, sorted, "the sorted tensor");
  check_defined(op, values, "values");
  check_comparable(op, sorted, values, "the sorted tensor");
  const Shape &ss = impl(sorted).shape, &vs = impl(values).shape;
  check<ShapeError>(ss.rank() > 0, op, "the sorted tensor is 0-dim; it needs an axis");
  const auto n = ss.back();
  if (ss.rank() == 1) return search(sorted.detach().reshape({1, n}), values.detach().reshape({1, impl(values).numel}), right).reshape(vs);
  bool fits = ss.rank() == vs.rank();
  for (int a = 0; fits && a < ss.rank() - 1; ++a) fits = ss[a] == vs[a];
  check<ShapeError>(fits, op, "the sorted tensor has shape {}, the values {}; all axes but the last must be equal, or the sorted tensor has one axis", ss, vs);
  std::int64_t rows = 1;
  for (int a = 0; a < ss.rank() - 1; ++a) rows *= ss[a];
  return search(sorted.detach().reshape({rows, n}), values.detach().reshape({rows, vs.back()}), right).reshape(vs);
}
Tensor searchsorted(const Tensor& sorted, Scalar value, bool right) {
  const OpRange here("searchsorted", sorted);
  check_defined("searchsorted", sorted, "the sorted tensor");
  const Dtype d = value.is_floating() && !is_floating(sorted.dtype()) && sorted.dtype() != Dtype::boolean ? Dtype::float64 : sorted.dtype();
  return searchsorted(sorted.to(d), full({}, value, {.dtype = d, .device = sorted.device()}), right);
}

Tensor bucketize(const Tensor& x, const Tensor& boundaries, bool right) {
  const OpRange here("bucketize", x, boundaries);
  constexpr const char* op = "bucketize";
  check_defined(op, x);
  check_defined(op, boundaries, "boundaries");
  check<ShapeError>(boundaries.dim() == 1, op, "boundaries has shape {}; it must have one axis", boundaries.shape());
  check_comparable(op, boundaries, x, "boundaries");
  return searchsorted(boundaries, x, right);
}

// ---- different elements --------------------------------------------------------------------------------------------------------

namespace {

Unique different(const char* op, const Tensor& given, const UniqueOptions& o, bool sorting) {
  const OpRange here(op, given);
  check_defined(op, given);
  const Tensor x = given.detach();
  std::int64_t n = x.numel(), width = 1, axis = 0;
  Tensor rows;
  if (o.axis) {
    axis = wrap_axis(op, *o.axis, x.dim());
    n = x.dim() ? x.size(axis) : 1;
    check<ShapeError>(n == 0 || x.numel() > 0, op, "{} has an empty axis besides axis {}: its slices have no elements to compare", x.shape(), axis);
    width = n ? x.numel() / n : 0;
    rows = (x.dim() ? movedim(x, {axis}, {0}) : x).contiguous().reshape({n, width});
  } else {
    rows = x.contiguous().reshape({n, 1});
  }
  const Options integers{.dtype = Dtype::int64, .device = x.device()};
  const Kernels& k = kernels(x);
  Tensor order = arange(n, integers);
  if (sorting && width == 1) order = argsort(rows.reshape({n}));
  else if (sorting) k.sort_rows(view(rows), view(order));
  const Tensor starts = make_tensor({n}, Dtype::int64, x.device()), run_of = make_tensor({n}, Dtype::int64, x.device());
  const std::int64_t runs = k.runs(view(rows), view(order), view(starts), view(run_of));
  const Tensor firsts = narrow(starts, 0, 0, runs), picks = index_select(order, 0, firsts);
  Unique u;
  u.values = o.axis && x.dim() ? index_select(x, axis, picks) : index_select(rows.reshape({n * (n ? width : 1)}), 0, picks);
  if (o.inverse) u.inverse = o.axis ? run_of : run_of.reshape(x.shape());
  if (o.counts) u.counts = sub(narrow(cat({firsts, full({1}, n, integers)}), 0, 1, runs), firsts);
  return u;
}

}  // namespace

Unique unique(const Tensor& x, UniqueOptions options) { return different("unique", x, options, true); }
Unique unique_consecutive(const Tensor& x, UniqueOptions options) { return different("unique_consecutive", x, options, false); }

// ---- counts ----------------------------------------------------------------------------------------------------------------------

Tensor bincount(const Tensor& x, const Tensor& weights, std::int64_t min_length) {
  const OpRange here("bincount", x, weights);
  constexpr const char* op = "bincount";
  check_defined(op, x);
  check<DtypeError>(is_integral(x.dtype()), op, "{} is not supported, expected an integer dtype", x.dtype());
  check<ShapeError>(x.dim() == 1, op, "{} must have one axis; use .flatten()", describe(x));
  check<ValueError>(min_length >= 0, op, "min_length is {}; it must not be negative", min_length);
  if (weights.defined()) {
    check_same_device(op, x, weights);
    check<ShapeError>(weights.shape() == x.shape(), op, "weights has shape {}, the tensor {}; they must be equal", weights.shape(), x.shape());
  }
  const Tensor values = x.to(Dtype::int64);
  std::int64_t length = min_length;
  if (x.numel() > 0) {
    const auto low = min(values).item<std::int64_t>(), high = max(values).item<std::int64_t>();
    check<ValueError>(low >= 0, op, "the value {} is negative; only values from 0 on can be counted", low);
    length = std::max(length, checked_add(op, high, 1));
  }
  checked_numel(op, {length}, Dtype::int64);
  const Options o{.dtype = !weights.defined() ? Dtype::int64 : weights.dtype() == Dtype::float32 ? Dtype::float32 : Dtype::float64, .device = x.device()};
  return index_add(zeros({length}, o), 0, values, weights.defined() ? weights.to(*o.dtype) : ones(x.shape(), o));
}

Tensor histc(const Tensor& given, std::int64_t bins, double low, double high) {
  const OpRange here("histc", given);
  constexpr const char* op = "histc";
  check_defined(op, given);
  check<DtypeError>(is_floating(given.dtype()), op, "{} is not supported, expected a floating dtype; convert with .to()", given.dtype());
  check<ValueError>(bins > 0, op, "{} bins are asked for; use at least 1", bins);
  check<ValueError>(low <= high, op, "the range from {} to {} is empty; high must not be below low", low, high);
  const Dtype compute = given.dtype() == Dtype::float64 ? Dtype::float64 : Dtype::float32;
  const Tensor x = given.detach().to(compute).reshape({given.numel()});
  if (low == high && x.numel() > 0) low = min(x).item<double>(), high = max(x).item<double>();
  check<ValueError>(std::isfinite(low) && std::isfinite(high), op, "the range from {} to {} is not finite; pass low and high", low, high);
  if (low == high) low -= 1, high += 1;
  const Tensor inside = masked_select(x, logical_and(ge(x, low), le(x, high)));
  const Tensor bin = clamp(floor(div(mul(sub(inside, low), bins), high - low)).to(Dtype::int64), 0, bins - 1);
  const Options counts{.dtype = Dtype::int64, .device = x.device()};
  return index_add(zeros({bins}, counts), 0, bin, ones(bin.shape(), counts)).to(given.dtype());
}

Tensor in_top_k(const Tensor& predictions, const Tensor& targets, std::int64_t k) {
  const OpRange here("in_top_k", predictions, targets);
  constexpr const char* op = "in_top_k";
  check_defined(op, predictions, "predictions");
  check_defined(op, targets, "targets");
  check_same_device(op, predictions, targets);
  check<DtypeError>(is_floating(predictions.dtype()), op, "predictions have dtype {}; expected a floating dtype", predictions.dtype());
  check<DtypeError>(targets.dtype() == Dtype::int64 || targets.dtype() == Dtype::int32, op, "targets have dtype {}, expected int64 or int32", targets.dtype());
  check<ShapeError>(predictions.dim() == 2 && targets.shape() == Shape{predictions.size(0)}, op, "takes predictions [N, C] and targets [N], got {} and {}", predictions.shape(), targets.shape());
  check<ValueError>(k >= 0, op, "k is {}; it must not be negative", k);
  const Tensor x = predictions.detach(), classes = targets.to(Dtype::int64);
  const Tensor inside = logical_and(ge(classes, 0), lt(classes, x.size(1)));
  if (x.size(1) == 0) return inside;
  const Tensor own = gather(x, 1, unsqueeze(where(inside, classes, 0), 1));
  const Tensor above = sum(gt(x, own), {1}), finite = all(isfinite(x), 1);
  return logical_and(logical_and(inside, finite), lt(above, k));
}

Tensor isin(const Tensor& x, const Tensor& test, bool invert) {
  const OpRange here("isin", x, test);
  constexpr const char* op = "isin";
  check_defined(op, x);
  check_defined(op, test, "test");
  check_same_device(op, x, test);
  const auto n = test.numel(), m = x.numel();
  if (n == 0) return full(x.shape(), invert, {.dtype = Dtype::boolean, .device = x.device()});
  const Dtype common = promote(x.dtype(), test.dtype());
  const Tensor sorted = sort(test.detach().to(common).reshape({n}), 0).values, values = x.detach().to(common).reshape({m});
  const Tensor at = clamp(search(sorted.reshape({1, n}), values.reshape({1, m}), false).reshape({m}), {}, n - 1);
  const Tensor found = index_select(sorted, 0, at);
  return (invert ? ne(found, values) : eq(found, values)).reshape(x.shape());
}

}  // namespace rill
