// Running sums and so on. The threads of a line own parts of it that follow each other: each first finds what its part comes to, then what is
// before it, then writes.
#include "backends/api/kernels/reduce.h"

#include <limits>

#include "backends/api/functors/reduce.h"
#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/lines.h"
#include "backends/cuda/kernels/plan.h"
#include <rill/core/dtype.h>

namespace rill::RILL_GPU {
namespace {

using Int = std::int64_t;

template <class T> struct RunningSum {
  using Acc = std::conditional_t<fn::is_real<T>, double, T>;
  static constexpr bool kIndexed = false;
  RILL_FN static Acc none() { return 0; }
  RILL_FN static Acc term(T x, Int) { return static_cast<Acc>(x); }
  RILL_FN static Acc merge(Acc a, Acc b) {
    if constexpr (fn::is_real<T>) return a + b;
    else return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  }
  RILL_FN static T value(Acc a) { return static_cast<T>(a); }
};
template <class T> struct RunningProduct : RunningSum<T> {
  using Acc = typename RunningSum<T>::Acc;
  RILL_FN static Acc none() { return 1; }
  RILL_FN static Acc merge(Acc a, Acc b) {
    if constexpr (fn::is_real<T>) return a * b;
    else return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  }
};
template <class T> struct Best {
  T value;
  Int index;  // -1: none yet
};
/// The latest of equal values; NaN stays, the latest of them.
template <class T, bool kMax> struct RunningExtreme {
  using Acc = Best<T>;
  static constexpr bool kIndexed = true;
  RILL_FN static Acc none() { return {T{}, -1}; }
  RILL_FN static Acc term(T x, Int i) { return {x, i}; }
  RILL_FN static Acc merge(Acc a, Acc b) {  // b is later
    if (a.index < 0 || b.index < 0) return a.index < 0 ? b : a;
    if (b.value != b.value) return b;
    if (a.value != a.value) return a;
    return (kMax ? b.value >= a.value : b.value <= a.value) ? b : a;
  }
  RILL_FN static T value(Acc a) { return a.value; }
};
struct Exponentials {
  double largest, sum;  // of e^(x - largest)
};
template <class T> struct RunningLogSum {
  using Acc = Exponentials;
  static constexpr bool kIndexed = false;
  RILL_FN static Acc none() { return {-std::numeric_limits<double>::infinity(), 0}; }
  RILL_FN static Acc term(T x, Int) { return {static_cast<double>(x), 1}; }
  RILL_FN static Acc merge(Acc a, Acc b) {
    if (a.largest != a.largest || b.largest != b.largest) return {a.largest + b.largest, a.sum + b.sum};
    const Acc &high = a.largest < b.largest ? b : a, &low = a.largest < b.largest ? a : b;
    if (high.largest == low.largest) return {high.largest, fn::abs(high.largest) == std::numeric_limits<double>::infinity() ? 1.0 : high.sum + low.sum};
    return {high.largest, high.sum + low.sum * fn::exp(low.largest - high.largest)};
  }
  RILL_FN static T value(Acc a) {
    const bool infinite = fn::abs(a.largest) == std::numeric_limits<double>::infinity();
    return static_cast<T>(infinite ? a.largest : a.largest + fn::log(a.sum));
  }
};

template <class M, class T> struct ScanKernel {
  static constexpr int kThreads = kLineThreads;
  using Acc = typename M::Acc;
  struct Shared {
    Acc parts[kThreads];
  };
  Lines lines;
  Axes from, to, places;  // of the lines, in bytes
  Int count, n, from_step, to_step, place_step;
  const char* x;
  char *y, *index;
  RILL_DEVICE void operator()(Team& team, Shared& shared) const {
    const Int line = team.block() * lines.lines + lines.line(team.thread());
    const bool present = line < count;
    const Int each = (n + lines.threads - 1) / lines.threads, begin = lines.place(team.thread()) * each, end = begin + each < n ? begin + each : n;
    const char* row = x + (present ? from.offset(line) : 0);
    Acc own = M::none();
    if (present)
      for (Int i = begin; i < end; ++i) own = M::merge(own, M::term(*reinterpret_cast<const T*>(row + i * from_step), i));
    shared.parts[team.thread()] = own;
    team.sync();
    if (!present) return;
    Acc sum = M::none();
    for (int p = 0; p < lines.place(team.thread()); ++p) sum = M::merge(sum, shared.parts[p * lines.lines + lines.line(team.thread())]);
    char* out = y + to.offset(line);
    for (Int i = begin; i < end; ++i) {
      sum = M::merge(sum, M::term(*reinterpret_cast<const T*>(row + i * from_step), i));
      *reinterpret_cast<T*>(out + i * to_step) = M::value(sum);
      if constexpr (M::kIndexed) *reinterpret_cast<Int*>(index + places.offset(line) + i * place_step) = sum.index;
    }
  }
};

template <class M, class T> void run_scan(const View& x, int axis, const View& out, const View* indices) {
  ScanKernel<M, T> k{};
  k.n = x.rank ? x.sizes[axis] : 1, k.count = x.numel / k.n;
  const Int size = static_cast<Int>(sizeof(T)), word = static_cast<Int>(sizeof(Int));
  for (int a = 0; a < x.rank; ++a) {
    if (a == axis) continue;
    k.from.add(x.sizes[a], x.strides[a] * size), k.to.add(x.sizes[a], out.strides[a] * size);
    if (indices) k.places.add(x.sizes[a], indices->strides[a] * word);
  }
  if (x.rank) k.from_step = x.strides[axis] * size, k.to_step = out.strides[axis] * size, k.place_step = indices ? indices->strides[axis] * word : 0;
  k.x = static_cast<const char*>(x.data), k.y = static_cast<char*>(out.data), k.index = indices ? static_cast<char*>(indices->data) : nullptr;
  k.lines = Lines::for_length(k.n, k.count >= 32 && x.rank && x.strides[axis] != 1);
  launch(k, blocks_for(k.count, k.lines.lines));
}
template <class T> void scan_as(Scan what, const View& x, int axis, const View& out, const View* indices) {
  switch (what) {
    case Scan::sum: return run_scan<RunningSum<T>, T>(x, axis, out, indices);
    case Scan::prod: return run_scan<RunningProduct<T>, T>(x, axis, out, indices);
    case Scan::max: return run_scan<RunningExtreme<T, true>, T>(x, axis, out, indices);
    case Scan::min: return run_scan<RunningExtreme<T, false>, T>(x, axis, out, indices);
    case Scan::logsumexp:
      if constexpr (fn::is_real<T>) run_scan<RunningLogSum<T>, T>(x, axis, out, indices);
  }
}
void scan(Scan what, const View& x, int axis, const View& out, const View* indices) {
  if (x.numel == 0) return;
  switch (x.dtype) {
    case Dtype::float32: return scan_as<float>(what, x, axis, out, indices);
    case Dtype::float64: return scan_as<double>(what, x, axis, out, indices);
    case Dtype::int64: return scan_as<Int>(what, x, axis, out, indices);
    case Dtype::int32: return scan_as<std::int32_t>(what, x, axis, out, indices);
    case Dtype::int16: return scan_as<std::int16_t>(what, x, axis, out, indices);
    case Dtype::int8: return scan_as<std::int8_t>(what, x, axis, out, indices);
    default: return scan_as<std::uint8_t>(what, x, axis, out, indices);
  }
}

}  // namespace

void fill_scan(ReduceKernels& k) { k.scan = &scan; }

}  // namespace rill::RILL_GPU
