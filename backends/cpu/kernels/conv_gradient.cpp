// Products of two channels-last tensors summed over positions: the gradient of a convolution's weights. Tiles of registers as in a matrix
// product, but the operands stay where they are and the steps of the sum are runs of positions.
#include "backends/api/kernels/conv.h"

#include "backends/cpu/kernels/fill.h"
#include "backends/cpu/simd.h"

namespace rill::cpu::RILL_ARCH {
namespace {

using Int = std::int64_t;

/// M rows from `i` on, `columns` columns from `j` on: Packs registers, the last one only partly when Part.
template <class T, int M, int Packs, bool Part> [[gnu::noinline]] void products(const PositionProducts& r, Int i, Int j, Int columns) {
  using P = Pack<T>;
  const Int rest = columns - (Packs - 1) * P::size;
  const bool ahead = i == 0 && j + columns < r.columns;
  P sum[M][Packs];
#pragma GCC unroll 12
  for (int m = 0; m < M; ++m)
#pragma GCC unroll 2
    for (int v = 0; v < Packs; ++v) sum[m][v] = P(0.0);
  for (Int run = 0; run < r.runs; ++run) {
    const T* a = static_cast<const T*>(r.a) + r.a_at[run] + i;
    const T* b = static_cast<const T*>(r.b) + r.b_at[run] + j;
    for (Int p = r.length[run]; p > 0; --p, a += r.a_step, b += r.b_step) {
      if (ahead) __builtin_prefetch(b + Packs * P::size, 0, 2), __builtin_prefetch(b + (Packs + 1) * P::size, 0, 2);  // the next columns, for the second cache
      P row[Packs];
#pragma GCC unroll 2
      for (int v = 0; v < Packs; ++v) row[v] = Part && v == Packs - 1 ? P::load_part(b + v * P::size, rest) : P::load(b + v * P::size);
#pragma GCC unroll 12
      for (int m = 0; m < M; ++m) {
        const P x = P(typename P::Batch(a[m]));
#pragma GCC unroll 2
        for (int v = 0; v < Packs; ++v) sum[m][v] = fused(x, row[v], sum[m][v]);
      }
    }
  }
  T* to = static_cast<T*>(r.sum) + i * r.sum_row + j;
#pragma GCC unroll 12
  for (int m = 0; m < M; ++m, to += r.sum_row)
#pragma GCC unroll 2
    for (int v = 0; v < Packs; ++v) {
      T* at = to + v * P::size;
      if (Part && v == Packs - 1) (r.accumulate ? P::load_part(at, rest) + sum[m][v] : sum[m][v]).store_part(at, rest);
      else (r.accumulate ? P::load(at) + sum[m][v] : sum[m][v]).store(at);
    }
}

template <class T, int Packs, bool Part, int M = kTileRows> [[gnu::always_inline]] inline void products_of(Int rows, const PositionProducts& r, Int i, Int j, Int columns) {
  if (rows == M) return products<T, M, Packs, Part>(r, i, j, columns);
  if constexpr (M > 1) products_of<T, Packs, Part, M - 1>(rows, r, i, j, columns);
}

template <class T> void position_products(const PositionProducts& r) {
  constexpr Int w = Pack<T>::size;
  const Int tiles = (r.rows + kTileRows - 1) / kTileRows, least = r.rows / tiles, higher = r.rows % tiles;
  for (Int j = 0; j < r.columns; j += 2 * w) {
    const Int columns = r.columns - j < 2 * w ? r.columns - j : 2 * w;
    for (Int t = 0, i = 0; t < tiles; ++t) {
      const Int rows = least + (t < higher);
      if (columns == 2 * w) products_of<T, 2, false>(rows, r, i, j, columns);
      else if (columns > w) products_of<T, 2, true>(rows, r, i, j, columns);
      else if (columns == w) products_of<T, 1, false>(rows, r, i, j, columns);
      else products_of<T, 1, true>(rows, r, i, j, columns);
      i += rows;
    }
  }
}

}  // namespace

void fill_conv_gradient(ConvKernels& k) {
  k.position_products[static_cast<int>(Dtype::float32)] = &position_products<float>;
  k.position_products[static_cast<int>(Dtype::float64)] = &position_products<double>;
}

}  // namespace rill::cpu::RILL_ARCH
