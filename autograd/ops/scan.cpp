// Running sums, products and extremes.
#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/reduce.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "autograd/autocast.h"
#include "autograd/elementwise.h"
#include "autograd/record.h"
#include "backends/api/backend.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

/// Never recorded. Sums and products of bool and integers run in int64, 16-bit floats in float32.
Tensor run_scan(const char* op, Scan what, const Tensor& x, std::int64_t& axis, Tensor* indices = nullptr) {
  check_defined(op, x);
  axis = wrap_axis(op, axis, x.dim());
  const Dtype dtype = x.dtype();
  Dtype compute = compute_dtype(dtype);
  if (!is_floating(dtype)) {
    check<DtypeError>(what != Scan::logsumexp, op, "{} is not supported (expected a floating dtype); convert with .to(float32)", dtype);
    if (what == Scan::sum || what == Scan::prod) compute = Dtype::int64;
    else if (dtype == Dtype::boolean) compute = Dtype::uint8;
  }
  const Dtype result = what == Scan::sum || what == Scan::prod ? (is_floating(dtype) ? dtype : Dtype::int64) : dtype;
  NoGrad off;
  const Tensor in = x.detach().to(compute);
  Tensor out = make_tensor(x.shape(), compute, x.device());
  View places{};
  if (indices) {
    *indices = make_tensor(x.shape(), Dtype::int64, x.device());
    places = view(*indices);
  }
  kernels(x).scan(what, view(in), static_cast<int>(axis), view(out), indices ? &places : nullptr);
  return out.to(result);
}

/// From each element to the end of the axis.
Tensor sum_from_here(const Tensor& g, std::int64_t axis) { return g.dim() == 0 ? g : flip(cumsum(flip(g, {axis}), axis), {axis}); }

/// d(cumprod)/dx along the last axis where x has zeros: for every j the products with x_j left out, quadratic in the length.
Tensor cumprod_gradient_with_zeros(const Tensor& g, const Tensor& x) {
  const std::int64_t n = x.size(-1);
  Shape square = x.shape();
  square.insert(square.rank(), n);
  const Tensor own = eye(n, n, {.dtype = Dtype::boolean, .device = x.device()});
  const Tensor others = cumprod(where(own, 1, expand(unsqueeze(x, -2), square)), -1);  // [.., j, i]
  return sum(triu(others) * unsqueeze(g, -2), {-1});
}

ValuesIndices running_extreme(const char* op, Scan what, const Tensor& x, std::int64_t axis) {
  const OpRange here(op, x);
  Tensor indices;
  const Tensor values = run_scan(op, what, x, axis, &indices);
  return {record(op, values, grad(x, [shape = x.shape(), axis, indices](const Tensor& g) {
            if (g.dim() == 0) return g;
            return scatter_add(zeros(shape, {.dtype = g.dtype(), .device = g.device()}), axis, indices, g);
          })),
          indices};
}

}  // namespace

Tensor cumsum(const Tensor& x, std::int64_t axis) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&cumsum, x, axis);
  const OpRange here("cumsum", x);
  const Tensor y = run_scan("cumsum", Scan::sum, x, axis);
  return record("cumsum", y, grad(x, [axis](const Tensor& g) { return sum_from_here(g, axis); }));
}

Tensor cumprod(const Tensor& x, std::int64_t axis) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&cumprod, x, axis);
  const OpRange here("cumprod", x);
  const Tensor y = run_scan("cumprod", Scan::prod, x, axis);
  return record("cumprod", y, grad(x, [axis, x = save(x)](const Tensor& g, const Tensor& y) {
    if (x().dim() == 0) return g;
    if (!any(eq(x().detach(), 0)).item<bool>()) return sum_from_here(g * y, axis) / x();
    return movedim(cumprod_gradient_with_zeros(movedim(g, {axis}, {-1}), movedim(x(), {axis}, {-1})), {-1}, {axis});
  }));
}

ValuesIndices cummax(const Tensor& x, std::int64_t axis) { return running_extreme("cummax", Scan::max, x, axis); }
ValuesIndices cummin(const Tensor& x, std::int64_t axis) { return running_extreme("cummin", Scan::min, x, axis); }

Tensor logcumsumexp(const Tensor& x, std::int64_t axis) {
  const OpRange here("logcumsumexp", x);
  const Tensor y = run_scan("logcumsumexp", Scan::logsumexp, x, axis);
  return record("logcumsumexp", y, grad(x, [axis, x = save(x)](const Tensor& g, const Tensor& y) {
    if (x().dim() == 0) return g;
    // sum over i >= j of g_i e^(x_j - y_i); y grows along the axis, so that no term exceeds 1
    const Tensor from = unsqueeze(movedim(x(), {axis}, {-1}), -1), to = unsqueeze(movedim(y, {axis}, {-1}), -2);  // [.., j, 1], [.., 1, i]
    const Tensor later = triu(ones({from.size(-2), from.size(-2)}, {.dtype = Dtype::boolean, .device = g.device()}));
    const Tensor weight = where(later, exp(where(later, from - to, 0)), 0);
    return movedim(sum(weight * unsqueeze(movedim(g, {axis}, {-1}), -2), {-1}), {-1}, {axis});
  }));
}

Tensor diff(const Tensor& x, std::int64_t n, std::int64_t axis) {
  const OpRange here("diff", x);
  check_defined("diff", x);
  check<ShapeError>(x.dim() > 0, "diff", "a number has no axis to take differences along; expected rank 1 or more");
  check<ValueError>(n >= 0, "diff", "n is {}; expected 0 or more", n);
  axis = wrap_axis("diff", axis, x.dim());
  Tensor y = x;
  for (; n > 0 && y.size(axis) > 0; --n) {
    const std::int64_t length = y.size(axis) - 1;
    const Tensor next = y.narrow(axis, 1, length), here = y.narrow(axis, 0, length);
    y = y.dtype() == Dtype::boolean ? logical_xor(next, here) : next - here;
  }
  return y;
}

}  // namespace rill
