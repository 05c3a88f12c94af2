// Joining, splitting, repeating and reordering.
#pragma once

#include <cstdint>
#include <vector>

#include <rill/core/tensor.h>

namespace rill {

/// Joins along an existing axis; other sizes must match. Empty 1-dim tensors are skipped. Channels-last tensors give a channels-last one.
Tensor cat(const std::vector<Tensor>& tensors, std::int64_t axis = 0);
/// Joins along a new axis; shapes must match.
Tensor stack(const std::vector<Tensor>& tensors, std::int64_t axis = 0);
Tensor hstack(const std::vector<Tensor>& tensors);
Tensor vstack(const std::vector<Tensor>& tensors);
Tensor dstack(const std::vector<Tensor>& tensors);
/// hstack with tensors below rank 2 as columns.
Tensor column_stack(const std::vector<Tensor>& tensors);
/// Pieces of `size` along an axis, the last one smaller.
std::vector<Tensor> split(const Tensor& x, std::int64_t size, std::int64_t axis = 0);
/// Pieces of the given sizes, which must add up.
std::vector<Tensor> split_with_sizes(const Tensor& x, const Dims& sizes, std::int64_t axis = 0);
/// At most n pieces of ceil(size / n).
std::vector<Tensor> chunk(const Tensor& x, std::int64_t n, std::int64_t axis = 0);
/// Exactly n pieces whose sizes differ by at most one.
std::vector<Tensor> tensor_split(const Tensor& x, std::int64_t n, std::int64_t axis = 0);
/// Pieces that end before the given positions, and the rest; positions are clipped and may count from the end, as slices do.
std::vector<Tensor> tensor_split(const Tensor& x, const Dims& positions, std::int64_t axis = 0);
/// One tensor per position of an axis, without it.
std::vector<Tensor> unbind(const Tensor& x, std::int64_t axis = 0);
/// Copies of the whole tensor, `repeats[i]` times along axis i; new axes appear at the left.
Tensor repeat(const Tensor& x, const Dims& repeats);
/// NumPy's tile: like repeat, but missing leading repeats are 1.
Tensor tile(const Tensor& x, const Dims& repeats);
/// Each element `repeats` times in a row; without axis the tensor is flattened first.
Tensor repeat_interleave(const Tensor& x, std::int64_t repeats);
Tensor repeat_interleave(const Tensor& x, std::int64_t repeats, std::int64_t axis);
/// Element i along `axis` repeats[i] times (int64 tensor of rank 1).
Tensor repeat_interleave(const Tensor& x, const Tensor& repeats, std::int64_t axis);
/// Reverses the order along the axes (a copy).
Tensor flip(const Tensor& x, const Dims& axes);
/// Shifts cyclically; without axes over the flattened tensor.
Tensor roll(const Tensor& x, std::int64_t shift);
Tensor roll(const Tensor& x, const Dims& shifts, const Dims& axes);
Tensor rot90(const Tensor& x, std::int64_t times = 1, std::int64_t axis1 = 0, std::int64_t axis2 = 1);
/// Lower (upper) triangle of the last two axes: elements with column - row <= (>=) diagonal; the others become 0.
Tensor tril(const Tensor& x, std::int64_t diagonal = 0);
Tensor triu(const Tensor& x, std::int64_t diagonal = 0);
/// Rank 1: a matrix with x on a diagonal; rank 2: that diagonal.
Tensor diag(const Tensor& x, std::int64_t diagonal = 0);
/// The last axis becomes a diagonal of two new last axes.
Tensor diag_embed(const Tensor& x, std::int64_t offset = 0);
enum class GridIndexing : std::uint8_t { ij, xy };
/// Grids of coordinates: output k varies along axis k, with `xy` the first two axes trade places.
std::vector<Tensor> meshgrid(const std::vector<Tensor>& axes, GridIndexing indexing = GridIndexing::ij);
/// All combinations of one element from each tensor (rank 1), the last one varying fastest: [product of the sizes, count]; of a single tensor itself.
Tensor cartesian_prod(const std::vector<Tensor>& tensors);
/// All choices of `r` elements of a rank-1 tensor in their order: [count, r]; with_replacement: an element may come again.
struct CombinationOptions { bool with_replacement = false; };
Tensor combinations(const Tensor& x, std::int64_t r = 2, CombinationOptions options = {});
/// Views with size-1 axes added where the rank is lower: [n] becomes [1, n], and then [1, n, 1].
std::vector<Tensor> atleast_1d(const std::vector<Tensor>& tensors);
std::vector<Tensor> atleast_2d(const std::vector<Tensor>& tensors);
std::vector<Tensor> atleast_3d(const std::vector<Tensor>& tensors);
Tensor block_diag(const std::vector<Tensor>& matrices);
/// [N, C r^2, H, W] -> [N, C, H r, W r] and back. Shi et al. 2016.
Tensor pixel_shuffle(const Tensor& x, std::int64_t factor);
Tensor pixel_unshuffle(const Tensor& x, std::int64_t factor);
Tensor channel_shuffle(const Tensor& x, std::int64_t groups);

}  // namespace rill
