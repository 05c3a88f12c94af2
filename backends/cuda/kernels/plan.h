// A loop plan as a kernel gets it: by value, indices in 32 bits, divisions by multiplication.
#pragma once

#include <cstring>

#include <cstdint>

#include "backends/api/functors/scalar.h"
#include "backends/api/loop.h"
#include "backends/cuda/kernels/launch.h"

namespace rill::RILL_GPU {

/// n / d for n below 2^31 and 0 < d < 2^31: Granlund and Montgomery, "Division by invariant integers using multiplication" (1994).
struct Divider {
  std::uint32_t divisor = 1, magic = 1, shift = 0;
  Divider() = default;
  explicit Divider(std::uint32_t d) : divisor(d) {
    while ((std::uint64_t{1} << shift) < d) ++shift;
    magic = static_cast<std::uint32_t>((std::uint64_t{1} << 32) * ((std::uint64_t{1} << shift) - d) / d + 1);
  }
  RILL_FN std::uint32_t divide(std::uint32_t n) const {
    const auto high = static_cast<std::uint32_t>(static_cast<std::uint64_t>(n) * magic >> 32);
    return (high + n) >> shift;
  }
};

inline constexpr int kPlanRank = 8, kPlanOperands = 4;
inline constexpr std::int64_t kPlanElements = std::int64_t{1} << 30;

/// Operand 0 is the output. Strides are in bytes, the innermost axis is the last.
struct Plan {
  std::uint32_t numel = 0;
  int rank = 0;
  bool flat = false;  // one axis on which every operand lies side by side or is one value
  bool halves = false;  // flat, and elements are 16-bit floats that can be loaded 16 bytes at a time
  Dtype dtype[kPlanOperands] = {};
  Divider sizes[kPlanRank];
  std::int64_t strides[kPlanOperands][kPlanRank] = {};
  char* data[kPlanOperands] = {};                // null: the value in `number`
  alignas(8) char number[kPlanOperands][8] = {};

  RILL_FN const char* input(int k) const { return data[k] ? data[k] : number[k]; }
  /// Operand k is one value in host memory.
  void take_number(int k) {
    std::memcpy(number[k], data[k], size_of(dtype[k]));
    data[k] = nullptr;
  }
  /// Byte offsets of the operands at element i.
  template <int N> RILL_FN void offsets(std::uint32_t i, std::int64_t (&at)[N]) const {
    for (int k = 0; k < N; ++k) at[k] = 0;
    for (int a = rank - 1; a >= 0; --a) {
      const std::uint32_t rest = a > 0 ? sizes[a].divide(i) : 0, index = i - rest * sizes[a].divisor;
      for (int k = 0; k < N; ++k) at[k] += static_cast<std::int64_t>(index) * strides[k][a];
      i = rest;
    }
  }
};

/// Some axes in row-major order with strides in bytes: where place i lies. 64-bit places, divided fast where they are small.
struct Axes {
  static constexpr int kMost = kMaxRank / 2;  // neighbours that could be merged are merged
  int rank = 0;
  std::int64_t numel = 1;
  Divider divider[kMost];
  std::int64_t sizes[kMost] = {}, strides[kMost] = {};

  /// Outermost first.
  void add(std::int64_t size, std::int64_t stride) {
    numel *= size;
    if (size == 1) return;
    if (rank > 0 && strides[rank - 1] == stride * size) {
      sizes[rank - 1] *= size, strides[rank - 1] = stride;
    } else {
      sizes[rank] = size, strides[rank] = stride, ++rank;
    }
    const std::int64_t all = sizes[rank - 1];
    divider[rank - 1] = Divider(all > 0 && all < (std::int64_t{1} << 31) ? static_cast<std::uint32_t>(all) : 1);
  }
  RILL_FN std::int64_t offset(std::int64_t i) const {
    std::int64_t at = 0;
    for (int a = rank - 1; a > 0; --a) {
      const std::int64_t rest = i < (std::int64_t{1} << 31) && sizes[a] < (std::int64_t{1} << 31) ? static_cast<std::int64_t>(divider[a].divide(static_cast<std::uint32_t>(i))) : i / sizes[a];
      at += (i - rest * sizes[a]) * strides[a];
      i = rest;
    }
    return rank > 0 ? at + i * strides[0] : 0;
  }
};

/// Calls f(part) for parts of at most kPlanElements elements and kPlanRank axes.
template <int N, class F> void for_each_part(const LoopPlan<N>& whole, const F& f) {
  if (whole.numel == 0) return;
  if (whole.rank <= kPlanRank && whole.numel <= kPlanElements) return f(whole);
  const std::int64_t rest = whole.numel / whole.sizes[0];
  const std::int64_t step = whole.rank > kPlanRank || rest > kPlanElements ? 1 : kPlanElements / rest;
  for (std::int64_t i = 0; i < whole.sizes[0]; i += step) {
    LoopPlan<N> part = whole;
    part.sizes[0] = std::min(step, whole.sizes[0] - i);
    part.numel = part.sizes[0] * rest;
    for (int k = 0; k < N; ++k) part.data[k] += i * whole.strides[k][0];
    if (part.sizes[0] == 1) {
      for (int a = 1; a < part.rank; ++a) {
        part.sizes[a - 1] = part.sizes[a];
        for (int k = 0; k < N; ++k) part.strides[k][a - 1] = part.strides[k][a];
      }
      --part.rank;
    }
    for_each_part(part, f);
  }
}

/// A part as a plan. `items`: elements that a thread loads at once; flat plans are aligned to so many.
template <int N> Plan plan_of(const LoopPlan<N>& part, const Dtype (&dtype)[N], int items) {
  static_assert(N <= kPlanOperands);
  Plan p;
  p.numel = static_cast<std::uint32_t>(part.numel);
  p.rank = part.rank;
  p.flat = part.rank <= 1;
  for (int a = 0; a < part.rank; ++a) p.sizes[a] = Divider(static_cast<std::uint32_t>(part.sizes[a]));
  for (int k = 0; k < N; ++k) {
    p.dtype[k] = dtype[k];
    p.data[k] = part.data[k];
    for (int a = 0; a < part.rank; ++a) p.strides[k][a] = part.strides[k][a];
    const auto size = static_cast<std::int64_t>(size_of(dtype[k])), step = part.inner_stride(k);
    const bool one = k > 0 && step == 0, dense = part.rank == 0 || step == size;
    p.flat &= one || (dense && reinterpret_cast<std::uintptr_t>(part.data[k]) % static_cast<std::uintptr_t>(size * items) == 0);
    if (part.rank == 0 && k > 0) p.strides[k][0] = 0;
    else if (part.rank == 0) p.strides[k][0] = size;
  }
  return p;
}

}  // namespace rill::RILL_GPU
