// Largest and smallest elements and their places.
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

#include "autograd/elementwise.h"
#include "autograd/record.h"
#include "autograd/reduction.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

void check_not_empty(const char* op, const Tensor& x, std::int64_t count) {
  check<ValueError>(count > 0, op, "{} has no elements to choose from on the reduced axes; an extreme needs at least one", describe(x));
}

Tensor extreme_over(const char* op, Reduce what, const Tensor& x, const Dims& given, bool keepdim) {
  const OpRange here(op, x);
  const AxisSet axes(op, x, given, keepdim);
  check_not_empty(op, x, axes.count);
  return record(op, reduce(what, x, axes), grad(x, [x = save(x), given, kept = axes.kept](const Tensor& g, const Tensor& y) {
    const Tensor value = reshape(y.detach(), kept), in = x().detach();
    const Tensor chosen = logical_or(eq(in, value), logical_and(isnan(in), isnan(value)));
    const Tensor share = chosen.to(g.dtype()) / sum(chosen, given, true).to(g.dtype());  // equal extremes share evenly
    return reshape(g, kept) * share;
  }));
}

/// Values are undefined when they are not wanted. The axis is brought to the end, so that rows are contiguous.
ValuesIndices arg_extreme(const char* op, bool largest, const Tensor& x, std::int64_t axis, bool keepdim, bool values) {
  const OpRange here(op, x);
  const AxisSet axes(op, x, {axis}, keepdim);
  check_not_empty(op, x, axes.count);
  Tensor rows = x.detach();
  if (x.dim() > 0) rows = movedim(rows, {axis}, {-1});
  rows = rows.to(compute_dtype(x.dtype())).contiguous();
  Tensor found = values ? make_tensor(axes.out, rows.dtype(), x.device()) : Tensor();
  Tensor at = make_tensor(axes.out, Dtype::int64, x.device());
  View none{};
  kernels(x).arg_extreme(largest, view(rows), axes.count, values ? view(found) : none, view(at));
  return {values ? found.to(x.dtype()) : Tensor(), at};
}

ValuesIndices extreme_at(const char* op, bool largest, const Tensor& x, std::int64_t axis, bool keepdim) {
  const OpRange here(op, x);
  auto [values, indices] = arg_extreme(op, largest, x, axis, keepdim, true);
  if (x.dim() == 0) return {record(op, values, grad(x, [](const Tensor& g) { return g; })), indices};
  const Shape kept = AxisSet(op, x, {axis}, true).out;
  return {record(op, values, grad(x, [shape = x.shape(), axis, kept, indices = indices](const Tensor& g) {
            return scatter(zeros(shape, {.dtype = g.dtype(), .device = g.device()}), axis, reshape(indices, kept), reshape(g, kept));
          })),
          indices};
}

Tensor flat(const char* op, const Tensor& x) {
  check_defined(op, x);
  return reshape(x.detach(), {-1});
}

}  // namespace

Tensor max(const Tensor& x) { return extreme_over("max", Reduce::max, x, {}, false); }
Tensor min(const Tensor& x) { return extreme_over("min", Reduce::min, x, {}, false); }
Tensor amax(const Tensor& x, const Dims& axes, bool keepdim) { return extreme_over("amax", Reduce::max, x, axes, keepdim); }
Tensor amin(const Tensor& x, const Dims& axes, bool keepdim) { return extreme_over("amin", Reduce::min, x, axes, keepdim); }
std::pair<Tensor, Tensor> aminmax(const Tensor& x) { return {extreme_over("aminmax", Reduce::min, x, {}, false), extreme_over("aminmax", Reduce::max, x, {}, false)}; }
std::pair<Tensor, Tensor> aminmax(const Tensor& x, std::int64_t axis, bool keepdim) {
  const OpRange here("aminmax", x);
  return {extreme_over("aminmax", Reduce::min, x, {axis}, keepdim), extreme_over("aminmax", Reduce::max, x, {axis}, keepdim)};
}
ValuesIndices max(const Tensor& x, std::int64_t axis, bool keepdim) { return extreme_at("max", true, x, axis, keepdim); }
ValuesIndices min(const Tensor& x, std::int64_t axis, bool keepdim) { return extreme_at("min", false, x, axis, keepdim); }

Tensor argmax(const Tensor& x, std::int64_t axis, bool keepdim) { return arg_extreme("argmax", true, x, axis, keepdim, false).indices; }
Tensor argmin(const Tensor& x, std::int64_t axis, bool keepdim) { return arg_extreme("argmin", false, x, axis, keepdim, false).indices; }
Tensor argmax(const Tensor& x) { return argmax(flat("argmax", x), 0); }
Tensor argmin(const Tensor& x) { return argmin(flat("argmin", x), 0); }

Tensor Tensor::max() const { return rill::max(*this); }
Tensor Tensor::min() const { return rill::min(*this); }
Tensor Tensor::argmax() const { return rill::argmax(*this); }
Tensor Tensor::argmax(std::int64_t axis, bool keepdim) const { return rill::argmax(*this, axis, keepdim); }

}  // namespace rill
