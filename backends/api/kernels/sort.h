// Sorting and what follows from an order. NaN is the largest value and -0 equals 0; every kernel is stable.
#pragma once

#include "backends/api/view.h"

namespace rill {

enum class Order : std::uint8_t { kth, median, nanmedian, mode };

/// `indices` and the other int64 outputs are contiguous; outputs have the shape of x with the axis resized.
struct SortKernels {
  /// The first `values.sizes[axis]` elements in increasing (decreasing) order along an axis, and where they came from.
  void (*sort)(const View& x, int axis, bool descending, const View& values, const View& indices) = nullptr;
  /// One index per row: the k-th smallest (k from 0), or the median or mode, which ignore k. Rows are not empty.
  void (*order_statistic)(const View& x, int axis, Order order, std::int64_t k, const View& indices) = nullptr;
  /// Where each value of a row [rows, m] goes in a sorted row [rows or 1, n]; both contiguous, of one dtype.
  void (*search)(const View& sorted, const View& values, bool right, const View& out) = nullptr;
  /// The lexicographic order of the rows of a contiguous [n, width].
  void (*sort_rows)(const View& x, const View& order) = nullptr;
  /// Runs of equal rows of a contiguous [n, width] in the given order: where each run starts (out [n], a prefix is used) and, at its own
  /// place in x, the run of each row (out [n]). Returns the number of runs. NaN differs from everything.
  std::int64_t (*runs)(const View& x, const View& order, const View& starts, const View& run_of) = nullptr;
};

}  // namespace rill
