// Index walking: positions, rows at positions, masks. What writes to shared places runs in index order inside each thread, and
// threads own disjoint columns, so that duplicates give the same result on every machine.
#include "backends/cpu/index.h"

#include <cstring>
#include <limits>
#include <mutex>
#include <vector>

#include "backends/api/backend.h"
#include "backends/api/loop.h"
#include "lib/core/parallel.h"

namespace rill::cpu {
namespace {

constexpr std::int64_t kGrain = 16 << 10;  // elements per task

BadIndex positions(std::span<const View> indices, const std::int64_t* sizes, const std::int64_t* scales, const std::int64_t* grid, bool wrap, const View& out) {
  const std::int64_t columns = out.rank ? out.sizes[out.rank - 1] : 1;
  BadIndex first{-1, std::numeric_limits<std::int64_t>::max(), 0};
  if (out.numel == 0) return {};
  std::mutex mutex;
  parallel_for(out.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    BadIndex bad{-1, std::numeric_limits<std::int64_t>::max(), 0};
    while (begin < end) {
      const std::int64_t column = begin % columns, n = std::min(columns - column, end - begin);
      std::int64_t* to = out.as<std::int64_t>() + begin;
      std::int64_t start = 0, step = 0, rest = begin / columns;
      if (grid && out.rank) {
        step = grid[out.rank - 1];
        start = column * step;
        for (int a = out.rank - 2; a >= 0; --a) start += rest % out.sizes[a] * grid[a], rest /= out.sizes[a];
      }
      for (std::int64_t i = 0; i < n; ++i) to[i] = start + i * step;
      for (std::size_t which = 0; which < indices.size(); ++which) {
        const View& v = indices[which];
        const std::int64_t* from = v.as<std::int64_t>();
        const int extra = out.rank - v.rank;
        const std::int64_t along = v.rank && v.sizes[v.rank - 1] != 1 ? v.strides[v.rank - 1] : 0, size = sizes[which], scale = scales[which];
        rest = begin / columns;
        for (int a = out.rank - 2; a >= extra; --a) {
          if (v.sizes[a - extra] != 1) from += rest % out.sizes[a] * v.strides[a - extra];
          rest /= out.sizes[a];
        }
        from += column * along;
        for (std::int64_t i = 0; i < n; ++i) {
          const std::int64_t value = from[i * along], at = wrap && value < 0 ? value + size : value;
          if (static_cast<std::uint64_t>(at) >= static_cast<std::uint64_t>(size)) [[unlikely]] {
            if (begin + i < bad.position) bad = {static_cast<std::int64_t>(which), begin + i, value};
            continue;
          }
          to[i] += at * scale;
        }
      }
      begin += n;
    }
    if (bad.which < 0) return;
    std::lock_guard lock(mutex);
    if (bad.position < first.position) first = bad;
  });
  return first.which < 0 ? BadIndex{} : first;
}

/// The axes of x and flat besides the indexed one, ordered and merged; the innermost is a run when both sides hold it side by side.
struct Rest {
  std::int64_t sizes[2][kMaxRank], strides[2][kMaxRank];
  LoopPlan<2> plan;
  std::int64_t element, run, outer;

