// Gather, scatter, masks. What several indices write to one place is combined in index order: the positions are sorted, and the first of
// equal ones walks them all.
#include "backends/api/kernels/index.h"

#include <limits>
#include <vector>

#include "backends/api/functors/combine.h"
#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/mask.h"
#include "backends/cuda/kernels/plan.h"
#include "backends/cuda/kernels/verdict.h"

namespace rill::RILL_GPU {
namespace {

using Int = std::int64_t;
constexpr int kIndexThreads = 256;

// ---- positions --------------------------------------------------------------------------------------------------------------------

struct GridKernel {
  static constexpr int kThreads = kIndexThreads;
  Axes grid;  // strides: what a step along the axis adds
  Int n;
  Int* out;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i < n) out[i] = grid.offset(i);
  }
};
struct PositionKernel {
  static constexpr int kThreads = kIndexThreads;
  Axes index;
  const char* data;
  Int n, size, scale;
  bool wrap;
  int which, count;  // of `count` index tensors
  Int* out;
  Int* bad;          // position * count + which of the first bad value
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i >= n) return;
    const Int value = *reinterpret_cast<const Int*>(data + index.offset(i)), at = wrap && value < 0 ? value + size : value;
    if (static_cast<std::uint64_t>(at) >= static_cast<std::uint64_t>(size)) return atomic_min(bad, i * count + which);
    out[i] += at * scale;
  }
};
/// Strides in bytes for the axes of `out`, 0 where v is broadcast.
Axes axes_of(const View& v, const View& out) {
  Axes a;
  for (int k = 0; k < out.rank; ++k) {
    const int own = k - (out.rank - v.rank);
    a.add(out.sizes[k], own < 0 || v.sizes[own] == 1 ? 0 : v.strides[own] * static_cast<Int>(size_of(v.dtype)));
  }
  return a;
}
BadIndex positions(std::span<const View> indices, const std::int64_t* sizes, const std::int64_t* scales, const std::int64_t* grid, bool wrap, const View& out) {
  if (out.numel == 0) return {};
  Axes steps;
  for (int a = 0; a < out.rank; ++a) steps.add(out.sizes[a], grid ? grid[a] : 0);
  launch(GridKernel{steps, out.numel, out.as<Int>()}, blocks_for(out.numel, kIndexThreads));
  const Verdict bad;
  const int count = static_cast<int>(indices.size());
  for (int w = 0; w < count; ++w) {
    const View& v = indices[static_cast<std::size_t>(w)];
    launch(PositionKernel{axes_of(v, out), static_cast<const char*>(v.data), out.numel, sizes[w], scales[w], wrap, w, count, out.as<Int>(), bad.first()}, blocks_for(out.numel, kIndexThreads));
  }
  const Int first = bad.read();
  if (first == kAllLegal) return {};
  BadIndex found{first % count, first / count, 0};
  const View& v = indices[static_cast<std::size_t>(found.which)];
  copy_to_host(&found.value, static_cast<const char*>(v.data) + axes_of(v, out).offset(found.position), sizeof found.value);
  return found;
}

// ---- take -------------------------------------------------------------------------------------------------------------------------

