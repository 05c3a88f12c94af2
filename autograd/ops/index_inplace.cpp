// In-place forms of writing by index: the out-of-place op, moved into x.
#include <rill/ops/index.h>

#include "autograd/inplace.h"
#include "lib/core/op_range.h"

namespace rill {

const Tensor& scatter_(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  const OpRange here("scatter_", x, index, source);
  return rewrite("scatter_", x, [&](const Tensor& before) { return scatter(before, axis, index, source); });
}
const Tensor& scatter_(const Tensor& x, std::int64_t axis, const Tensor& index, Scalar value) {
  const OpRange here("scatter_", x, index);
  return rewrite("scatter_", x, [&](const Tensor& before) { return scatter(before, axis, index, value); });
}
const Tensor& scatter_add_(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  const OpRange here("scatter_add_", x, index, source);
  return rewrite("scatter_add_", x, [&](const Tensor& before) { return scatter_add(before, axis, index, source); });
}
const Tensor& scatter_reduce_(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source, ScatterReduce reduce, bool include_self) {
  const OpRange here("scatter_reduce_", x, index, source);
  return rewrite("scatter_reduce_", x, [&](const Tensor& before) { return scatter_reduce(before, axis, index, source, reduce, include_self); });
}
const Tensor& index_add_(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source, Scalar alpha) {
  const OpRange here("index_add_", x, index, source);
  return rewrite("index_add_", x, [&](const Tensor& before) { return index_add(before, axis, index, source, alpha); });
}
const Tensor& index_copy_(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  const OpRange here("index_copy_", x, index, source);
  return rewrite("index_copy_", x, [&](const Tensor& before) { return index_copy(before, axis, index, source); });
}
const Tensor& index_fill_(const Tensor& x, std::int64_t axis, const Tensor& index, Scalar value) {
  const OpRange here("index_fill_", x, index);
  return rewrite("index_fill_", x, [&](const Tensor& before) { return index_fill(before, axis, index, value); });
}
const Tensor& masked_scatter_(const Tensor& x, const Tensor& mask, const Tensor& source) {
  const OpRange here("masked_scatter_", x, mask, source);
  return rewrite("masked_scatter_", x, [&](const Tensor& before) { return masked_scatter(before, mask, source); });
}

}  // namespace rill
