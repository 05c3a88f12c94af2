// Sorting along an axis. The values are a permutation (or a part) of the rows, so the gradient is scattered back by the indices.
#include <rill/ops/create.h>
#include <rill/ops/index.h>
#include <rill/ops/sort.h>

#include <limits>

#include "autograd/record.h"
#include "backends/api/backend.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

/// The first `count` in order; count < 0: all.
ValuesIndices sorted(const char* op, const Tensor& x, std::int64_t axis, bool descending, std::int64_t count) {
  const OpRange here(op, x);
  check_defined(op, x);
  const auto& i = impl(x);
  axis = wrap_axis(op, axis, i.shape.rank());
  const std::int64_t n = i.shape.rank() ? i.shape[axis] : 1;
  check<ValueError>(count <= n, op, "k is {}, but axis {} of {} has only {} elements", count, axis, i.shape, n);
  check<Unimplemented>(n <= std::numeric_limits<std::uint32_t>::max() || size_of(i.dtype) == 8, op, "rows of {} elements are too long for {}; convert to a 64-bit dtype", n, i.dtype);
  Shape shape = i.shape;
  if (count >= 0 && shape.rank() > 0) shape[axis] = count;
  if (count == 0 && shape.rank() == 0) shape = {0};
  Tensor values = make_tensor(shape, i.dtype, i.device), indices = make_tensor(shape, Dtype::int64, i.device);
  if (impl(values).numel > 0) kernels(x).sort(view(x), static_cast<int>(axis), descending, view(values), view(indices));
  if (recording(x))
    values = record(op, std::move(values), grad(x, [shape = i.shape, axis, at = save(indices)](const Tensor& g) {
      return scatter(zeros(shape, {.dtype = g.dtype(), .device = g.device()}), axis, at(), g);
    }));
  return {values, indices};
}

}  // namespace

ValuesIndices sort(const Tensor& x, std::int64_t axis, bool descending) { return sorted("sort", x, axis, descending, -1); }
Tensor argsort(const Tensor& x, std::int64_t axis, bool descending) {
  const OpRange here("argsort", x);
  check_defined("argsort", x);
  return sorted("argsort", x.detach(), axis, descending, -1).indices;
}
Tensor msort(const Tensor& x) { return sorted("msort", x, 0, false, -1).values; }

ValuesIndices topk(const Tensor& x, std::int64_t k, std::int64_t axis, bool largest) {
  const OpRange here("topk", x);
  check<ValueError>(k >= 0, "topk", "k is {}; it must not be negative", k);
  return sorted("topk", x, axis, largest, k);
}

}  // namespace rill
