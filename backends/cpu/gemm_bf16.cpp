// Products of bfloat16 matrices on processors with AVX512_BF16, which multiply pairs of numbers that follow each other along k and add to
// float32: panels and tiles as in kernels/linalg.cpp, made of pairs. Subnormal numbers count as 0 there.
#include <cstdint>
#include <cstring>

#include "backends/cpu/dispatch.h"
#include "backends/cpu/gemm_bf16.h"
#include "backends/cpu/scratch.h"

#ifdef RILL_X86_SETS
#include <immintrin.h>
#endif

namespace rill::cpu {

#ifdef RILL_X86_SETS
namespace {

using Int = std::int64_t;
using Pair = std::uint32_t;

constexpr int kRows = 12;       // 24 accumulators of 32 registers
constexpr Int kWide = 32;       // columns of a panel: two registers
constexpr Int kDepth = 384;     // pairs at a time: what a panel has of them stays in the first cache
#define RILL_BF16 [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]]

Pair pair_of(std::uint16_t low, std::uint16_t high) { return low | static_cast<Pair>(high) << 16; }
constexpr Int pairs_of(Int k) { return (k + 1) / 2; }

/// M rows, as columns of pairs, times one panel.
template <int M> RILL_BF16 void tile(const Pair* a, const Pair* b, Int pairs, float* c, Int c_row, Int columns, bool accumulate) {
  __m512 sum[M][2];
#pragma GCC unroll 12
  for (int i = 0; i < M; ++i) sum[i][0] = sum[i][1] = _mm512_setzero_ps();
  for (Int p = 0; p < pairs; ++p, a += M, b += kWide) {
    const __m512i left = _mm512_loadu_si512(b), right = _mm512_loadu_si512(b + 16);
#pragma GCC unroll 12
    for (int i = 0; i < M; ++i) {
      const __m512i x = _mm512_set1_epi32(static_cast<int>(a[i]));
      sum[i][0] = _mm512_dpbf16_ps(sum[i][0], (__m512bh)x, (__m512bh)left);
      sum[i][1] = _mm512_dpbf16_ps(sum[i][1], (__m512bh)x, (__m512bh)right);
    }
  }
  const auto masked = static_cast<std::uint32_t>((std::uint64_t{1} << columns) - 1);
  const auto low = static_cast<__mmask16>(masked), high = static_cast<__mmask16>(masked >> 16);
#pragma GCC unroll 12
  for (int i = 0; i < M; ++i, c += c_row) {
    if (accumulate) {
      sum[i][0] = _mm512_add_ps(_mm512_maskz_loadu_ps(low, c), sum[i][0]);
      sum[i][1] = _mm512_add_ps(_mm512_maskz_loadu_ps(high, c + 16), sum[i][1]);
    }
    _mm512_mask_storeu_ps(c, low, sum[i][0]);
    _mm512_mask_storeu_ps(c + 16, high, sum[i][1]);
  }
}
template <int M = kRows> void tile_of(Int rows, const Pair* a, const Pair* b, Int pairs, float* c, Int c_row, Int columns, bool accumulate) {
  if (rows == M) return tile<M>(a, b, pairs, c, c_row, columns, accumulate);
  if constexpr (M > 1) tile_of<M - 1>(rows, a, b, pairs, c, c_row, columns, accumulate);
}

/// `rows` rows of A from step `first` of k on, pair after pair; a last odd step is filled up with 0.
RILL_BF16 void pack_rows(const std::uint16_t* a, Int a_row, Int a_col, Int rows, Int first, Int pairs, Int k, Pair* to) {
  a += first * a_col;
  for (Int p = 0; p < pairs; ++p, to += rows, a += 2 * a_col) {
    const bool whole = first + 2 * p + 1 < k;
    if (whole && a_col == 1)
      for (Int i = 0; i < rows; ++i) std::memcpy(to + i, a + i * a_row, sizeof *to);
    else
      for (Int i = 0; i < rows; ++i) to[i] = pair_of(a[i * a_row], whole ? a[i * a_row + a_col] : std::uint16_t{0});
  }
}

RILL_BF16 void pack_panel(const std::uint16_t* b, Int b_row, Int b_col, Int k, Int columns, Pair* to) {
  if (columns < kWide) std::memset(to, 0, static_cast<std::size_t>(pairs_of(k) * kWide) * sizeof *to);
  if (b_row == 1) {  // a transposed matrix: read along its rows
    constexpr Int step = 16;  // pairs of all columns that are written before the next ones
    for (Int p0 = 0; p0 < pairs_of(k); p0 += step)
      for (Int j = 0; j < columns; ++j) {
        const std::uint16_t* from = b + j * b_col;
        for (Int p = p0; p < pairs_of(k) && p < p0 + step; ++p) to[p * kWide + j] = pair_of(from[2 * p], 2 * p + 1 < k ? from[2 * p + 1] : std::uint16_t{0});
      }
    return;
  }
  for (Int p = 0; p < pairs_of(k); ++p, to += kWide) {
    const std::uint16_t *low = b + 2 * p * b_row, *high = low + b_row;
    if (2 * p + 1 == k)
      for (Int j = 0; j < columns; ++j) to[j] = low[j * b_col];
    else if (b_col == 1)
      for (Int j = 0; j < columns; ++j) to[j] = pair_of(low[j], high[j]);
    else
      for (Int j = 0; j < columns; ++j) to[j] = pair_of(low[j * b_col], high[j * b_col]);
  }
}

void pack(const void* from, Int b_row, Int b_col, Int k, Int n, Int first, Int last, void* to) {
  for (Int j = first; j < last; ++j)
    pack_panel(static_cast<const std::uint16_t*>(from) + j * kWide * b_col, b_row, b_col, k, n - j * kWide < kWide ? n - j * kWide : kWide, static_cast<Pair*>(to) + j * kWide * pairs_of(k));
}

/// Rows of A are packed once for all panels.
void multiply(const GemmBlock& g, Int first, Int last) {
  const Int total = pairs_of(g.k), tiles = (g.m + kRows - 1) / kRows, rows = g.m / tiles, higher = g.m % tiles;  // of about one height
  const Scratch memory(g.m * (total < kDepth ? total : kDepth) * static_cast<Int>(sizeof(Pair)));
  Pair* packed = static_cast<Pair*>(memory.get());
  for (Int p = 0; p < total; p += kDepth) {
    const Int pairs = total - p < kDepth ? total - p : kDepth;
    for (Int t = 0, i = 0; t < tiles; i += rows + (t < higher), ++t)
      pack_rows(static_cast<const std::uint16_t*>(g.a) + i * g.a_row, g.a_row, g.a_col, rows + (t < higher), 2 * p, pairs, g.k, packed + i * pairs);
    for (Int j = first; j < last; ++j)
      for (Int t = 0, i = 0; t < tiles; i += rows + (t < higher), ++t)
        tile_of(rows + (t < higher), packed + i * pairs, static_cast<const Pair*>(g.b) + (j * total + p) * kWide, pairs, static_cast<float*>(g.c) + i * g.c_row + j * kWide, g.c_row,
                g.n - j * kWide < kWide ? g.n - j * kWide : kWide, g.accumulate || p > 0);
  }
}
#undef RILL_BF16

}  // namespace
#endif

bool has_bf16_products() {
#ifdef RILL_X86_SETS
  static const bool has = instruction_set() == InstructionSet::avx512 && __builtin_cpu_supports("avx512bf16");
  return has;
#else
  return false;
#endif
}

void add_bf16_products(LinalgKernels& k) {
#ifdef RILL_X86_SETS
  if (has_bf16_products()) k.gemm_panels[static_cast<std::size_t>(Dtype::bfloat16)] = {kWide, &pack, &multiply, nullptr};
#else
  (void)k;
#endif
}

}  // namespace rill::cpu
