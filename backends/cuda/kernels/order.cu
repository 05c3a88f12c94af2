// Sorting and order statistics along an axis with the library's sort of keys (sort_keys): all elements by value first, then, stably, by their line.
#include "backends/api/kernels/sort.h"

#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/keys.h"
#include "backends/cuda/kernels/lines.h"
#include "backends/cuda/kernels/order.h"
#include "backends/cuda/kernels/plan.h"
#include <rill/core/dtype.h>

namespace rill::RILL_GPU {
namespace {

using Int = std::int64_t;
constexpr int kOrderThreads = 256;

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
    const std::uint64_t key = key_at(p, dtype);
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
/// The elements of lines of n elements by their order.
struct Ordered {
  Int n;
  const Int *by_value, *by_line;
  /// The place in its line of the element that comes k-th.
  RILL_DEVICE Int place(Int line, Int k) const { return by_value[by_line[line * n + k]] - line * n; }
};
template <class T> struct WriteSorted {
  static constexpr int kThreads = kOrderThreads;
  Axes lines, values, places;
  Ordered order;
  Int count, kept, from_step, value_step, place_step;  // kept: of n
  const char* x;
  char *value, *place;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i >= count) return;
    const Int line = i / kept, k = i - line * kept, from = order.place(line, k);
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

Int length_of(const View& v, int axis) { return v.rank ? v.sizes[axis] : 1; }

/// All lines of x along an axis in order.
class LineOrder {
 public:
  LineOrder(const View& x, int axis, bool descending) : bytes_(x.numel * static_cast<Int>(sizeof(Int))), n_(length_of(x, axis)), by_value_(bytes_), by_line_(bytes_) {
    const Scratch keys(bytes_), sorted(bytes_);
    const Int blocks = blocks_for(x.numel, kOrderThreads);
    launch(KeysKernel{without(x, axis), x.numel, n_, step_of(x, axis), static_cast<const char*>(x.data), x.dtype, descending, keys.as<Int>()}, blocks);
    sort_keys(keys.as<const Int>(), x.numel, sorted.as<Int>(), by_value_.as<Int>());
    launch(LineKernel{x.numel, n_, by_value_.as<const Int>(), keys.as<Int>()}, blocks);
    sort_keys(keys.as<const Int>(), x.numel, sorted.as<Int>(), by_line_.as<Int>());
  }
  Ordered view() const { return {n_, by_value_.as<const Int>(), by_line_.as<const Int>()}; }

 private:
  Int bytes_, n_;
  Scratch by_value_, by_line_;
};

// ---- order statistics -------------------------------------------------------------------------------------------------------------

/// The elements of lines as sorted keys.
struct OrderedKeys {
  Axes lines;
  Ordered order;
  Int step;
  const char* x;
  Dtype dtype;
  OrderedKeys(const View& v, int axis, const LineOrder& by) : lines(without(v, axis)), order(by.view()), step(step_of(v, axis)), x(static_cast<const char*>(v.data)), dtype(v.dtype) {}
  RILL_DEVICE std::uint64_t key(Int line, Int k) const { return key_at(x + lines.offset(line) + order.place(line, k) * step, dtype); }
  /// The first of the k-th and those before it with this key.
  RILL_DEVICE Int first(Int line, Int k, std::uint64_t key_of_k) const {
    Int low = 0, high = k;
    while (low < high) {
      const Int middle = low + (high - low) / 2;
      if (key(line, middle) == key_of_k) high = middle;
      else low = middle + 1;
    }
    return low;
  }
};
struct StatisticKernel {
  static constexpr int kThreads = kOrderThreads;
  OrderedKeys keys;
  Int count, k;
  Order what;
  Int* out;
  RILL_DEVICE void operator()(Team& team) const {
    const Int line = team.block() * kThreads + team.thread(), n = keys.order.n;
    if (line >= count) return;
    Int at = k;
    if (what != Order::kth) {  // NaN stands behind all others
      const bool any = is_floating_dtype(keys.dtype) && keys.key(line, n - 1) == kNanKey;
      const Int numbers = any ? keys.first(line, n - 1, kNanKey) : n;
      at = any && (what == Order::median || numbers == 0) ? numbers : (numbers - 1) / 2;
    }
    out[line] = keys.order.place(line, at);
  }
  RILL_DEVICE static bool is_floating_dtype(Dtype d) { return d == Dtype::float16 || d == Dtype::bfloat16 || d == Dtype::float32 || d == Dtype::float64; }
};
/// The last place of the longest run of equal elements, of several the one of the smallest value.
struct ModeKernel {
  static constexpr int kThreads = kLineThreads;
  struct Run {
    Int length, last;
  };
  struct Shared {
    Run best[kThreads];
  };
  Lines lines;
  OrderedKeys keys;
  Int count;
  Int* out;
  RILL_DEVICE void operator()(Team& team, Shared& shared) const {
    const Int line = team.block() * lines.lines + lines.line(team.thread()), n = keys.order.n;
    Run own{0, n};
    if (line < count)
      for (Int k = lines.place(team.thread()); k < n; k += lines.threads) {
        const std::uint64_t key = keys.key(line, k);
        if (k + 1 < n && keys.key(line, k + 1) == key) continue;
        own = better(own, {k + 1 - keys.first(line, k, key), k});
      }
    own = combine_line(team, lines, shared.best, own, [](const Run& a, const Run& b) { return better(a, b); });
    if (line < count && lines.place(team.thread()) == 0) out[line] = keys.order.place(line, own.last);
  }
  RILL_DEVICE static Run better(const Run& a, const Run& b) { return b.length > a.length || (b.length == a.length && b.last < a.last) ? b : a; }
};

void order_statistic(const View& x, int axis, Order what, Int k, const View& indices) {
  if (indices.numel == 0) return;
  const LineOrder order(x, axis, false);
  const OrderedKeys keys(x, axis, order);
  if (what != Order::mode) return launch(StatisticKernel{keys, indices.numel, k, what, indices.as<Int>()}, blocks_for(indices.numel, kOrderThreads));
  const Lines lines = Lines::for_length(length_of(x, axis), false);
  launch(ModeKernel{lines, keys, indices.numel, indices.as<Int>()}, blocks_for(indices.numel, lines.lines));
}

}  // namespace

void sort(const View& x, int axis, bool descending, const View& values, const View& indices) {
  const Int kept = length_of(values, axis);
  if (values.numel == 0) return;
  const LineOrder order(x, axis, descending);
  const auto write = [&](auto t) {
    using T = decltype(t);
    launch(WriteSorted<T>{without(x, axis), without(values, axis), without(indices, axis), order.view(), values.numel, kept, step_of(x, axis), step_of(values, axis), step_of(indices, axis),
                          static_cast<const char*>(x.data), static_cast<char*>(values.data), static_cast<char*>(indices.data)}, blocks_for(values.numel, kOrderThreads));
  };
  switch (size_of(x.dtype)) {
    case 1: return write(std::uint8_t{});
    case 2: return write(std::uint16_t{});
    case 4: return write(std::uint32_t{});
    default: return write(std::uint64_t{});
  }
}

void fill_order(SortKernels& k) {
  k.sort = &sort;
  k.order_statistic = &order_statistic;
}

}  // namespace rill::RILL_GPU
