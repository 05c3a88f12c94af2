// Reductions and scans.
#pragma once

#include <array>
#include <cstdint>

#include "backends/api/view.h"

namespace rill {

enum class Reduce : std::uint8_t { sum, sum_of_squares, root_of_squares, sum_of_magnitudes, prod, max, min };
inline constexpr int kReduceCount = 7;
enum class Scan : std::uint8_t { sum, prod, max, min, logsumexp };

/// The steps of one reduction for one element type. An accumulator takes at most 8 bytes: sums and products run in double or
/// int64, extremes in the element type.
struct ReduceSteps {
  void (*start)(void* acc, std::int64_t n);
  /// acc[c] takes up x[i * stride + c] for i < length, c < width.
  void (*accumulate)(const void* x, std::int64_t length, std::int64_t stride, std::int64_t width, void* acc);
  void (*combine)(void* acc, const void* other, std::int64_t n);
  /// out[c * stride] = acc[c] / divisor (of squares: the root of it), in the result's dtype.
  void (*finish)(const void* acc, void* out, std::int64_t stride, std::int64_t n, double divisor);
};

struct ReduceKernels {
  std::array<std::array<ReduceSteps, kDtypeCount>, kReduceCount> steps{};  // by element dtype; null: not supported

  /// Reduces the axes whose bits are set. `out` is contiguous and holds the kept axes in their order; sums and products of
  /// bool and integers are int64. Elements are float32, float64, bool or integers.
  void (*reduce)(Reduce what, const View& x, std::uint64_t axes, double divisor, const View& out) = nullptr;
  /// Rows of a contiguous [rows, n]: the extreme value and the index of its first place; NaN wins. `values` may have no data.
  void (*arg_extreme)(bool largest, const View& x, std::int64_t n, const View& values, const View& indices) = nullptr;
  /// Running sums and so on along an axis; x and out have one shape and dtype. max and min also write int64 `indices`.
  void (*scan)(Scan what, const View& x, int axis, const View& out, const View* indices) = nullptr;
};

}  // namespace rill
