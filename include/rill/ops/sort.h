// Sorting, searching and counting. Every sort is stable: equal elements keep their order, ascending or descending, on every
// machine and for every number of threads. NaN counts as the largest value, and -0 equals 0. Index results are int64.
// Errors: IndexError for an axis outside the rank, DtypeError where noted.
#pragma once

#include <optional>
#include <vector>

#include <rill/core/tensor.h>
#include <rill/ops/reduce.h>

namespace rill {

/// Sorts along an axis; `indices` says where each value came from. The gradient flows back through the permutation.
ValuesIndices sort(const Tensor& x, std::int64_t axis = -1, bool descending = false);
/// The indices of sort.
Tensor argsort(const Tensor& x, std::int64_t axis = -1, bool descending = false);
/// Sorts along the first axis.
Tensor msort(const Tensor& x);
/// The k largest (smallest) values along an axis, best first; of equal ones those with the lower index. ValueError when k is negative
/// or larger than the axis.
ValuesIndices topk(const Tensor& x, std::int64_t k, std::int64_t axis = -1, bool largest = true);

/// The median of the values that are not NaN; NaN when there are none. See median in reduce.h.
Tensor nanmedian(const Tensor& x);
ValuesIndices nanmedian(const Tensor& x, std::int64_t axis, bool keepdim = false);

/// Where `values` would have to be inserted to keep the last axis of `sorted` in order, int64 [..., m]: before equal elements
/// (`right`: behind them). `sorted` is [n], or [..., n] with the leading axes of `values`, and is trusted to be sorted.
/// ShapeError when the axes do not fit, DtypeError for bool and when the dtypes differ.
Tensor searchsorted(const Tensor& sorted, const Tensor& values, bool right = false);
Tensor searchsorted(const Tensor& sorted, Scalar value, bool right = false);
/// The bucket of each element: i with boundaries[i - 1] < x <= boundaries[i] (`right`: boundaries[i - 1] <= x < boundaries[i]).
Tensor bucketize(const Tensor& x, const Tensor& boundaries, bool right = false);

/// Which extra results unique computes, and over what.
struct UniqueOptions {
  bool inverse = false, counts = false;
  std::optional<std::int64_t> axis = {};  ///< compare whole slices along this axis; without it, single elements
};
/// values[inverse] is x; counts says how often each value occurs. What was not asked for is undefined.
struct Unique { Tensor values, inverse, counts; };
/// The different elements (slices) in increasing (lexicographic) order. Every NaN differs from all others. No gradient flows.
Unique unique(const Tensor& x, UniqueOptions options = {});
/// The same for runs of equal neighbours, without sorting.
Unique unique_consecutive(const Tensor& x, UniqueOptions options = {});

/// How often 0, 1, 2, ... occurs in an integer tensor of rank 1, at least `min_length` counts: int64. With `weights`, their sums: the dtype
/// of float32 weights, float64 for others. ValueError for a negative value.
Tensor bincount(const Tensor& x, const Tensor& weights = {}, std::int64_t min_length = 0);
/// Counts in `bins` equal bins from `low` to `high`, both inside; other elements are left out. low = high takes the smallest and the
/// largest element. Floating dtypes only. ValueError for bins < 1, high < low or a range that is not finite.
Tensor histc(const Tensor& x, std::int64_t bins = 100, double low = 0, double high = 0);

/// bool: is the element of x equal to any element of `test`? NaN equals nothing.
Tensor isin(const Tensor& x, const Tensor& test, bool invert = false);

/// bool [N]: do fewer than k classes score strictly more than the target in a row of predictions [N, C] (TensorFlow's in_top_k)? false for
/// a target outside [0, C) and for a row with NaN or infinite scores. ValueError for a negative k.
Tensor in_top_k(const Tensor& predictions, const Tensor& targets, std::int64_t k);

}  // namespace rill
