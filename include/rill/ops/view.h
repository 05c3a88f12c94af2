// Views: other shapes and strides over the same storage. A write through a view is seen by all others, and by the tape.
#pragma once

#include <vector>

#include <rill/core/tensor.h>

namespace rill {

/// The same elements in another shape, without copying; one size may be -1. ShapeError when the strides do not allow it.
Tensor view(const Tensor& x, const Shape& shape);
/// A view when the strides allow it, a copy otherwise; one size may be -1.
Tensor reshape(const Tensor& x, const Shape& shape);
/// Merges the axes start..end into one; a 0-dim tensor becomes 1-dim.
Tensor flatten(const Tensor& x, std::int64_t start = 0, std::int64_t end = -1);
/// Splits one axis into several; one size may be -1.
Tensor unflatten(const Tensor& x, std::int64_t axis, const Shape& sizes);
/// Size-1 axes are repeated with stride 0 and new axes appear at the left; -1 keeps a size.
Tensor expand(const Tensor& x, const Shape& shape);
inline Tensor broadcast_to(const Tensor& x, const Shape& shape) { return expand(x, shape); }
std::vector<Tensor> broadcast_tensors(const std::vector<Tensor>& tensors);
Tensor transpose(const Tensor& x, std::int64_t a, std::int64_t b);
inline Tensor swapaxes(const Tensor& x, std::int64_t a, std::int64_t b) { return transpose(x, a, b); }
/// Axis i of the result is axis axes[i] of x; every axis exactly once.
Tensor permute(const Tensor& x, const Dims& axes);
/// The axes `from` are moved to the positions `to`; the others keep their order.
Tensor movedim(const Tensor& x, const Dims& from, const Dims& to);
/// Drops all axes of size 1, or those among `axes`.
Tensor squeeze(const Tensor& x);
Tensor squeeze(const Tensor& x, const Dims& axes);
Tensor unsqueeze(const Tensor& x, std::int64_t axis);
/// Drops an axis by taking one position on it.
Tensor select(const Tensor& x, std::int64_t axis, std::int64_t index);
/// `length` positions from `start` on.
Tensor narrow(const Tensor& x, std::int64_t axis, std::int64_t start, std::int64_t length);
/// Positions start, start + step, ... before stop; bounds are clipped as in Python.
Tensor slice(const Tensor& x, std::int64_t axis, const Slice& slice);
/// The elements x[.., i, .., i + offset, ..] of two axes as the new last axis.
Tensor diagonal(const Tensor& x, std::int64_t offset = 0, std::int64_t axis1 = 0, std::int64_t axis2 = 1);
/// All windows of `size` elements, `step` apart; the window becomes the last axis.
Tensor unfold(const Tensor& x, std::int64_t axis, std::int64_t size, std::int64_t step);
/// Any geometry inside the storage of x; offset in elements from the first element of x. IndexError when it leaves the storage.
Tensor as_strided(const Tensor& x, const Shape& shape, const Strides& strides, std::int64_t offset = 0);

}  // namespace rill
