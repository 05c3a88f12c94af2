// Matrix products above the block kernels: batches, 16-bit floats, splitting over threads.
#include <algorithm>
#include <cstring>
#include <utility>

#include "backends/api/backend.h"
#include "backends/cpu/gemm_bf16.h"
#include "backends/cpu/linalg.h"
#include "backends/cpu/map.h"
#include "backends/cpu/scratch.h"
#include "lib/core/parallel.h"
#include <rill/core/threads.h>

namespace rill::cpu {
namespace {

using Int = std::int64_t;
constexpr Int kTaskWork = 512 << 10;  // multiply-adds that are worth a thread

constexpr Int kPackWork = 16 << 10;   // elements brought into panels that are worth a thread
constexpr Int kLarge = 1 << 20;       // multiply-adds
constexpr Int kPanelBytes = 8 << 20;  // of B at a time
constexpr Int kFewBlocks = 16;  // with fewer, smaller blocks keep more threads busy

struct Batch {  // leading axes, broadcast; the innermost last
  int rank = 0;
  Int sizes[kMaxRank], a[kMaxRank], b[kMaxRank], c[kMaxRank], count = 1;
};

Batch batch_of(const View& a, const View& b, const View& out) {
  Batch r;
  const auto stride = [&](const View& v, int axis) {
    const int own = axis - (out.rank - v.rank);
    return own < 0 || v.sizes[own] == 1 ? Int{0} : v.strides[own];
  };
  for (int i = 0; i < out.rank - 2; ++i) {
    if (out.sizes[i] == 1) continue;
    const int k = r.rank++;
    r.sizes[k] = out.sizes[i];
    r.a[k] = stride(a, i), r.b[k] = stride(b, i), r.c[k] = out.strides[i];
    r.count *= out.sizes[i];
  }
  return r;
}

GemmBlock matrix_of(const View& a, const View& b, const View& out, bool accumulate) {
  GemmBlock g{a.data, b.data, out.data, out.sizes[out.rank - 2], out.sizes[out.rank - 1], a.sizes[a.rank - 1],
              a.strides[a.rank - 2], a.strides[a.rank - 1], b.strides[b.rank - 2], b.strides[b.rank - 1], out.strides[out.rank - 2], accumulate, nullptr};
  return g;
}

/// C^T = B^T A^T.
void transpose(GemmBlock& g, Int c_col) {
  std::swap(g.a, g.b);
  std::swap(g.m, g.n);
  std::swap(g.a_row, g.b_col);
  std::swap(g.a_col, g.b_row);
  g.c_row = c_col;
}

/// Brings the product into the form that the block kernels like best; returns whether A and B changed places.
bool arrange(GemmBlock& g, Int c_col) {
  if (g.m == 1) g.a_row = g.k, g.c_row = c_col == 1 ? g.n : 1;
  if (g.n == 1) g.b_col = 1, c_col = g.c_row == 1 ? g.m : 1;
  if (g.k == 1) g.a_col = g.a_row == 1 ? g.m : 1, g.b_row = g.b_col == 1 ? g.n : 1;
  const bool row_major = c_col == 1 || g.n == 1, column_major = g.c_row == 1 || g.m == 1;
  const bool better = (g.n == 1 && g.m > 1 && g.a_col != 1 && g.a_row == 1) || (g.m == 1 && g.n > 1 && g.b_col != 1 && g.b_row == 1);
  if (row_major && !(better && column_major)) return false;
  check<Internal>(column_major, "matmul", "neither the rows nor the columns of the result are adjacent");
  transpose(g, c_col);
  return true;
}

struct Splitting {
  Int rows, columns, row_blocks, column_blocks;
  Int blocks() const { return row_blocks * column_blocks; }
};
/// Blocks of about `rows` x `columns`; depends on the shape only.
Splitting split(Int m, Int n, Int rows, Int columns, Int row_unit, Int column_unit) {
  const auto even = [](Int size, Int want, Int unit) {
    const Int pieces = (size + want - 1) / want, each = (size + pieces - 1) / pieces;
    return std::min(size, (each + unit - 1) / unit * unit);
  };
  Splitting s{even(m, rows, row_unit), even(n, columns, column_unit), 0, 0};
  s.row_blocks = (m + s.rows - 1) / s.rows;
  s.column_blocks = (n + s.columns - 1) / s.columns;
  return s;
}

const void* at(const void* p, Int elements, Int size) { return static_cast<const char*>(p) + elements * size; }
void* at(void* p, Int elements, Int size) { return static_cast<char*>(p) + elements * size; }

void zero(const GemmBlock& g, Int size) {
  for (Int i = 0; i < g.m; ++i) std::memset(at(g.c, i * g.c_row, size), 0, static_cast<std::size_t>(g.n * size));
}

const GemmPanels& panels_of(Dtype d) { return cpu_kernels().gemm_panels[static_cast<std::size_t>(d)]; }
Int panel_count(Dtype d, Int n) { return (n + panels_of(d).columns - 1) / panels_of(d).columns; }

/// Worth to bring all of B into panels first: many rows read them.
bool is_large(const GemmBlock& g, Dtype d) { return panels_of(d).columns > 0 && g.m >= 32 && g.n >= 16 && g.k >= 16 && g.m * g.n * g.k >= kLarge; }

/// B is brought into `panels`, and then multiplied by blocks of rows, which are packed by whoever multiplies them. bfloat16 has float32 results, and rows that
/// are read as they lie.
void run_panels(const GemmBlock& g, Dtype d, const Scratch& panels) {
  const GemmPanels& p = panels_of(d);
  const bool pairs = d == Dtype::bfloat16;
  const Int size = static_cast<Int>(size_of(d)), result_size = pairs ? 4 : size, count = panel_count(d, g.n), threads = num_threads();
  parallel_for(count, std::max<Int>(1, kPackWork / (p.columns * g.k)), [&](Int first, Int last) { p.pack(g.b, g.b_row, g.b_col, g.k, g.n, first, last, panels.get()); });
  // The same number of blocks for every thread, of equal height but for one tile of rows. Where rows and columns are cut changes no value.
  constexpr Int unit = 12;
  const Int tiles = (g.m + unit - 1) / unit, least = (g.m + kGemmM - 1) / kGemmM;
  const Int row_blocks = std::min(tiles, (least + threads - 1) / threads * threads);
  const Int column_blocks = row_blocks < threads ? std::min(count, (threads + row_blocks - 1) / row_blocks) : 1;
  const auto row = [&](Int block) { return std::min(g.m, tiles * block / row_blocks * unit); };
  parallel_for(row_blocks * column_blocks, std::max<Int>(1, kTaskWork * row_blocks * column_blocks / (g.m * g.n * g.k)), [&](Int begin, Int end) {
    const Scratch rows(pairs ? 0 : kGemmPackedA);
    for (Int task = begin; task < end; ++task) {
      GemmBlock t = g;
      const Int r = task / column_blocks, c = task % column_blocks, i = row(r);
      t.a = at(g.a, i * g.a_row, size), t.b = panels.get(), t.c = at(g.c, i * g.c_row, result_size), t.m = row(r + 1) - i, t.scratch = rows.get();
      p.multiply(t, count * c / column_blocks, count * (c + 1) / column_blocks);
    }
  });
}

/// Many rows read a part of B from the last cache. Of a B that is larger than that: some columns at a time, which reads A once for each part, or, where B is
/// much deeper than wide, some rows at a time, which passes over C once for each part.
void run_large(const GemmBlock& g, Dtype d) {
  const Int size = static_cast<Int>(size_of(d)), w = panels_of(d).columns, all = (g.n + w - 1) / w * w, most = kPanelBytes / size;
  const Int parts = g.k > 2 * g.n ? (g.k * all + most - 1) / most : 1, deep = (g.k + parts - 1) / parts, wide = std::max(w, std::min(all, most / deep / w * w));
  const Scratch panels(wide * deep * size);
  for (Int p = 0; p < g.k; p += deep)
    for (Int j = 0; j < g.n; j += wide) {
      GemmBlock part = g;
      part.a = at(g.a, p * g.a_col, size), part.b = at(g.b, p * g.b_row + j * g.b_col, size), part.c = at(g.c, j, size);
      part.n = std::min(wide, g.n - j), part.k = std::min(deep, g.k - p), part.accumulate = g.accumulate || p > 0;
      run_panels(part, d, panels);
    }
}

/// A few rows, too few to pay for panels of B that all threads share: everybody brings its own columns into panels, piece by piece, and all rows read them from
/// its caches.
void run_few_rows(const GemmBlock& g, Dtype d) {
  const Int size = static_cast<Int>(size_of(d)), w = panels_of(d).columns, count = panel_count(d, g.n);
  const Int blocks = std::clamp<Int>(g.m * g.n * g.k / kTaskWork, 1, std::min<Int>(count, num_threads()));
  parallel_for(blocks, 1, [&](Int begin, Int end) {
    const Scratch scratch(kGemmScratch);
    const Int first = count * begin / blocks * w;
    GemmBlock t = g;
    t.b = at(g.b, first * g.b_col, size), t.c = at(g.c, first, size), t.n = std::min(g.n, count * end / blocks * w) - first, t.scratch = scratch.get();
    panels_of(d).pack_and_multiply(t);
  });
}

void run_batches(GemmBlock g, Batch batch, bool swapped, Dtype dtype) {
  const Int size = static_cast<Int>(size_of(dtype));
  if (swapped) std::swap(batch.a, batch.b);
  const GemmBlockFn block = cpu_kernels().gemm_block[static_cast<std::size_t>(dtype)];
  if (batch.count == 1 && is_large(g, dtype)) return g.m <= kGemmM ? run_few_rows(g, dtype) : run_large(g, dtype);
  const bool vector = g.n == 1;
  const Int columns = vector ? 1 : kGemmRowBytes / size;
  Splitting s = split(g.m, g.n, vector ? 1024 : kGemmM, columns, 12, 32);
  if (!vector && batch.count * s.blocks() < kFewBlocks && g.m * g.n * g.k >= kTaskWork) s = split(g.m, g.n, kGemmM / 2, columns / 2, 12, 32);
  const Int work = std::max<Int>(1, s.rows * s.columns * g.k);
  const auto run = [&](Int begin, Int end) {
    GemmBlock probe = g;
    probe.m = s.rows, probe.n = s.columns;
    const Scratch scratch(g.k == 0 || gemm_is_small(probe) ? 0 : kGemmScratch);
    for (Int task = begin; task < end; ++task) {
      Int rest = task / s.blocks();
      const Int in = task % s.blocks(), i = in / s.column_blocks * s.rows, j = in % s.column_blocks * s.columns;
      GemmBlock t = g;
      Int a = i * g.a_row, b = j * g.b_col, c = i * g.c_row + j;
      for (int axis = batch.rank - 1; axis >= 0; --axis) {
        const Int index = rest % batch.sizes[axis];
        rest /= batch.sizes[axis];
        a += index * batch.a[axis], b += index * batch.b[axis], c += index * batch.c[axis];
      }
      t.a = at(g.a, a, size), t.b = at(g.b, b, size), t.c = at(g.c, c, size);
      t.m = std::min(s.rows, g.m - i), t.n = std::min(s.columns, g.n - j);
      t.scratch = scratch.get();
      if (g.k == 0) {
        if (!g.accumulate) zero(t, size);
      } else {
        block(t);
      }
    }
  };
  parallel_for(batch.count * s.blocks(), std::max<Int>(1, kTaskWork / work), run);
}

/// One B for many A whose rows follow each other: a single product with more rows.
void merge_rows(GemmBlock& g, Batch& batch) {
  while (batch.rank > 0 && batch.b[batch.rank - 1] == 0) {
    const int k = batch.rank - 1;
    const bool one = g.m == 1;
    if (!one && (batch.a[k] != g.m * g.a_row || batch.c[k] != g.m * g.c_row)) break;
    if (one) g.a_row = batch.a[k], g.c_row = batch.c[k];
    g.m *= batch.sizes[k], batch.count /= batch.sizes[k], --batch.rank;
  }
}

/// The operand as a contiguous float32 tensor in `memory`.
View widened(const View& v, void* memory, Strides& strides) {
  strides = Strides(v.rank, 0);
  Int step = 1;
  for (int i = v.rank - 1; i >= 0; --i) strides[i] = step, step *= v.sizes[i];
  return {memory, Dtype::float32, v.rank, v.sizes, strides.data(), v.numel, true};
}

Int panels_size(Dtype d, Int k, Int n) { return panel_count(d, n) * panels_of(d).columns * (d == Dtype::bfloat16 ? (k + 1) / 2 * 2 : k); }

/// Pairs of bfloat16 are worth their panels.
bool takes_pairs(const View& a, const View& out) {
  const Int m = out.sizes[out.rank - 2], n = out.sizes[out.rank - 1], k = a.sizes[a.rank - 1];
  return a.dtype == Dtype::bfloat16 && has_bf16_products() && m >= 4 && n >= 16 && k >= 16;
}

/// out = a b, or out += a b: bfloat16 operands, a float32 result with adjacent columns. Few large matrices are worked on one after the other.
void gemm_pairs(const View& a, const View& b, const View& out, bool accumulate) {
  GemmBlock g = matrix_of(a, b, out, accumulate);
  Batch batch = batch_of(a, b, out);
  merge_rows(g, batch);
  const bool large = g.m * g.n * g.k >= kLarge;
  const auto run = [&](Int begin, Int end) {
    for (Int i = begin; i < end; ++i) {
      GemmBlock t = g;
      Int rest = i, x = 0, y = 0, z = 0;
      for (int axis = batch.rank - 1; axis >= 0; --axis) {
        const Int index = rest % batch.sizes[axis];
        rest /= batch.sizes[axis];
        x += index * batch.a[axis], y += index * batch.b[axis], z += index * batch.c[axis];
      }
      t.a = at(g.a, x, 2), t.b = at(g.b, y, 2), t.c = at(g.c, z, 4);
      run_panels(t, Dtype::bfloat16, Scratch(panels_size(Dtype::bfloat16, t.k, t.n) * 2));
    }
  };
  if (large) run(0, batch.count);
  else parallel_for(batch.count, std::max<Int>(1, kTaskWork / (g.m * g.n * g.k)), run);
}

/// bfloat16 and float16 operands; `out` has their dtype or is float32.
void gemm_16bit(const View& a, const View& b, const View& out, bool accumulate) {
  const bool pairs = takes_pairs(a, out);
  if (pairs && out.dtype == Dtype::float32) return gemm_pairs(a, b, out, accumulate);
  if (pairs) {
    const Scratch memory(out.numel * 4);
    Strides strides;
    const View wide = widened(out, memory.get(), strides);
    if (accumulate) copy(out, wide);
    gemm_pairs(a, b, wide, accumulate);
    return copy(wide, out);
  }
  const Scratch memory_a(a.numel * 4), memory_b(b.numel * 4), memory_c(out.numel * 4);
  Strides sa, sb, sc;
  const View wide_a = widened(a, memory_a.get(), sa), wide_b = widened(b, memory_b.get(), sb), wide_c = widened(out, memory_c.get(), sc);
  if (a.numel) copy(a, wide_a);
  if (b.numel) copy(b, wide_b);
  if (accumulate) copy(out, wide_c);
  gemm(wide_a, wide_b, wide_c, accumulate);
  copy(wide_c, out);
}

void pack_panels(const View& b, void* panels) {
  const GemmPanels& p = panels_of(b.dtype);
  const Int k = b.sizes[0], n = b.sizes[1];
  parallel_for(panel_count(b.dtype, n), std::max<Int>(1, kPackWork / std::max<Int>(1, p.columns * k)),
               [&](Int first, Int last) { p.pack(b.data, b.strides[0], b.strides[1], k, n, first, last, panels); });
}

void gemm_packed(const View& a, const void* panels, const View& out, bool accumulate) {
  if (out.numel == 0) return;
  const GemmPanels& p = panels_of(a.dtype);
  const GemmBlock g{a.data, panels, out.data, out.sizes[0], out.sizes[1], a.sizes[1], a.strides[0], a.strides[1], 0, 0, out.strides[0], accumulate, nullptr};
  parallel_for(panel_count(a.dtype, g.n), std::max<Int>(1, kTaskWork / std::max<Int>(1, g.m * p.columns * g.k)), [&](Int first, Int last) { p.multiply(g, first, last); });
}

}  // namespace

void gemm(const View& a, const View& b, const View& out, bool accumulate) {
  if (out.numel == 0) return;
  if (a.dtype == Dtype::float16 || a.dtype == Dtype::bfloat16) [[unlikely]] return gemm_16bit(a, b, out, accumulate);
  GemmBlock g = matrix_of(a, b, out, accumulate);
  const Int c_col = out.strides[out.rank - 1];
  if (out.rank == 2) {
    arrange(g, c_col);
    if (g.k > 0 && gemm_is_small(g)) [[likely]] return cpu_kernels().gemm_block[static_cast<std::size_t>(out.dtype)](g);
    return run_batches(g, {}, false, out.dtype);
  }
  Batch batch = batch_of(a, b, out);
  merge_rows(g, batch);
  const bool swapped = arrange(g, c_col);
  run_batches(g, batch, swapped, out.dtype);
}

void add_linalg(LinalgKernels& k) {
  k.gemm = &gemm;
  k.panels_size = &panels_size, k.pack_panels = &pack_panels, k.gemm_packed = &gemm_packed;
  add_bf16_products(k);
  add_lapack(k);
}

}  // namespace rill::cpu
