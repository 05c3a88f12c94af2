// Order statistics: one element of each row. Along an axis the gradient goes to that element; without axis it is shared by all equal ones.
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/reduce.h>
#include <rill/ops/sort.h>
#include <rill/ops/view.h>

#include <cmath>
#include <limits>

#include "autograd/record.h"
#include "backends/api/backend.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

/// The statistic of every row. `axis` is wrapped.
ValuesIndices pick(const char* op, const Tensor& x, std::int64_t axis, bool keepdim, Order order, std::int64_t k = 0) {
  const OpRange here(op, x);
  const auto& i = impl(x);
  Shape kept = i.shape, dropped = i.shape;
  if (kept.rank() > 0) kept[axis] = 1, dropped.erase(static_cast<int>(axis));
  Tensor at = make_tensor(kept, Dtype::int64, i.device);
  if (impl(at).numel > 0) kernels(x).order_statistic(view(x), static_cast<int>(axis), order, k, view(at));
  const Shape& shape = keepdim ? kept : dropped;
  Tensor values = gather(x.detach(), axis, at).reshape(shape);
  if (recording(x))
    values = record(op, std::move(values), grad(x, [shape = i.shape, kept, axis, at](const Tensor& g) {
      return scatter(zeros(shape, {.dtype = g.dtype(), .device = g.device()}), axis, at, g.reshape(kept));
    }));
  return {values, at.reshape(shape).clone()};  // the caller's indices are not those that backward reads
}

std::int64_t checked_axis(const char* op, const Tensor& x, std::int64_t axis) {
  check_defined(op, x);
  axis = wrap_axis(op, axis, x.dim());
  const auto n = x.dim() ? x.size(axis) : 1;
  check<ValueError>(n > 0, op, "axis {} of {} is empty; an empty row has no {}", axis, x.shape(), op);
  check<Unimplemented>(n <= std::numeric_limits<std::uint32_t>::max() || x.element_size() == 8, op, "rows of {} elements are too long for {}; convert to a 64-bit dtype", n, x.dtype());
  return axis;
}

Tensor median_of_all(const char* op, const Tensor& x, Order order) {
  const OpRange here(op, x);
  check_defined(op, x);
  if (x.numel() == 0) {
    check<ValueError>(is_floating(x.dtype()), op, "{} has no elements and its dtype no NaN to return", describe(x));
    return full({}, std::numeric_limits<double>::quiet_NaN(), {.dtype = x.dtype(), .device = x.device()});
  }
  const Tensor flat = x.detach().reshape({x.numel()});
  Tensor out = pick(op, flat, checked_axis(op, flat, 0), false, order).values;
  return record(op, std::move(out), grad(x, [saved = save(x)](const Tensor& g, const Tensor& y) {
    const Tensor a = saved().detach(), m = y.detach();
    const Tensor same = logical_or(eq(a, m), logical_and(isnan(a), isnan(m))).to(g.dtype());
    return g * (same / sum(same));
  }));
}

}  // namespace

Tensor median(const Tensor& x) { return median_of_all("median", x, Order::median); }
Tensor nanmedian(const Tensor& x) { return median_of_all("nanmedian", x, Order::nanmedian); }
ValuesIndices median(const Tensor& x, std::int64_t axis, bool keepdim) { return pick("median", x, checked_axis("median", x, axis), keepdim, Order::median); }
ValuesIndices nanmedian(const Tensor& x, std::int64_t axis, bool keepdim) { return pick("nanmedian", x, checked_axis("nanmedian", x, axis), keepdim, Order::nanmedian); }
ValuesIndices mode(const Tensor& x, std::int64_t axis, bool keepdim) { return pick("mode", x, checked_axis("mode", x, axis), keepdim, Order::mode); }
ValuesIndices kthvalue(const Tensor& x, std::int64_t k, std::int64_t axis, bool keepdim) {
  const OpRange here("kthvalue", x);
  axis = checked_axis("kthvalue", x, axis);
  const auto n = x.dim() ? x.size(axis) : 1;
  check<ValueError>(k >= 1 && k <= n, "kthvalue", "k is {}, but axis {} of {} has {} elements; k counts from 1", k, axis, x.shape(), n);
  return pick("kthvalue", x, axis, keepdim, Order::kth, k - 1);
}

// ---- quantiles ------------------------------------------------------------------------------------------------------------------

namespace {
/// Positions in sorted rows, float64, and the share of the second one.
struct Rank { Tensor below, above, weight; };
/// `count`: how many elements of each row take part, float64.
Rank rank_of(const Tensor& count, double q, Interpolation how) {
  const Tensor rank = clamp((count - 1) * q, 0);
  if (how == Interpolation::nearest) return {round(rank), round(rank), {}};
  const Tensor low = floor(rank), high = ceil(rank);
  switch (how) {
    case Interpolation::lower: return {low, low, {}};
    case Interpolation::higher: return {high, high, {}};
    case Interpolation::midpoint: return {low, high, full_like(rank, 0.5)};
    default: return {low, high, rank - low};
  }
}

Tensor quantile_of(const char* op, const Tensor& x, double q, std::int64_t axis, bool keepdim, Interpolation how, bool ignore_nan) {
  const OpRange here(op, x);
  axis = checked_axis(op, x, axis);
  check<DtypeError>(x.dtype() == Dtype::float32 || x.dtype() == Dtype::float64, op, "{} is not supported, expected float32 or float64; convert with .to()", x.dtype());
  check<ValueError>(q >= 0 && q <= 1, op, "q is {}; it must lie in [0, 1]", q);
  if (x.dim() == 0) return quantile_of(op, x.reshape({1}), q, 0, false, how, ignore_nan);
  const Tensor ordered = sort(x, axis).values, last = narrow(ordered, axis, x.size(axis) - 1, 1);  // NaN, if the row has one
  const Tensor numbers = ignore_nan ? sum(logical_not(isnan(x.detach())), {axis}, true) : full(last.shape(), x.size(axis), {.dtype = Dtype::int64, .device = x.device()});
  const Rank r = rank_of(numbers.to(Dtype::float64), q, how);
  const auto at = [&](const Tensor& place) { return gather(ordered, axis, place.to(Dtype::int64)); };
  Tensor out = at(r.below);
  if (r.weight.defined()) out = where(eq(r.below, r.above), out, lerp(out, at(r.above), r.weight.to(x.dtype())));  // inf - inf is NaN
  if (!ignore_nan) out = where(isnan(last.detach()), last, out);
  return keepdim ? out : squeeze(out, {axis});
}
Tensor flattened(const char* op, const Tensor& x) { return check_defined(op, x), x.reshape({x.numel()}); }
}  // namespace

Tensor quantile(const Tensor& x, double q, Interpolation how) { return quantile_of("quantile", flattened("quantile", x), q, 0, false, how, false); }
Tensor quantile(const Tensor& x, double q, std::int64_t axis, bool keepdim, Interpolation how) { return quantile_of("quantile", x, q, axis, keepdim, how, false); }
Tensor nanquantile(const Tensor& x, double q, Interpolation how) { return quantile_of("nanquantile", flattened("nanquantile", x), q, 0, false, how, true); }
Tensor nanquantile(const Tensor& x, double q, std::int64_t axis, bool keepdim, Interpolation how) { return quantile_of("nanquantile", x, q, axis, keepdim, how, true); }

}  // namespace rill
