// Turns some strided, broadcast views into one plan: size-1 axes dropped, axes ordered by the output's strides, merged where
// every operand allows it. CPU and CUDA run the same plan.
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "backends/api/view.h"
#include <rill/core/shape.h>

namespace rill {

/// N operands; operand 0 is the output and has every axis. Strides are in bytes; the last axis is the innermost.
template <int N> struct LoopPlan {
  int rank = 0;
  std::int64_t numel = 0;
  std::int64_t sizes[kMaxRank];
  std::int64_t strides[N][kMaxRank];
  char* data[N];

  explicit LoopPlan(const std::array<View, N>& v) {
    const View& out = v[0];
    numel = out.numel;
    for (int k = 0; k < N; ++k) data[k] = static_cast<char*>(v[k].data);
    for (int axis = 0; axis < out.rank; ++axis) {
      if (out.sizes[axis] == 1) continue;
      sizes[rank] = out.sizes[axis];
      for (int k = 0; k < N; ++k) {
        const int own = axis - (out.rank - v[k].rank);  // aligned at the right
        strides[k][rank] = own < 0 || v[k].sizes[own] == 1 ? 0 : v[k].strides[own] * static_cast<std::int64_t>(size_of(v[k].dtype));
      }
      ++rank;
    }
    // insertion sort, outermost first: decreasing stride of the output, ties by the inputs
    for (int i = 1; i < rank; ++i)
      for (int j = i; j > 0 && inner(j - 1, j); --j) swap(j - 1, j);
    int last = 0;
    for (int i = 1; i < rank; ++i) {
      if (mergeable(last, i)) {
        sizes[last] *= sizes[i];
        for (int k = 0; k < N; ++k) strides[k][last] = strides[k][i];
      } else if (++last != i) {
        sizes[last] = sizes[i];
        for (int k = 0; k < N; ++k) strides[k][last] = strides[k][i];
      }
    }
    if (rank > 0) rank = last + 1;
  }

  std::int64_t inner_size() const { return rank ? sizes[rank - 1] : 1; }
  std::int64_t inner_stride(int k) const { return rank ? strides[k][rank - 1] : 0; }

 private:
  bool inner(int a, int b) const {  // true: axis a belongs inside axis b
    for (int k = 0; k < N; ++k) {
      if (strides[k][a] == strides[k][b] || strides[k][a] == 0 || strides[k][b] == 0) continue;
      return strides[k][a] < strides[k][b];
    }
    return false;
  }
  void swap(int a, int b) {
    std::swap(sizes[a], sizes[b]);
    for (int k = 0; k < N; ++k) std::swap(strides[k][a], strides[k][b]);
  }
  bool mergeable(int outer, int in) const {
    for (int k = 0; k < N; ++k)
      if (strides[k][outer] != strides[k][in] * sizes[in]) return false;
    return true;
  }
};

/// A position inside a plan: byte offsets of every operand at a linear index.
template <int N> class LoopCursor {
 public:
  LoopCursor(const LoopPlan<N>& plan, std::int64_t linear) : plan_(plan) {
    for (int k = 0; k < N; ++k) offset[k] = 0;
    for (int a = plan.rank - 1; a >= 0; --a) {
      index_[a] = linear % plan.sizes[a];  // sizes are positive: an empty plan is never walked
      linear /= plan.sizes[a];
      for (int k = 0; k < N; ++k) offset[k] += index_[a] * plan.strides[k][a];
    }
  }
  /// Elements left on the innermost axis.
  std::int64_t row_left() const { return plan_.rank ? plan_.sizes[plan_.rank - 1] - index_[plan_.rank - 1] : 1; }
  /// Moves on by n <= row_left() elements.
  void advance(std::int64_t n) {
    int a = plan_.rank - 1;
    if (a < 0) return;
    index_[a] += n;
    for (int k = 0; k < N; ++k) offset[k] += n * plan_.strides[k][a];
    while (a > 0 && index_[a] == plan_.sizes[a]) {
      for (int k = 0; k < N; ++k) offset[k] += plan_.strides[k][a - 1] - plan_.sizes[a] * plan_.strides[k][a];
      index_[a] = 0;
      ++index_[--a];
    }
  }
  std::int64_t offset[N];

 private:
  const LoopPlan<N>& plan_;
  std::int64_t index_[kMaxRank];
};

}  // namespace rill
