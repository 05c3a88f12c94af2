// Order statistics: one element of each row. Along an axis the gradient goes to that element; without axis it is shared by all equal ones.
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/sort.h>
#include <rill/ops/view.h>

#include <cmath>
#include <limits>

#include "autograd/record.h"
#include "backends/api/backend.h"

namespace rill {
namespace {

/// The statistic of every row. `axis` is wrapped.
ValuesIndices pick(const char* op, const Tensor& x, std::int64_t axis, bool keepdim, Order order, std::int64_t k = 0) {
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
  axis = checked_axis("kthvalue", x, axis);
  const auto n = x.dim() ? x.size(axis) : 1;
  check<ValueError>(k >= 1 && k <= n, "kthvalue", "k is {}, but axis {} of {} has {} elements; k counts from 1", k, axis, x.shape(), n);
  return pick("kthvalue", x, axis, keepdim, Order::kth, k - 1);
}

Tensor quantile(const Tensor& x, double q) {
  check_defined("quantile", x);
  return quantile(x.reshape({x.numel()}), q, 0, false);
}
Tensor quantile(const Tensor& x, double q, std::int64_t axis, bool keepdim) {
  constexpr const char* op = "quantile";
  axis = checked_axis(op, x, axis);
  check<DtypeError>(x.dtype() == Dtype::float32 || x.dtype() == Dtype::float64, op, "{} is not supported, expected float32 or float64; convert with .to()", x.dtype());
  check<ValueError>(q >= 0 && q <= 1, op, "q is {}; it must lie in [0, 1]", q);
  if (x.dim() == 0) return quantile(x.reshape({1}), q, 0, false);
  const Tensor ordered = sort(x, axis).values;
  const auto n = x.size(axis);
  const double rank = q * static_cast<double>(n - 1);
  const auto below = static_cast<std::int64_t>(std::floor(rank));
  const double weight = rank - static_cast<double>(below);
  const auto at = [&](std::int64_t i) { return narrow(ordered, axis, i, 1); };
  Tensor out = weight == 0 ? at(below) : lerp(at(below), at(below + 1), weight);
  const Tensor last = at(n - 1);  // NaN, if the row has one
  out = where(isnan(last), last, out);
  return keepdim ? out : squeeze(out, {axis});
}

}  // namespace rill
