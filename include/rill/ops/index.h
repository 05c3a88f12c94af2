// Reading and writing by index. Indices are int64 tensors (int32 and uint8 are accepted where noted); every value is range
// checked: IndexError names the value, its position and the size. Negative values count from the end where noted.
#pragma once

#include <vector>

#include <rill/core/tensor.h>

namespace rill {

/// x at integer tensors / masks / slices, as `x(...)`; a copy when a tensor index takes part, a view otherwise.
/// In `x(...)` negative index values count from the end.
Tensor index_get(const Tensor& x, const std::vector<Index>& indices);
/// Writes `value`, broadcast to the selection, into x. With `accumulate`, duplicates add up; without, the last one in index order wins.
const Tensor& index_put_(const Tensor& x, const std::vector<Index>& indices, const Tensor& value, bool accumulate = false);
Tensor index_put(const Tensor& x, const std::vector<Index>& indices, const Tensor& value, bool accumulate = false);

/// out[i][j][k] = x[index[i][j][k]][j][k] (axis 0). index has the rank of x and sizes <= those of x on the other axes.
Tensor gather(const Tensor& x, std::int64_t axis, const Tensor& index);
/// The reverse of gather: writes source into a copy of x; duplicates: the last one in index order wins.
Tensor scatter(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source);
Tensor scatter(const Tensor& x, std::int64_t axis, const Tensor& index, Scalar value);
Tensor scatter_add(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source);
const Tensor& scatter_(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source);
const Tensor& scatter_(const Tensor& x, std::int64_t axis, const Tensor& index, Scalar value);
const Tensor& scatter_add_(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source);
enum class ScatterReduce : std::uint8_t { sum, prod, mean, amax, amin };
/// Reduces all values that meet at a position; with include_self the value of x takes part (and counts for the mean).
Tensor scatter_reduce(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source, ScatterReduce reduce, bool include_self = true);
const Tensor& scatter_reduce_(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source, ScatterReduce reduce, bool include_self = true);

/// Rows of an axis by a 1-dim (or 0-dim) index.
Tensor index_select(const Tensor& x, std::int64_t axis, const Tensor& index);
Tensor index_add(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source, Scalar alpha = 1);
Tensor index_copy(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source);
Tensor index_fill(const Tensor& x, std::int64_t axis, const Tensor& index, Scalar value);
const Tensor& index_add_(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source, Scalar alpha = 1);
const Tensor& index_copy_(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source);
const Tensor& index_fill_(const Tensor& x, std::int64_t axis, const Tensor& index, Scalar value);

/// Elements of the flattened tensor, in the shape of the index; negative values count from the end.
Tensor take(const Tensor& x, const Tensor& index);
/// gather with broadcasting of the other axes.
Tensor take_along_dim(const Tensor& x, const Tensor& index, std::int64_t axis);

/// mask is bool and broadcasts to x.
Tensor masked_fill(const Tensor& x, const Tensor& mask, Scalar value);
const Tensor& masked_fill_(const Tensor& x, const Tensor& mask, Scalar value);
/// The selected elements in row-major order, rank 1.
Tensor masked_select(const Tensor& x, const Tensor& mask);
/// Copies elements of source, in order, to where mask is true. ShapeError when source is too short.
Tensor masked_scatter(const Tensor& x, const Tensor& mask, const Tensor& source);
const Tensor& masked_scatter_(const Tensor& x, const Tensor& mask, const Tensor& source);

/// int64 [n, rank] coordinates of the elements that are not zero, in row-major order.
Tensor nonzero(const Tensor& x);
/// The same as one index tensor per axis: `where(condition)` of PyTorch.
std::vector<Tensor> where(const Tensor& condition);
/// int64 [..., classes] of 0 and 1; classes = -1 takes largest index + 1.
Tensor one_hot(const Tensor& index, std::int64_t classes = -1);

}  // namespace rill
