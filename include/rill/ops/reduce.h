// Reductions. Axes may be negative and must not repeat; an empty list of axes means all of them. `keepdim` leaves size-1 axes.
// Sums are blocked, so that float32 stays accurate over millions of elements; the result does not depend on the thread count.
// Errors: IndexError for an axis outside the rank or listed twice, DtypeError where noted, ValueError for an empty reduction
// without an identity.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <rill/core/tensor.h>

namespace rill {

/// bool and integers are summed in int64; 16-bit floats in float32. Empty: 0.
Tensor sum(const Tensor& x);
Tensor sum(const Tensor& x, const Dims& axes, bool keepdim = false);
/// Like sum; the gradient is right with zeros present. Empty: 1.
Tensor prod(const Tensor& x);
Tensor prod(const Tensor& x, std::int64_t axis, bool keepdim = false);
/// Floating dtypes only (DtypeError: convert first). Empty: NaN.
Tensor mean(const Tensor& x);
Tensor mean(const Tensor& x, const Dims& axes, bool keepdim = false);
/// Ignore NaN.
Tensor nansum(const Tensor& x, const Dims& axes = {}, bool keepdim = false);
Tensor nanmean(const Tensor& x, const Dims& axes = {}, bool keepdim = false);

/// Two passes; divided by count - correction (1: unbiased, NaN for one element; 0: biased).
struct VarOptions { double correction = 1; bool keepdim = false; };
Tensor var(const Tensor& x, const Dims& axes = {}, VarOptions options = {});
Tensor std(const Tensor& x, const Dims& axes = {}, VarOptions options = {});
std::pair<Tensor, Tensor> var_mean(const Tensor& x, const Dims& axes = {}, VarOptions options = {});
std::pair<Tensor, Tensor> std_mean(const Tensor& x, const Dims& axes = {}, VarOptions options = {});

struct ValuesIndices { Tensor values, indices; };  ///< indices are int64
/// NaN wins. The gradient is shared evenly by equal maxima (amax, max without axis) or goes to the returned index (max with axis).
Tensor max(const Tensor& x);
Tensor min(const Tensor& x);
ValuesIndices max(const Tensor& x, std::int64_t axis, bool keepdim = false);
ValuesIndices min(const Tensor& x, std::int64_t axis, bool keepdim = false);
Tensor amax(const Tensor& x, const Dims& axes = {}, bool keepdim = false);
Tensor amin(const Tensor& x, const Dims& axes = {}, bool keepdim = false);
std::pair<Tensor, Tensor> aminmax(const Tensor& x);
std::pair<Tensor, Tensor> aminmax(const Tensor& x, std::int64_t axis, bool keepdim = false);
/// int64 index of the first largest (smallest) element; without axis, of the flattened tensor. NaN wins.
Tensor argmax(const Tensor& x);
Tensor argmax(const Tensor& x, std::int64_t axis, bool keepdim = false);
Tensor argmin(const Tensor& x);
Tensor argmin(const Tensor& x, std::int64_t axis, bool keepdim = false);

/// bool results; elements count as true where they are not zero. Empty: all is true, any is false.
Tensor all(const Tensor& x);
Tensor all(const Tensor& x, std::int64_t axis, bool keepdim = false);
Tensor all(const Tensor& x, const Dims& axes, bool keepdim = false);
Tensor any(const Tensor& x);
Tensor any(const Tensor& x, std::int64_t axis, bool keepdim = false);
Tensor any(const Tensor& x, const Dims& axes, bool keepdim = false);
Tensor count_nonzero(const Tensor& x, const Dims& axes = {});

/// (sum |x|^p)^(1/p); p = 0 counts, p = inf (-inf) is the largest (smallest) |x|. The gradient at the zero vector is 0.
Tensor norm(const Tensor& x, double p = 2, const Dims& axes = {}, bool keepdim = false);
/// x with each slice along an axis scaled down to the p-norm max_norm where it is longer. ValueError unless p and max_norm are positive.
Tensor renorm(const Tensor& x, double p, std::int64_t axis, double max_norm);
/// log(sum(e^x)); all -inf gives -inf.
Tensor logsumexp(const Tensor& x, const Dims& axes, bool keepdim = false);

Tensor cumsum(const Tensor& x, std::int64_t axis);
Tensor cumprod(const Tensor& x, std::int64_t axis);
ValuesIndices cummax(const Tensor& x, std::int64_t axis);
ValuesIndices cummin(const Tensor& x, std::int64_t axis);
Tensor logcumsumexp(const Tensor& x, std::int64_t axis);
/// n-th difference along an axis.
Tensor diff(const Tensor& x, std::int64_t n = 1, std::int64_t axis = -1);

/// The lower of the two middle values for an even count; NaN wins.
Tensor median(const Tensor& x);
ValuesIndices median(const Tensor& x, std::int64_t axis, bool keepdim = false);
/// The most frequent value (the smallest of several) and the index of its last occurrence.
ValuesIndices mode(const Tensor& x, std::int64_t axis = -1, bool keepdim = false);
/// The k-th smallest value, k from 1.
ValuesIndices kthvalue(const Tensor& x, std::int64_t k, std::int64_t axis = -1, bool keepdim = false);
/// What stands between two order statistics.
enum class Interpolation : std::uint8_t { linear, lower, higher, midpoint, nearest };
/// The value at rank q (n - 1) of the sorted elements, q in [0, 1]; NaN when there is one. float32 and float64.
Tensor quantile(const Tensor& x, double q, Interpolation interpolation = Interpolation::linear);
Tensor quantile(const Tensor& x, double q, std::int64_t axis, bool keepdim = false, Interpolation interpolation = Interpolation::linear);
/// Ignoring NaN; NaN when there is nothing else.
Tensor nanquantile(const Tensor& x, double q, Interpolation interpolation = Interpolation::linear);
Tensor nanquantile(const Tensor& x, double q, std::int64_t axis, bool keepdim = false, Interpolation interpolation = Interpolation::linear);

/// True when shapes and all elements are equal.
bool equal(const Tensor& a, const Tensor& b);
/// True when all elements are close: |a - b| <= atol + rtol |b|.
bool allclose(const Tensor& a, const Tensor& b, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false);

}  // namespace rill
