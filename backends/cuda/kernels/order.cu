// Sorting along an axis with the library's sort of keys (sort_keys): all elements by value first, then, stably, by their line.
#include "backends/api/kernels/sort.h"

#include "backends/cuda/kernels/elements.h"
#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/plan.h"
#include <rill/core/dtype.h>

namespace rill::RILL_GPU {
namespace {

using Int = std::int64_t;
constexpr int kOrderThreads = 256;

/// An unsigned number with the order of the values: NaN is the largest, -0 equals 0.
template <class T> RILL_DEVICE std::uint64_t key_of(T x) {
  if constexpr (std::is_class_v<T>) {
    return key_of(static_cast<float>(x));
  } else if constexpr (std::is_floating_point_v<T>) {
    if (x != x) return ~std::uint64_t{0};
    constexpr std::uint64_t sign = std::uint64_t{1} << 63;
    const std::uint64_t bits = __builtin_bit_cast(std::uint64_t, static_cast<double>(x == 0 ? T{0} : x));
    return bits & sign ? ~bits : bits | sign;
  } else {
    return static_cast<std::uint64_t>(static_cast<Int>(x)) ^ (std::uint64_t{1} << 63);
  }
}

struct KeysKernel {  // keys of all elements, line after line
  static constexpr int kThreads = kOrderThreads;
  Axes lines;
  Int count, n, step;
  const char* x;
  Dtype dtype;
  bool descending;
  Int* keys;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i >= count) return;
    const Int line = i / n;
    const char* p = x + lines.offset(line) + (i - line * n) * step;
    const std::uint64_t key = by_dtype(dtype, [&](auto type) { return key_of(*reinterpret_cast<const typename decltype(type)::type*>(p)); });
    keys[i] = static_cast<Int>(descending ? ~key : key);
  }
};
struct LineKernel {  // the line of the element that comes i-th by value
  static constexpr int kThreads = kOrderThreads;
  Int count, n;
  const Int* order;
  Int* line;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i < count) line[i] = order[i] / n;
  }
};
template <class T> struct WriteSorted {
  static constexpr int kThreads = kOrderThreads;
  Axes lines, values, places;
  Int count, n, kept, from_step, value_step, place_step;  // kept: of n
  const Int *by_value, *by_line;
  const char* x;
  char *value, *place;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i >= count) return;
    const Int line = i / kept, k = i - line * kept, from = by_value[by_line[line * n + k]] - line * n;
    *reinterpret_cast<T*>(value + values.offset(line) + k * value_step) = *reinterpret_cast<const T*>(x + lines.offset(line) + from * from_step);
    *reinterpret_cast<Int*>(place + places.offset(line) + k * place_step) = from;
  }
};

Axes without(const View& v, int axis) {
  Axes a;
  for (int k = 0; k < v.rank; ++k)
    if (k != axis) a.add(v.sizes[k], v.strides[k] * static_cast<Int>(size_of(v.dtype)));
  return a;
}
Int step_of(const View& v, int axis) { return (v.rank ? v.strides[axis] : 1) * static_cast<Int>(size_of(v.dtype)); }

void sort(const View& x, int axis, bool descending, const View& values, const View& indices) {
  const Int n = x.rank ? x.sizes[axis] : 1, kept = values.rank ? values.sizes[axis] : 1, bytes = x.numel * static_cast<Int>(sizeof(Int));
  if (values.numel == 0) return;
  const Scratch keys(bytes), sorted(bytes), by_value(bytes), by_line(bytes);
  const Axes lines = without(x, axis);
  launch(KeysKernel{lines, x.numel, n, step_of(x, axis), static_cast<const char*>(x.data), x.dtype, descending, keys.as<Int>()}, blocks_for(x.numel, kOrderThreads));
  sort_keys(keys.as<const Int>(), x.numel, sorted.as<Int>(), by_value.as<Int>());
  launch(LineKernel{x.numel, n, by_value.as<const Int>(), keys.as<Int>()}, blocks_for(x.numel, kOrderThreads));
  sort_keys(keys.as<const Int>(), x.numel, sorted.as<Int>(), by_line.as<Int>());
  const auto write = [&](auto t) {
    using T = decltype(t);
    launch(WriteSorted<T>{lines, without(values, axis), without(indices, axis), values.numel, n, kept, step_of(x, axis), step_of(values, axis), step_of(indices, axis), by_value.as<const Int>(),
                          by_line.as<const Int>(), static_cast<const char*>(x.data), static_cast<char*>(values.data), static_cast<char*>(indices.data)}, blocks_for(values.numel, kOrderThreads));
  };
  switch (size_of(x.dtype)) {
    case 1: return write(std::uint8_t{});
    case 2: return write(std::uint16_t{});
    case 4: return write(std::uint32_t{});
    default: return write(std::uint64_t{});
  }
}

}  // namespace

void fill_order(SortKernels& k) { k.sort = &sort; }

}  // namespace rill::RILL_GPU