template <class T> struct TakeKernel {
  static constexpr int kThreads = kIndexThreads;
  Plan plan;  // out, x without the indexed axis, positions
  Int step;   // of that axis, in bytes
  RILL_DEVICE void operator()(Team& team) const {
    const auto i = static_cast<std::uint32_t>(team.block()) * kThreads + static_cast<std::uint32_t>(team.thread());
    if (i >= plan.numel) return;
    std::int64_t at[3];
    plan.offsets(i, at);
    *reinterpret_cast<T*>(plan.data[0] + at[0]) = *reinterpret_cast<const T*>(plan.data[1] + at[1] + *reinterpret_cast<const Int*>(plan.data[2] + at[2]) * step);
  }
};
/// f(an unsigned integer as large as the elements)
template <class F> void by_size(Dtype d, F f) {
  switch (size_of(d)) {
    case 1: return f(std::uint8_t{});
    case 2: return f(std::uint16_t{});
    case 4: return f(std::uint32_t{});
    default: return f(std::uint64_t{});
  }
}
void take(const View& x, int axis, const View& positions, const View& out) {
  if (out.numel == 0) return;
  const Int size = static_cast<Int>(size_of(x.dtype));
  std::vector<Int> steps(static_cast<std::size_t>(out.rank)), places(static_cast<std::size_t>(out.rank));
  for (int a = 0; a < out.rank; ++a) steps[static_cast<std::size_t>(a)] = a == axis ? 0 : x.strides[a], places[static_cast<std::size_t>(a)] = a == axis;
  const View from{x.data, x.dtype, out.rank, out.sizes, steps.data(), out.numel, false}, at{positions.data, positions.dtype, out.rank, out.sizes, places.data(), out.numel, false};
  const Dtype dtypes[] = {out.dtype, x.dtype, Dtype::int64};
  for_each_part(LoopPlan<3>({out, from, at}), [&](const LoopPlan<3>& part) {
    by_size(x.dtype, [&](auto t) { launch(TakeKernel<decltype(t)>{plan_of(part, dtypes, 1), (x.rank ? x.strides[axis] : 1) * size}, blocks_for(part.numel, kIndexThreads)); });
  });
}

// ---- put --------------------------------------------------------------------------------------------------------------------------

template <class F, class T> struct PutKernel {
  static constexpr int kThreads = kIndexThreads;
  Plan rest;  // the other axes of source and x
  Int count, source_step, x_step;  // in bytes
  const Int *sorted, *order;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    const Int k = i / rest.numel;
    if (k >= count || (k > 0 && sorted[k - 1] == sorted[k])) return;
    std::int64_t at[2];
    rest.offsets(static_cast<std::uint32_t>(i - k * rest.numel), at);
    T* to = reinterpret_cast<T*>(rest.data[1] + at[1] + sorted[k] * x_step);
    T value = *to;
    for (Int j = k; j < count && sorted[j] == sorted[k]; ++j) value = F::of(value, *reinterpret_cast<const T*>(rest.data[0] + at[0] + order[j] * source_step));
    *to = value;
  }
};
template <class F, class T> void put_as(const LoopPlan<2>& rest, Int count, Int source_step, Int x_step, const Int* sorted, const Int* order) {
  const Dtype dtypes[] = {Dtype::uint8, Dtype::uint8};  // the plan's strides are all that is used
  for_each_part(rest, [&](const LoopPlan<2>& part) { launch(PutKernel<F, T>{plan_of(part, dtypes, 1), count, source_step, x_step, sorted, order}, blocks_for(part.numel * count, kIndexThreads)); });
}
/// f(Type) for the dtypes that are combined.
template <class F> bool by_combined(Dtype d, F f) {
  switch (d) {
    case Dtype::float32: return f(float{}), true;
    case Dtype::float64: return f(double{}), true;
    case Dtype::int64: return f(Int{}), true;
    case Dtype::int32: return f(std::int32_t{}), true;
    case Dtype::int16: return f(std::int16_t{}), true;
    case Dtype::int8: return f(std::int8_t{}), true;
    case Dtype::uint8: return f(std::uint8_t{}), true;
    case Dtype::boolean: return f(bool{}), true;
    default: return false;
  }
}
void put(const View& x, int axis, const View& positions, const View& source, Combine combine) {
  if (source.numel == 0) return;
  const Int count = positions.numel, bytes = count * static_cast<Int>(sizeof(Int)), size = static_cast<Int>(size_of(x.dtype));
  const Scratch sorted(bytes), order(bytes);
  sort_keys(positions.as<const Int>(), count, sorted.as<Int>(), order.as<Int>());
  std::vector<Int> sizes, from, to;
  Int numel = 1;
  for (int a = 0; a < source.rank; ++a)
    if (a != axis) sizes.push_back(source.sizes[a]), from.push_back(source.strides[a]), to.push_back(x.strides[a]), numel *= source.sizes[a];
  const int rank = static_cast<int>(sizes.size());
  const LoopPlan<2> rest({View{source.data, source.dtype, rank, sizes.data(), from.data(), numel, false}, View{x.data, x.dtype, rank, sizes.data(), to.data(), numel, false}});
  const Int source_step = (source.rank ? source.strides[axis] : 1) * size, x_step = (x.rank ? x.strides[axis] : 1) * size;
  const auto run = [&](auto t, auto f) { put_as<decltype(f), decltype(t)>(rest, count, source_step, x_step, sorted.as<const Int>(), order.as<const Int>()); };
  if (combine == Combine::set) return by_size(x.dtype, [&](auto t) { run(t, fn::CombineSet{}); });
  by_combined(x.dtype, [&](auto t) {
    switch (combine) {
      case Combine::add: return run(t, fn::CombineAdd{});
      case Combine::mul: return run(t, fn::CombineMul{});
      case Combine::max: return run(t, fn::CombineMax{});
      default: return run(t, fn::CombineMin{});
    }
  });
}

