// Sums, products, means, counts and questions about all elements.
#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "autograd/autocast.h"
#include "autograd/binary.h"
#include "autograd/record.h"
#include "autograd/reduction.h"
#include "lib/core/op_range.h"

namespace rill {

Tensor spread(const Tensor& g, const Shape& kept, const Shape& shape) {
  return expand(g.shape() == kept ? g : reshape(g, kept), shape);
}

Tensor reduce(Reduce what, const Tensor& x, const AxisSet& axes, double divisor) {
  const Dtype dtype = impl(x).dtype;
  if (dtype != compute_dtype(dtype)) {
    NoGrad off;
    return reduce(what, x.to(compute_dtype(dtype)), axes, divisor).to(dtype);
  }
  const bool whole = !is_floating(dtype) && what != Reduce::max && what != Reduce::min;
  Tensor out = make_tensor(axes.out, whole ? Dtype::int64 : dtype, impl(x).device);
  kernels(x).reduce(what, view(x), axes.mask, divisor, view(out));
  return out;
}

// ---- sums and means -------------------------------------------------------------------------------------------------------------

namespace {
Tensor sum_over(const char* op, const Tensor& x, const AxisSet& axes, double divisor) {
  const OpRange here(op, x);
  return record(op, reduce(Reduce::sum, x, axes, divisor), grad(x, [kept = axes.kept, shape = impl(x).shape, divisor](const Tensor& g) {
    return spread(divisor == 1 ? g : g / divisor, kept, shape);
  }));
}
Tensor mean_over(const Tensor& x, const Dims& given, bool keepdim) {
  const AxisSet axes("mean", x, given, keepdim);
  check<DtypeError>(is_floating(x.dtype()), "mean", "{} is not supported (expected a floating dtype); convert with .to(float32)", x.dtype());
  return sum_over("mean", x, axes, static_cast<double>(axes.count));
}
}  // namespace

Tensor sum(const Tensor& x, const Dims& axes, bool keepdim) {
  if (amp::on()) [[unlikely]] return amp::in_float32([&](const Tensor& t) { return sum(t, axes, keepdim); }, x);
  return sum_over("sum", x, AxisSet("sum", x, axes, keepdim), 1);
}
Tensor sum(const Tensor& x) { return sum(x, {}, false); }
Tensor mean(const Tensor& x, const Dims& axes, bool keepdim) { return mean_over(x, axes, keepdim); }
Tensor mean(const Tensor& x) { return mean_over(x, {}, false); }

Tensor nansum(const Tensor& x, const Dims& axes, bool keepdim) {
  const OpRange here("nansum", x);
  const AxisSet checked("nansum", x, axes, keepdim);
  return sum(is_floating(x.dtype()) ? where(isnan(x), 0, x) : x, axes, keepdim);
}
Tensor nanmean(const Tensor& x, const Dims& axes, bool keepdim) {
  const OpRange here("nanmean", x);
  const AxisSet checked("nanmean", x, axes, keepdim);
  check<DtypeError>(is_floating(x.dtype()), "nanmean", "{} is not supported (expected a floating dtype); convert with .to(float32)", x.dtype());
  const Tensor numbers = logical_not(isnan(x));
  return nansum(x, axes, keepdim) / sum(numbers, axes, keepdim).to(x.dtype());
}

// ---- products -------------------------------------------------------------------------------------------------------------------

namespace {
/// The product of all other elements along the last axis, for every element: right with zeros, quadratic in its length.
Tensor product_of_others(const Tensor& x) {
  const std::int64_t n = x.size(-1);
  Shape square = x.shape();
  square.insert(square.rank(), n);
  const Tensor own = eye(n, n, {.dtype = Dtype::boolean, .device = x.device()});
  return prod(where(own, 1, expand(unsqueeze(x, -2), square)), -1);
}
/// y = prod(x) over the last axis, which y and g have with size 1.
Tensor prod_gradient(const Tensor& g, const Tensor& y, const Tensor& x) {
  if (any(eq(x.detach(), 0)).item<bool>()) return g * product_of_others(x);
  return g * y / x;
}
}  // namespace

Tensor prod(const Tensor& x, std::int64_t axis, bool keepdim) {
  if (amp::on()) [[unlikely]] return amp::in_float32([&](const Tensor& t) { return prod(t, axis, keepdim); }, x);
  const OpRange here("prod", x);
  const AxisSet axes("prod", x, {axis}, keepdim);
  return record("prod", reduce(Reduce::prod, x, axes), grad(x, [x = save(x), axis, kept = axes.kept](const Tensor& g, const Tensor& y) {
    if (x().dim() == 0) return g;
    const Tensor last = prod_gradient(movedim(reshape(g, kept), {axis}, {-1}), movedim(reshape(y, kept), {axis}, {-1}), movedim(x(), {axis}, {-1}));
    return movedim(last, {-1}, {axis});
  }));
}
Tensor prod(const Tensor& x) {
  const OpRange here("prod", x);
  check_defined("prod", x);
  return x.dim() == 1 ? prod(x, 0) : prod(reshape(x, {-1}), 0);
}

// ---- questions ------------------------------------------------------------------------------------------------------------------

namespace {
Tensor truth_of(const char* op, const Tensor& x) {
  check_defined(op, x);
  return x.dtype() == Dtype::boolean ? x : ne(x, 0);
}
Tensor ask(const char* op, Reduce what, const Tensor& x, const Dims& given, bool keepdim) {
  const OpRange here(op, x);
  const AxisSet axes(op, x, given, keepdim);
  return reduce(what, truth_of(op, x), axes);
}
}  // namespace
Tensor all(const Tensor& x) { return ask("all", Reduce::min, x, {}, false); }
Tensor all(const Tensor& x, std::int64_t axis, bool keepdim) { return ask("all", Reduce::min, x, {axis}, keepdim); }
Tensor all(const Tensor& x, const Dims& axes, bool keepdim) { return ask("all", Reduce::min, x, axes, keepdim); }
Tensor any(const Tensor& x, const Dims& axes, bool keepdim) { return ask("any", Reduce::max, x, axes, keepdim); }
Tensor any(const Tensor& x) { return ask("any", Reduce::max, x, {}, false); }
Tensor any(const Tensor& x, std::int64_t axis, bool keepdim) { return ask("any", Reduce::max, x, {axis}, keepdim); }
Tensor count_nonzero(const Tensor& x, const Dims& given) {
  const OpRange here("count_nonzero", x);
  const AxisSet axes("count_nonzero", x, given, false);
  return reduce(Reduce::sum, truth_of("count_nonzero", x), axes);
}

bool equal(const Tensor& a, const Tensor& b) {
  const OpRange here("equal", a, b);
  check_defined("equal", a);
  check_defined("equal", b, "other");
  return a.shape() == b.shape() && all(eq(a, b)).item<bool>();
}
bool allclose(const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan) {
  const OpRange here("allclose", a, b);
  check_defined("allclose", a, "the first operand");
  check_defined("allclose", b, "the second operand");
  broadcast_shapes(a.shape(), b.shape(), "allclose");
  return all(isclose(a, b, {.rtol = rtol, .atol = atol, .equal_nan = equal_nan})).item<bool>();
}

// ---- members --------------------------------------------------------------------------------------------------------------------

Tensor Tensor::sum() const { return rill::sum(*this); }
Tensor Tensor::sum(const Dims& axes, bool keepdim) const { return rill::sum(*this, axes, keepdim); }
Tensor Tensor::mean() const { return rill::mean(*this); }
Tensor Tensor::mean(const Dims& axes, bool keepdim) const { return rill::mean(*this, axes, keepdim); }

}  // namespace rill
