// Convolution, pooling, interpolation.
#pragma once

#include <array>

#include "backends/api/view.h"

namespace rill {

/// The window of a convolution or a pool on up to three spatial axes: output position p and kernel position k meet at input position
/// stride p + dilation k - before. Positions outside the input are padding; how much of it there is at the end follows from the sizes.
struct WindowGeometry {
  int axes;
  std::int64_t kernel[3], stride[3], dilation[3], before[3];
  std::int64_t groups;
};

/// Windows of a maximum: output position p of axis a looks at begin[a][p], begin[a][p] + dilation[a], ... below end[a][p]; all inside.
struct PoolWindows {
  int axes;
  const std::int64_t *begin[3], *end[3];
  std::int64_t dilation[3];
};

/// A sparse matrix for one axis: row i holds indices[k], weights[k] for k from offsets[i] to offsets[i + 1].
struct AxisWeights {
  std::int64_t rows;
  const std::int64_t *offsets, *indices;
  const double* weights;
};

/// Neighbouring windows with the same taps: window c starts at x + c stride, tap t of it lies at[t] step further.
struct MaxRow {
  const void* x;
  std::int64_t columns, stride, step, taps;
  const std::int64_t* at;  // ascending, at most 2^24
  void* y;
  std::int32_t* best;  // [columns] at[] of the tap that was taken: the first of equal ones, the last NaN; null: not wanted
};
using MaxRowFn = void (*)(const MaxRow&);

/// Runs of positions in two channels-last tensors, and what the products of their channels add up to.
struct PositionProducts {
  const void *a, *b;
  const std::int64_t *a_at, *b_at, *length;  // where each run starts, in elements; its positions
  std::int64_t runs, a_step, b_step;         // from position to position
  std::int64_t rows, columns;                // channels of a and of b
  void* sum;                                 // [rows, columns], += with `accumulate`
  std::int64_t sum_row;
  bool accumulate;
};
using PositionProductsFn = void (*)(const PositionProducts&);

/// The windows [first[a][i], last[a][i]) of axis a that may have looked at position i.
struct PoolCover {
  int axes;
  const std::int64_t *first[3], *last[3];
};
/// One line of the gradient of a channels-last maximum: windows of `lines` lines of the output (positions where they start), windows [first[k],
/// last[k]) of each for column k, which is position `place` + k of the input.
struct MaxGradientRow {
  const void* g;
  const std::int32_t* best;
  void* dx;
  std::int64_t channels, columns;
  const std::int64_t *first, *last, *starts;
  std::int64_t lines;
  std::int32_t place;
};
/// y = the sum over k of weights[k] times the n elements from x + at[k] step on.
struct WeightedRows {
  const void* x;
  const std::int64_t* at;
  const double* weights;
  std::int64_t taps, step, n;
  void* y;
};

struct ConvKernels {
  std::array<MaxRowFn, kDtypeCount> max_row{};  // floating dtypes
  std::array<PositionProductsFn, kDtypeCount> position_products{};  // float32 and float64
  /// [x][y] as for resample.
  std::array<std::array<void (*)(const WeightedRows&), kDtypeCount>, kDtypeCount> weighted_rows{};
  std::array<void (*)(const MaxGradientRow&), kDtypeCount> max_gradient_row{};  // float32 and 16-bit floats
  // x [N, C, in..], w [O, C / groups, kernel..] and y [N, O, out..] of one dtype, not bool. w is row-major; x and y are
  // row-major or channels-last. Results do not depend on the number of threads.
  bool conv_any_format = false;  ///< a channels-last w is taken, too
  /// y = x * w + b; b [O] row-major, or data null.
  void (*conv)(const View& x, const View& w, const View& b, const View& y, const WindowGeometry&) = nullptr;
  /// dx = the adjoint of x -> x * w, applied to g (the shape of y).
  void (*conv_input_gradient)(const View& g, const View& w, const View& dx, const WindowGeometry&) = nullptr;
  /// dw = the adjoint of w -> x * w, applied to g. Floating dtypes.
  void (*conv_weight_gradient)(const View& g, const View& x, const View& dw, const WindowGeometry&) = nullptr;

  // x [N, C, in..], y and indices (int32 or int64) [N, C, out..]; all row-major or all channels-last. Any dtype but bool.
  /// y = the largest value of each window, NaN if there is one; indices = its row-major place among the spatial positions of its channel,
  /// left out where their data is null.
  void (*max_pool)(const View& x, const View& y, const View& indices, const PoolWindows&) = nullptr;
  /// The gradient of max_pool: dx = the sum of the g whose index names the position.
  void (*max_pool_gradient)(const View& g, const View& indices, const View& dx, const PoolCover&) = nullptr;
  /// dx = 0, then dx at the index += g.
  void (*pool_scatter)(const View& g, const View& indices, const View& dx) = nullptr;
  /// y = x at the index.
  void (*pool_gather)(const View& x, const View& indices, const View& y) = nullptr;

  // Contiguous views of one floating dtype, or one of 16 bits and one of float32; computed in float32 or float64.
  /// y[o, i, k] = sum over j of W[i, j] x[o, j, k]; rank 3.
  void (*resample)(const View& x, const View& y, const AxisWeights&) = nullptr;
  /// Two adjacent axes at once, the first one first: y[o, i, l, k] = sum over m of V[l, m] (sum over j of W[i, j] x[o, j, m, k]); rank 4.
  void (*resample_plane)(const View& x, const View& y, const AxisWeights& w, const AxisWeights& v) = nullptr;
};

}  // namespace rill