// ---- rows of bytes ----------------------------------------------------------------------------------------------------------------

template <class T> struct RowsKernel {
  static constexpr int kThreads = kIndexThreads;
  const char* from;
  char* to;
  Int from_step, to_step, n, width;  // elements in all and of a row
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i >= n) return;
    const Int row = i / width, at = (i - row * width) * static_cast<Int>(sizeof(T));
    *reinterpret_cast<T*>(to + row * to_step + at) = *reinterpret_cast<const T*>(from + row * from_step + at);
  }
};
void copy_rows(const void* from, std::int64_t from_step, void* to, std::int64_t to_step, std::int64_t rows, std::int64_t bytes) {
  if (rows == 0 || bytes == 0) return;
  const auto all = reinterpret_cast<std::uintptr_t>(from) | reinterpret_cast<std::uintptr_t>(to) | static_cast<std::uintptr_t>(from_step | to_step | bytes);
  const auto run = [&](auto t) {
    using T = decltype(t);
    const Int width = bytes / static_cast<Int>(sizeof(T));
    launch(RowsKernel<T>{static_cast<const char*>(from), static_cast<char*>(to), from_step, to_step, rows * width, width}, blocks_for(rows * width, kIndexThreads));
  };
  if (all % 8 == 0) return run(std::uint64_t{});
  if (all % 4 == 0) return run(std::uint32_t{});
  if (all % 2 == 0) return run(std::uint16_t{});
  run(std::uint8_t{});
}

// ---- what is true -----------------------------------------------------------------------------------------------------------------

struct WriteTrue {
  static constexpr int kThreads = kLineThreads;
  struct Shared {
    Int count[kThreads];
  };
  const unsigned char* mask;
  Int n;
  const Int* starts;
  Int* out;
  RILL_DEVICE void operator()(Team& team, Shared& shared) const {
    const Int first = team.block() * kMaskChunk + team.thread() * kMaskItems;
    Int at = true_before(team, shared.count, mask, n, first, starts);
    for (int j = 0; j < kMaskItems; ++j)
      if (first + j < n && mask[first + j] != 0) out[at++] = first + j;
  }
};
std::int64_t count_true(const View& mask) {
  if (mask.numel == 0) return 0;
  const Int chunks = blocks_for(mask.numel, kMaskChunk);
  const Scratch counts((chunks + 1) * static_cast<Int>(sizeof(Int)));
  chunk_starts(mask.as<const unsigned char>(), mask.numel, chunks, counts.as<Int>());
  Int all = 0;
  copy_to_host(&all, counts.as<Int>() + chunks, sizeof all);
  return all;
}
void positions_true(const View& mask, const View& out) {
  if (mask.numel == 0) return;
  const Int chunks = blocks_for(mask.numel, kMaskChunk);
  const Scratch counts((chunks + 1) * static_cast<Int>(sizeof(Int)));
  chunk_starts(mask.as<const unsigned char>(), mask.numel, chunks, counts.as<Int>());
  launch(WriteTrue{mask.as<const unsigned char>(), mask.numel, counts.as<const Int>(), out.as<Int>()}, chunks);
}

}  // namespace

void fill_index(IndexKernels& k) {
  k.positions = &positions;
  k.take = &take;
  k.put = &put;
  k.copy_rows = &copy_rows;
  k.count_true = &count_true;
  k.positions_true = &positions_true;
}

}  // namespace rill::RILL_GPU