  Rest(const View& x, int axis, const View& flat) : plan(drop(x, axis, flat)), element(static_cast<std::int64_t>(size_of(x.dtype))) {
    const bool packed = plan.rank > 0 && plan.inner_stride(0) == element && plan.inner_stride(1) == element;
    run = packed ? plan.inner_size() : 1;
    outer = run ? plan.numel / run : 0;
  }
  std::array<View, 2> drop(const View& x, int axis, const View& flat) {
    std::int64_t numel = 1;
    int rank = 0;
    for (int a = 0; a < flat.rank; ++a) {
      if (a == axis) continue;
      sizes[0][rank] = sizes[1][rank] = flat.sizes[a];
      strides[0][rank] = flat.strides[a];
      strides[1][rank] = x.strides[a];
      numel *= flat.sizes[a];
      ++rank;
    }
    return {View{flat.data, flat.dtype, rank, sizes[0], strides[0], numel, false}, View{x.data, x.dtype, rank, sizes[1], strides[1], numel, false}};
  }
  char* flat_at(const LoopCursor<2>& c) const { return plan.data[0] + c.offset[0]; }
  char* x_at(const LoopCursor<2>& c) const { return plan.data[1] + c.offset[1]; }
};

int log2_size(Dtype d) {
  const auto bytes = size_of(d);
  return bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : 3;
}
std::int64_t stride_of(const View& v, int axis) { return v.rank ? v.strides[axis] : 1; }

void take(const View& x, int axis, const View& positions, const View& out) {
  if (out.numel == 0) return;
  const Rest rest(x, axis, out);
  const IndexRowsFn rows = cpu_kernels().take_rows[static_cast<std::size_t>(log2_size(x.dtype))];
  const auto* at = positions.as<std::int64_t>();
  const std::int64_t count = positions.numel, scale = stride_of(x, axis), step = stride_of(out, axis);
  // one task is some (outer position, index) pairs, `count` of them for each outer position
  parallel_for(rest.outer * count, std::max<std::int64_t>(kGrain / rest.run, 1), [&](std::int64_t begin, std::int64_t end) {
    LoopCursor<2> c(rest.plan, begin / count * rest.run);
    while (begin < end) {
      const std::int64_t k = begin % count, n = std::min(count - k, end - begin);
      rows({rest.x_at(c), rest.flat_at(c) + k * step * rest.element, at + k, scale, n, step, rest.run});
      c.advance(rest.run);
      begin += n;
    }
  });
}

constexpr std::int64_t kLeastColumns = 192;  // of a task: rows are far apart in memory, and narrow pieces of them fetch every page anew

void put(const View& x, int axis, const View& positions, const View& source, Combine combine) {
  if (source.numel == 0) return;
  const Rest rest(x, axis, source);
  const IndexRowsFn rows = cpu_kernels().put_rows[static_cast<std::size_t>(combine)][static_cast<std::size_t>(x.dtype)];
  if (!rows) fail<Unimplemented>("index_put", "no kernel for {}", x.dtype);
  const auto* at = positions.as<std::int64_t>();
  const std::int64_t count = positions.numel, scale = stride_of(x, axis), step = stride_of(source, axis);
  // a task owns some columns and walks all indices in order
  parallel_for(rest.plan.numel, std::max<std::int64_t>(kGrain / count, kLeastColumns), [&](std::int64_t begin, std::int64_t end) {
    LoopCursor<2> c(rest.plan, begin);
    while (begin < end) {
      const std::int64_t n = rest.run == 1 ? 1 : std::min(c.row_left(), end - begin);
      rows({rest.x_at(c), rest.flat_at(c), at, scale, count, step, n});
      c.advance(n);
      begin += n;
    }
  });
}

template <int Bytes> void copy_fixed(const char* from, std::int64_t from_step, char* to, std::int64_t to_step, std::int64_t rows) {
  for (std::int64_t i = 0; i < rows; ++i) std::memcpy(to + i * to_step, from + i * from_step, Bytes);
}
void copy_rows(const void* from, std::int64_t from_step, void* to, std::int64_t to_step, std::int64_t rows, std::int64_t bytes) {
  if (rows == 0 || bytes == 0) return;
  const auto* x = static_cast<const char*>(from);
  auto* y = static_cast<char*>(to);
  constexpr std::int64_t kTask = 256 << 10;  // bytes
  if (rows == 1 || (from_step == bytes && to_step == bytes))
    return parallel_for(rows * bytes, kTask, [&](std::int64_t b, std::int64_t e) { std::memcpy(y + b, x + b, static_cast<std::size_t>(e - b)); });
  parallel_for(rows, std::max<std::int64_t>(kTask / bytes, 1), [&](std::int64_t b, std::int64_t e) {
    const char* s = x + b * from_step;
    char* t = y + b * to_step;
    switch (bytes) {
      case 1: return copy_fixed<1>(s, from_step, t, to_step, e - b);
      case 2: return copy_fixed<2>(s, from_step, t, to_step, e - b);
      case 4: return copy_fixed<4>(s, from_step, t, to_step, e - b);
      case 8: return copy_fixed<8>(s, from_step, t, to_step, e - b);
      case 16: return copy_fixed<16>(s, from_step, t, to_step, e - b);
      default:
        for (; b < e; ++b, s += from_step, t += to_step) std::memcpy(t, s, static_cast<std::size_t>(bytes));
    }
  });
}

std::int64_t count_range(const unsigned char* p, std::int64_t n) {
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < n; ++i) total += p[i] != 0;
  return total;
}
constexpr std::int64_t kMaskChunk = 64 << 10;

std::int64_t count_true(const View& mask) {
  std::atomic<std::int64_t> total{0};
  parallel_for(mask.numel, kMaskChunk, [&](std::int64_t b, std::int64_t e) { total += count_range(mask.as<unsigned char>() + b, e - b); });
  return total;
}
void positions_true(const View& mask, const View& out) {
  const auto* p = mask.as<unsigned char>();
  auto* to = out.as<std::int64_t>();
  if (mask.numel <= kMaskChunk) {
    for (std::int64_t i = 0; i < mask.numel; ++i)
      if (p[i]) *to++ = i;
    return;
  }
  const std::int64_t chunks = (mask.numel + kMaskChunk - 1) / kMaskChunk;
  std::vector<std::int64_t> start(static_cast<std::size_t>(chunks) + 1);
  const auto size = [&](std::int64_t c) { return std::min(kMaskChunk, mask.numel - c * kMaskChunk); };
  parallel_for(chunks, 1, [&](std::int64_t b, std::int64_t e) {
    for (; b < e; ++b) start[static_cast<std::size_t>(b) + 1] = count_range(p + b * kMaskChunk, size(b));
  });
  for (std::size_t c = 1; c < start.size(); ++c) start[c] += start[c - 1];
  parallel_for(chunks, 1, [&](std::int64_t b, std::int64_t e) {
    for (; b < e; ++b) {
      std::int64_t* t = to + start[static_cast<std::size_t>(b)];
      for (std::int64_t i = b * kMaskChunk, stop = i + size(b); i < stop; ++i)
        if (p[i]) *t++ = i;
    }
  });
}

}  // namespace

void add_index(IndexKernels& k) {
  k.positions = &positions;
  k.take = &take;
  k.put = &put;
  k.copy_rows = &copy_rows;
  k.count_true = &count_true;
  k.positions_true = &positions_true;
}

}  // namespace rill::cpu
