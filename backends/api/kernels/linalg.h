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

inline constexpr std::int64_t kGemmM = 192, kGemmColumnBytes = 1536, kGemmRowBytes = 1024;  // the block that is packed at once
inline constexpr std::int64_t kGemmPackedA = kGemmM * kGemmColumnBytes + 64;  // with slack for whole registers
inline constexpr std::int64_t kGemmScratch = kGemmPackedA + kGemmRowBytes * (kGemmColumnBytes / 4);
/// Worked on in place, without packing the operands.
constexpr bool gemm_is_small(const GemmBlock& g) { return g.k <= 128 && g.m * g.n <= 64 * 64; }

/// The right operand of several products, brought once into the form that the block kernels read: panels of so many columns, each [k, columns] without
/// gaps, filled up with 0.
struct GemmPanels {
  std::int64_t columns = 0;
  /// Panels [first, last) of B [k, n].
  void (*pack)(const void* b, std::int64_t b_row, std::int64_t b_col, std::int64_t k, std::int64_t n, std::int64_t first, std::int64_t last, void* panels) = nullptr;
  /// Their columns of a product whose b is the panels. With scratch memory (kGemmPackedA bytes, m at most kGemmM) the rows of a are packed, too.
  void (*multiply)(const GemmBlock&, std::int64_t first, std::int64_t last) = nullptr;
  /// A product that packs both operands piece by piece (kGemmScratch bytes); its values do not depend on which columns are asked for. Not for bfloat16.
  GemmBlockFn pack_and_multiply = nullptr;
};

/// Products that do what belongs to a bias in the same pass, where a library knows how; null elsewhere. Both return false for operands that they do
/// not serve, and then nothing is written.
struct LinearKernels {
  /// y [.., out] = x [.., in] w^T + b, for w [out, in] and b [out]; y is row-major.
  bool (*forward)(const View& x, const View& w, const View& b, const View& y) = nullptr;
  /// dw [out, in] = g^T x and db [out] = the sum of the rows of g, for g [rows, out] and x [rows, in]; dw and db are row-major.
  bool (*gradients)(const View& g, const View& x, const View& dw, const View& db) = nullptr;
};

struct LinalgKernels {
  std::array<GemmBlockFn, kDtypeCount> gemm_block{};  // by dtype; 16-bit floats and bool have none
  /// out = a b, or out += a b: views of one dtype and rank >= 2 whose leading axes broadcast to those of `out`; one of the last two
  /// strides of `out` is 1. 16-bit floats are accumulated in float32 and rounded once; `out` may be float32 beside them, on the CPU with adjacent
  /// columns. The result does not depend on the thread count.
  void (*gemm)(const View& a, const View& b, const View& out, bool accumulate) = nullptr;

  LinearKernels linear{};

  std::array<GemmPanels, kDtypeCount> gemm_panels{};  // float32, float64, and bfloat16 (with float32 results) where the processor has products of it
  /// Elements of the panels of a [k, n] matrix.
  std::int64_t (*panels_size)(Dtype, std::int64_t k, std::int64_t n) = nullptr;
  void (*pack_panels)(const View& b, void* panels) = nullptr;
  /// out = a b, or out += a b, for matrices: a [m, k], out [m, n] with adjacent columns, k at least 1.
  void (*gemm_packed)(const View& a, const void* panels, const View& out, bool accumulate) = nullptr;

  // Decompositions of float32 and float64 batches; null in a build without LAPACK. Every matrix is contiguous and stored by columns:
  // an m x n matrix is a view of shape [.., n, m]. `info` (int32, one per matrix) follows LAPACK: 0 is success.
  /// L and U in place of a; pivots (int32 [.., min(m, n)]) count from 1. An exact 0 on the diagonal of U gives info > 0.
  void (*lu)(const View& a, const View& pivots, const View& info) = nullptr;
  /// b becomes A^-1 b.
  void (*lu_solve)(const View& lu, const View& pivots, const View& b) = nullptr;
  /// det, its sign and log |det| (one value per matrix) from the factors.
  void (*determinant)(const View& lu, const View& pivots, const View& det, const View& sign, const View& logabs) = nullptr;
  /// The lower factor in place of a, whose upper triangle becomes 0.
  void (*cholesky)(const View& a, const View& info) = nullptr;
  /// b becomes A^-1 b for a triangular A.
  void (*triangular_solve)(const View& a, const View& b, bool upper, bool unitriangular) = nullptr;
  /// Householder vectors and R in place of a; tau [.., min(m, n)].
  void (*qr)(const View& a, const View& tau) = nullptr;
  /// The first columns of Q in place of their Householder vectors.
  void (*qr_columns)(const View& q, const View& tau) = nullptr;
  /// a is destroyed. u and vh hold k, or all, vectors; both empty: singular values only.
  void (*svd)(const View& a, const View& u, const View& s, const View& vh, const View& info) = nullptr;
  /// Vectors, if wanted, replace a.
  void (*eigh)(const View& a, const View& values, const View& info, bool vectors, bool upper) = nullptr;
};

}  // namespace rill
