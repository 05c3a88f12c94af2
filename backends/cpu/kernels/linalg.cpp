// Matrix products of one block. Small ones run on the operands as they lie; larger ones are packed into panels of kRows rows and
// kPacks registers of columns, the scheme of Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (2008).
#include "backends/api/kernels/linalg.h"

#include "backends/cpu/kernels/fill.h"
#include "backends/cpu/kernels/transpose.h"
#include "backends/cpu/simd.h"

namespace rill::cpu::RILL_ARCH {
namespace {

using Int = std::int64_t;

constexpr int kRows = kTileRows, kPacks = 2;
template <class T> constexpr Int kColumns = kPacks * Pack<T>::size;
constexpr Int kSmallK = 128;
/// Steps over k at a time: equal parts, since each of them costs a pass over C.
template <class T> constexpr Int depth_of(Int k) {
  constexpr Int most = kGemmColumnBytes / static_cast<Int>(sizeof(T));
  const Int parts = (k + most - 1) / most;
  return (k + parts - 1) / parts;
}

constexpr Int smaller(Int a, Int b) { return a < b ? a : b; }

/// M rows times `columns` columns of C over k steps. A is read element by element; B row by row, Packs registers wide, the last one
/// only partly when Part. PackedA: the M rows of A lie next to each other.
template <class T, int M, int Packs, bool Part, bool PackedA>
[[gnu::noinline]] void tile(const T* a, Int a_row, Int a_col, const T* b, Int b_row, Int k, T* c, Int c_row, Int columns, bool accumulate) {
  using P = Pack<T>;
  const Int rest = columns - (Packs - 1) * P::size;
  P sum[M][Packs];
  if constexpr (PackedA)
    for (int i = 0; i < M; ++i)
      for (int v = 0; v < Packs; ++v) __builtin_prefetch(c + i * c_row + v * P::size, 1);
#pragma GCC unroll 12
  for (int i = 0; i < M; ++i)
#pragma GCC unroll 8
    for (int v = 0; v < Packs; ++v) sum[i][v] = P(0.0);
#pragma GCC unroll 4
  for (Int p = 0; p < k; ++p, b += b_row) {
    P row[Packs];
    for (int v = 0; v < Packs; ++v) row[v] = Part && v == Packs - 1 ? P::load_part(b + v * P::size, rest) : P::load(b + v * P::size);
#pragma GCC unroll 12
    for (int i = 0; i < M; ++i) {
      const P x = P(typename P::Batch(PackedA ? a[i] : a[i * a_row]));
      for (int v = 0; v < Packs; ++v) sum[i][v] = fused(x, row[v], sum[i][v]);
    }
    a += PackedA ? M : a_col;
  }
  if (columns == Packs * P::size) {
#pragma GCC unroll 12
    for (int i = 0; i < M; ++i, c += c_row)
#pragma GCC unroll 8
      for (int v = 0; v < Packs; ++v) (accumulate ? P::load(c + v * P::size) + sum[i][v] : sum[i][v]).store(c + v * P::size);
    return;
  }
#pragma GCC unroll 12
  for (int i = 0; i < M; ++i, c += c_row)
#pragma GCC unroll 8
    for (int v = 0; v < Packs; ++v) {
      const Int left = columns - v * P::size;
      T* to = c + v * P::size;
      if (left >= P::size) {
        (accumulate ? P::load(to) + sum[i][v] : sum[i][v]).store(to);
      } else if (left > 0) {
        (accumulate ? P::load_part(to, left) + sum[i][v] : sum[i][v]).store_part(to, left);
      }
    }
}

template <class T, int Packs, bool Part, bool PackedA, int M = kRows>
[[gnu::always_inline]] inline void tile_of(Int rows, const T* a, Int a_row, Int a_col, const T* b, Int b_row, Int k, T* c, Int c_row, Int columns, bool accumulate) {
  if (rows == M) return tile<T, M, Packs, Part, PackedA>(a, a_row, a_col, b, b_row, k, c, c_row, columns, accumulate);
  if constexpr (M > 1) tile_of<T, Packs, Part, PackedA, M - 1>(rows, a, a_row, a_col, b, b_row, k, c, c_row, columns, accumulate);
}

template <class T> using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
template <class T> [[gnu::always_inline]] inline const Bits<T>* bits(const T* p) { return reinterpret_cast<const Bits<T>*>(p); }
template <class T> [[gnu::always_inline]] inline Bits<T>* bits(T* p) { return reinterpret_cast<Bits<T>*>(p); }

/// kColumns columns of B as rows without gaps, filled up with 0.
template <class T> void pack_columns(const T* b, Int b_row, Int b_col, Int k, Int columns, T* to) {
  constexpr Int w = kColumns<T>;
  if (b_col == 1 && columns == w) {
    for (Int p = 0; p < k; ++p, b += b_row, to += w)
      for (int v = 0; v < kPacks; ++v) Pack<T>::load(b + v * Pack<T>::size).store(to + v * Pack<T>::size);
    return;
  }
  if (columns < w) __builtin_memset(to, 0, static_cast<std::size_t>(k * w) * sizeof(T));
  if (b_row == 1) {  // a transposed matrix: read along its rows
    transpose_tile(bits(b), b_col, bits(to), w, columns, k);
  } else {
    for (Int p = 0; p < k; ++p)
      for (Int j = 0; j < columns; ++j) to[p * w + j] = b[p * b_row + j * b_col];
  }
}

/// kRows rows of A that lie along k, column after column. Squares of registers reach beyond kRows: what they write there is overwritten by the
/// next column, after the last one it is the slack of the scratch memory.
template <class T> Int pack_squares(const T* a, Int a_row, Int k, T* to) {
  using S = Square<Bits<T>>;
  constexpr int w = S::size, squares = (kRows + w - 1) / w;
  Int p = 0;
  for (; p + w <= k; p += w, to += w * kRows) {
    S s[squares];
    for (int q = 0; q < squares; ++q) {
      for (int r = 0; r < w; ++r) __builtin_memcpy(&s[q].r[r], a + smaller(q * w + r, kRows - 1) * a_row + p, sizeof s[q].r[r]);
      s[q].turn();
    }
    for (int r = 0; r < w; ++r)
      for (int q = 0; q < squares; ++q) __builtin_memcpy(to + r * kRows + q * w, &s[q].r[r], sizeof s[q].r[r]);
  }
  return p;
}

/// `rows` rows of A, column after column.
template <class T> void pack_rows(const T* a, Int a_row, Int a_col, Int rows, Int k, T* to) {
  if (a_row == 1 && rows == kRows) {
    for (Int p = 0; p < k; ++p, a += a_col, to += kRows)
      for (int i = 0; i < kRows; ++i) to[i] = a[i];
  } else if (rows == kRows) {
    const Int done = a_col == 1 ? pack_squares(a, a_row, k, to) : 0;
    a += done * a_col, to += done * kRows;
    for (Int p = done; p < k; ++p, a += a_col, to += kRows)
      for (int i = 0; i < kRows; ++i) to[i] = a[i * a_row];
  } else {
    for (Int p = 0; p < k; ++p, a += a_col, to += rows)
      for (Int i = 0; i < rows; ++i) to[i] = a[i * a_row];
  }
}

/// The operands as they lie; a B without adjacent columns is brought into rows, one panel of columns at a time.
template <class T> void multiply_small(const T* a, const T* b, T* c, const GemmBlock& g) {
  constexpr Int w = kColumns<T>;
  alignas(64) T panel[kSmallK * kColumns<T>];
  for (Int j = 0; j < g.n; j += w) {
    const Int columns = smaller(w, g.n - j);
    // a full register is loaded faster than a part of one: worth a copy when several rows of tiles read it
    const bool packed = (g.b_col != 1 && g.n > 1) || (columns % Pack<T>::size != 0 && g.m >= 4 * kRows);
    for (Int p = 0; p < g.k; p += kSmallK) {
      const Int k = packed ? smaller(kSmallK, g.k - p) : g.k;
      if (packed) pack_columns(b + p * g.b_row + j * g.b_col, g.b_row, g.b_col, k, columns, panel);
      const T* from = packed ? panel : b + j;
      const Int b_row = packed ? w : g.b_row;
      const bool accumulate = g.accumulate || p > 0;
      for (Int i = 0; i < g.m; i += kRows) {
        const Int rows = smaller(kRows, g.m - i);
        const T* x = a + i * g.a_row + p * g.a_col;
        T* to = c + i * g.c_row + j;
        if (packed || columns == w) tile_of<T, kPacks, false, false>(rows, x, g.a_row, g.a_col, from, b_row, k, to, g.c_row, columns, accumulate);
        else if (columns > Pack<T>::size) tile_of<T, kPacks, true, false>(rows, x, g.a_row, g.a_col, from, b_row, k, to, g.c_row, columns, accumulate);
        else if (columns == Pack<T>::size) tile_of<T, 1, false, false>(rows, x, g.a_row, g.a_col, from, b_row, k, to, g.c_row, columns, accumulate);
        else tile_of<T, 1, true, false>(rows, x, g.a_row, g.a_col, from, b_row, k, to, g.c_row, columns, accumulate);
      }
      if (!packed) break;
    }
  }
}

/// One row times B, eight registers of columns at a time.
template <class T> void multiply_row(const T* a, const T* b, T* c, const GemmBlock& g) {
  constexpr int packs = 8;
  constexpr Int w = packs * Pack<T>::size;
  Int j = 0;
  for (; j + w <= g.n; j += w) tile<T, 1, packs, false, false>(a, 0, g.a_col, b + j, g.b_row, g.k, c + j, 0, w, g.accumulate);
  for (; j + Pack<T>::size <= g.n; j += Pack<T>::size) tile<T, 1, 1, false, false>(a, 0, g.a_col, b + j, g.b_row, g.k, c + j, 0, Pack<T>::size, g.accumulate);
  if (j < g.n) tile<T, 1, 1, true, false>(a, 0, g.a_col, b + j, g.b_row, g.k, c + j, 0, g.n - j, g.accumulate);
}

/// m rows of A, brought into `packed`, times panels of B that are `apart` elements apart; all of them over k steps.
template <class T> void multiply_rows(const T* a, Int m, Int k, const GemmBlock& g, T* packed, const T* panels, Int apart, Int n, T* c, bool accumulate) {
  constexpr Int w = kColumns<T>;
  for (Int i = 0; i < m; i += kRows) pack_rows(a + i * g.a_row, g.a_row, g.a_col, smaller(kRows, m - i), k, packed + i * k);
  for (Int j = 0; j < n; j += w, panels += apart)
    for (Int i = 0; i < m; i += kRows)
      tile_of<T, kPacks, false, true>(smaller(kRows, m - i), packed + i * k, 1, 0, panels, w, k, c + i * g.c_row + j, g.c_row, smaller(w, n - j), accumulate);
}

template <class T> void multiply_packed(const GemmBlock& g) {
  const T *a = static_cast<const T*>(g.a), *b = static_cast<const T*>(g.b);
  T* c = static_cast<T*>(g.c);
  constexpr Int w = kColumns<T>, wide = kGemmRowBytes / static_cast<Int>(sizeof(T));
  T* packed_b = static_cast<T*>(g.scratch);
  const Int depth = depth_of<T>(g.k);
  T* packed_a = packed_b + wide * depth;
  for (Int j0 = 0; j0 < g.n; j0 += wide) {
    const Int n = smaller(wide, g.n - j0);
    for (Int p = 0; p < g.k; p += depth) {
      const Int k = smaller(depth, g.k - p);
      for (Int j = 0; j < n; j += w) pack_columns(b + p * g.b_row + (j0 + j) * g.b_col, g.b_row, g.b_col, k, smaller(w, n - j), packed_b + j * k);
      for (Int i = 0; i < g.m; i += kGemmM)
        multiply_rows(a + i * g.a_row + p * g.a_col, smaller(kGemmM, g.m - i), k, g, packed_a, packed_b, w * k, n, c + i * g.c_row + j0, g.accumulate || p > 0);
    }
  }
}

template <class T> T total(Pack<T> x) {
  alignas(64) T lane[Pack<T>::size];
  x.v.store_aligned(lane);
  for (Int width = Pack<T>::size / 2; width > 0; width /= 2)
    for (Int i = 0; i < width; ++i) lane[i] += lane[i + width];
  return lane[0];
}

/// Rows of A times one vector, both without gaps.
template <class T> void multiply_vector(const T* a, const T* x, T* c, const GemmBlock& g) {
  using P = Pack<T>;
  constexpr int chains = 4;
  for (Int i = 0; i < g.m; ++i, a += g.a_row) {
    P sum[chains];
    for (auto& s : sum) s = P(0.0);
    Int p = 0;
    for (; p + chains * P::size <= g.k; p += chains * P::size)
      for (int v = 0; v < chains; ++v) sum[v] = fused(P::load(a + p + v * P::size), P::load(x + p + v * P::size), sum[v]);
    for (; p + P::size <= g.k; p += P::size) sum[0] = fused(P::load(a + p), P::load(x + p), sum[0]);
    T value = total<T>((sum[0] + sum[1]) + (sum[2] + sum[3]));
    for (; p < g.k; ++p) value += a[p] * x[p];
    T* to = c + i * g.c_row;
    *to = g.accumulate ? *to + value : value;
  }
}

template <class T> void multiply(const GemmBlock& g) {
  const T *a = static_cast<const T*>(g.a), *b = static_cast<const T*>(g.b);
  T* c = static_cast<T*>(g.c);
  if (g.n == 1 && g.a_col == 1 && g.b_row == 1) multiply_vector(a, b, c, g);
  else if (g.m == 1 && g.b_col == 1) multiply_row(a, b, c, g);
  else if (gemm_is_small(g) || (g.b_col == 1 && g.m <= kRows) || g.n <= kColumns<T>) multiply_small(a, b, c, g);
  else multiply_packed<T>(g);
}

constexpr Int kPanelK = 160;  // steps over k for all rows of A at a time: so much of a panel stays in the first cache

template <class T> void pack_panels(const void* from, Int b_row, Int b_col, Int k, Int n, Int first, Int last, void* to) {
  constexpr Int w = kColumns<T>, step = 64;
  const T* b = static_cast<const T*>(from);
  for (Int j = first; j < last; ++j)
    for (Int p = 0; p < k; p += step)
      pack_columns(b + p * b_row + j * w * b_col, b_row, b_col, smaller(step, k - p), smaller(w, n - j * w), static_cast<T*>(to) + j * w * k + p * w);
}

template <class T> void multiply_panels(const GemmBlock& g, Int first, Int last) {
  constexpr Int w = kColumns<T>;
  const T *a = static_cast<const T*>(g.a), *panels = static_cast<const T*>(g.b);
  T *c = static_cast<T*>(g.c), *packed_a = static_cast<T*>(g.scratch);
  if (!packed_a) {
    // tiles of about one height: a low one at the end would wait for its few sums
    const Int tiles = (g.m + kRows - 1) / kRows, rows = g.m / tiles, higher = g.m % tiles;
    for (Int j = first; j < last; ++j)
      for (Int p = 0; p < g.k; p += kPanelK)
        for (Int t = 0, i = 0; t < tiles; ++t) {
          const Int m = rows + (t < higher);
          tile_of<T, kPacks, false, false>(m, a + i * g.a_row + p * g.a_col, g.a_row, g.a_col, panels + j * w * g.k + p * w, w, smaller(kPanelK, g.k - p), c + i * g.c_row + j * w, g.c_row,
                                           smaller(w, g.n - j * w), g.accumulate || p > 0);
          i += m;
        }
    return;
  }
  for (Int p = 0, depth = depth_of<T>(g.k); p < g.k; p += depth)
    multiply_rows(a + p * g.a_col, g.m, smaller(depth, g.k - p), g, packed_a, panels + first * w * g.k + p * w, w * g.k, smaller(g.n, last * w) - first * w, c + first * w, g.accumulate || p > 0);
}

/// Integers wrap in their own type.
template <class T> void multiply_integers(const GemmBlock& g) {
  const T *a = static_cast<const T*>(g.a), *b = static_cast<const T*>(g.b);
  for (Int i = 0; i < g.m; ++i) {
    T* c = static_cast<T*>(g.c) + i * g.c_row;
    const T* row = a + i * g.a_row;
    if (!g.accumulate)
      for (Int j = 0; j < g.n; ++j) c[j] = 0;
    if (g.b_col == 1) {
      for (Int p = 0; p < g.k; ++p) {
        const T x = row[p * g.a_col];
        const T* y = b + p * g.b_row;
        for (Int j = 0; j < g.n; ++j) c[j] = static_cast<T>(c[j] + x * y[j]);
      }
    } else {
      for (Int j = 0; j < g.n; ++j) {
        T sum = c[j];
        for (Int p = 0; p < g.k; ++p) sum = static_cast<T>(sum + row[p * g.a_col] * b[p * g.b_row + j * g.b_col]);
        c[j] = sum;
      }
    }
  }
}

}  // namespace

void fill_linalg(LinalgKernels& k) {
  const auto set = [&](Dtype d, GemmBlockFn f) { k.gemm_block[static_cast<std::size_t>(d)] = f; };
  k.gemm_panels[static_cast<std::size_t>(Dtype::float32)] = {kColumns<float>, &pack_panels<float>, &multiply_panels<float>, &multiply_packed<float>};
  k.gemm_panels[static_cast<std::size_t>(Dtype::float64)] = {kColumns<double>, &pack_panels<double>, &multiply_panels<double>, &multiply_packed<double>};
  set(Dtype::float32, &multiply<float>);
  set(Dtype::float64, &multiply<double>);
  set(Dtype::uint8, &multiply_integers<std::uint8_t>);
  set(Dtype::int8, &multiply_integers<std::int8_t>);
  set(Dtype::int16, &multiply_integers<std::int16_t>);
  set(Dtype::int32, &multiply_integers<std::int32_t>);
  set(Dtype::int64, &multiply_integers<std::int64_t>);
}

}  // namespace rill::cpu::RILL_ARCH
