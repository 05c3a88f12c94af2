// Gather, scatter, masks, joining. Every op of the family comes down to rows taken from, or put at, positions of one axis.
#pragma once

#include <array>
#include <span>

#include "backends/api/view.h"

namespace rill {

/// What happens where a row is put. Sums and products are formed in index order; of several rows for `set` the last one stays.
enum class Combine : std::uint8_t { set, add, mul, max, min };
inline constexpr int kCombineCount = 5;

/// The first index value outside its axis; `which` is -1 when all are inside.
struct BadIndex {
  std::int64_t which = -1;  // which index tensor
  std::int64_t position = 0;
  std::int64_t value = 0;
};

/// A piece of one call: row k of x starts at x + offsets[k] * scale elements, row k of the other side at flat + k * step; a row has
/// `run` elements side by side on both sides.
struct IndexRows {
  void* x;
  void* flat;
  const std::int64_t* offsets;
  std::int64_t scale, count, step, run;
};
using IndexRowsFn = void (*)(const IndexRows&);

struct IndexKernels {
  std::array<IndexRowsFn, 4> take_rows{};                                            // flat = x, by log2 of the element size
  std::array<std::array<IndexRowsFn, kDtypeCount>, kCombineCount> put_rows{};        // x = combine(x, flat); not for 16-bit floats

  /// out[k] = sum_i indices[i][k] * scales[i] + sum_a coordinate_a(k) * grid[a], in row-major order of out (int64, contiguous). The
  /// indices are int64 and broadcast to out; `wrap` lets negative values count from the end. Reports the first bad value; out is
  /// then unspecified. `grid` may be null.
  BadIndex (*positions)(std::span<const View> indices, const std::int64_t* sizes, const std::int64_t* scales, const std::int64_t* grid, bool wrap, const View& out) = nullptr;
  /// out = x at the positions (int64, contiguous, checked) of an axis; out has the shape of x with that axis replaced.
  void (*take)(const View& x, int axis, const View& positions, const View& out) = nullptr;
  /// Combines source into x at the positions of an axis; source has the dtype of x, which is no 16-bit float unless `set`.
  void (*put)(const View& x, int axis, const View& positions, const View& source, Combine combine) = nullptr;
  /// Rows of bytes with a step between rows on both sides.
  void (*copy_rows)(const void* from, std::int64_t from_step, void* to, std::int64_t to_step, std::int64_t rows, std::int64_t bytes) = nullptr;
  /// How many elements of a contiguous bool tensor are true, and their row-major positions in increasing order.
  std::int64_t (*count_true)(const View& mask) = nullptr;
  void (*positions_true)(const View& mask, const View& out) = nullptr;
};

}  // namespace rill
