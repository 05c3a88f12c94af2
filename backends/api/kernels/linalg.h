// Matrix products and decompositions.
#pragma once

#include <array>

#include "backends/api/view.h"

namespace rill {

/// C[m, n] = A[m, k] B[k, n], or += with `accumulate`: one matrix product on the calling thread. Strides are in elements and free for
/// A and B (a transpose is a swap of two strides); the columns of C are adjacent. Operands and result have the slot's dtype.
struct GemmBlock {
  const void *a, *b;
  void* c;
  std::int64_t m, n, k, a_row, a_col, b_row, b_col, c_row;
  bool accumulate;
  void* scratch;  // kGemmScratch bytes, 64-byte aligned; may be null when gemm_is_small(block)
};
using GemmBlockFn = void (*)(const GemmBlock&);

inline constexpr std::int64_t kGemmM = 96, kGemmK = 256, kGemmRowBytes = 1024;  // the block that is packed at once
inline constexpr std::int64_t kGemmScratch = (kGemmM * 8 + kGemmRowBytes) * kGemmK;
/// Worked on in place, without packing the operands.
constexpr bool gemm_is_small(const GemmBlock& g) { return g.k <= 128 && g.m * g.n <= 64 * 64; }

struct LinalgKernels {
  std::array<GemmBlockFn, kDtypeCount> gemm_block{};  // by dtype; 16-bit floats and bool have none
  /// out = a b, or out += a b: views of one dtype and rank >= 2 whose leading axes broadcast to those of `out`; one of the last two
  /// strides of `out` is 1. 16-bit floats are accumulated in float32 and rounded once. The result does not depend on the thread count.
  void (*gemm)(const View& a, const View& b, const View& out, bool accumulate) = nullptr;
};

}  // namespace rill
