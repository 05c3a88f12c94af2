// Reductions over any axes and strides. A block has some outputs side by side and some threads for each of them; long reductions of few
// outputs are cut into pieces of a length that depends on the shape alone, and a second launch combines them in order.
#include "backends/api/kernels/reduce.h"

#include <algorithm>

#include "backends/api/functors/reduce.h"
#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/lines.h"
#include "backends/cuda/kernels/plan.h"
#include <rill/core/dtype.h>

namespace rill::RILL_GPU {
namespace {

template <class M, class T, bool root> struct ReduceKernel {
  static constexpr int kThreads = kLineThreads;
  using Acc = typename M::Acc;
  struct Shared {
    Acc acc[kThreads];
  };
  Lines lines;
  Axes kept, reduced;
  std::int64_t outputs, piece, pieces;  // of `piece` reduced places each
  const char* x;
  typename M::Out* out;
  Acc* partial;                         // [pieces, outputs] when there are several
  double divisor;

  RILL_DEVICE void operator()(Team& team, Shared& shared) const {
    const std::int64_t cut = team.block() % pieces, output = team.block() / pieces * lines.lines + lines.line(team.thread());
    Acc acc = M::identity();
    if (output < outputs) {
      const char* base = x + kept.offset(output);
      const std::int64_t end = (cut + 1) * piece < reduced.numel ? (cut + 1) * piece : reduced.numel;
      for (std::int64_t r = cut * piece + lines.place(team.thread()); r < end; r += lines.threads) acc = M::merge(acc, M::term(*reinterpret_cast<const T*>(base + reduced.offset(r))));
    }
    acc = combine_line(team, lines, shared.acc, acc, [](Acc a, Acc b) { return M::merge(a, b); });
    if (output >= outputs || lines.place(team.thread()) != 0) return;
    if (pieces > 1) partial[cut * outputs + output] = acc;
    else out[output] = fn::finish<M, root>(acc, divisor);
  }
};
template <class M, bool root> struct CombineKernel {
  static constexpr int kThreads = kLineThreads;
  using Acc = typename M::Acc;
  std::int64_t outputs, pieces;
  const Acc* partial;
  typename M::Out* out;
  double divisor;
  RILL_DEVICE void operator()(Team& team) const {
    const std::int64_t output = team.block() * kThreads + team.thread();
    if (output >= outputs) return;
    Acc acc = partial[output];
    for (std::int64_t p = 1; p < pieces; ++p) acc = M::merge(acc, partial[p * outputs + output]);
    out[output] = fn::finish<M, root>(acc, divisor);
  }
};

constexpr std::int64_t kWanted = 1024, kShortest = 8192, kMostPieces = 512;  // blocks to have; elements of a thread group before pieces are made

template <class M, class T, bool root = false> void run_reduce(const View& x, std::uint64_t mask, double divisor, const View& out) {
  using K = ReduceKernel<M, T, root>;
  K k{};
  std::int64_t innermost_kept = 0;  // its stride; 0: none
  const auto size = static_cast<std::int64_t>(sizeof(T));
  for (int a = 0; a < x.rank; ++a) {
    const bool gone = mask >> a & 1;
    (gone ? k.reduced : k.kept).add(x.sizes[a], x.strides[a] * size);
    if (!gone && x.sizes[a] > 1) innermost_kept = x.strides[a];
  }
  k.outputs = out.numel, k.x = static_cast<const char*>(x.data), k.out = out.as<typename M::Out>(), k.divisor = divisor;
  if (k.outputs == 0) return;
  const std::int64_t innermost_reduced = k.reduced.rank ? k.reduced.strides[k.reduced.rank - 1] / size : 0;
  const bool side_by_side = innermost_kept == 1 && innermost_reduced != 1 && k.outputs >= 32;
  k.lines = Lines::for_length(k.reduced.numel, side_by_side);
  const std::int64_t groups = blocks_for(k.outputs, k.lines.lines);
  // pieces: so many that there are blocks for the whole device, none shorter than kShortest elements
  const std::int64_t wanted = std::clamp<std::int64_t>(kWanted / groups, 1, kMostPieces);
  k.piece = std::max<std::int64_t>({blocks_for(k.reduced.numel, wanted), kShortest / k.lines.lines, 1});
  k.pieces = std::max<std::int64_t>(1, blocks_for(k.reduced.numel, k.piece));
  const Scratch partial(k.pieces > 1 ? k.pieces * k.outputs * static_cast<std::int64_t>(sizeof(typename M::Acc)) : 0);
  k.partial = partial.as<typename M::Acc>();
  launch(k, groups * k.pieces);
  if (k.pieces > 1) launch(CombineKernel<M, root>{k.outputs, k.pieces, k.partial, k.out, divisor}, blocks_for(k.outputs, kLineThreads));
}

template <class T> void reduce_as(Reduce what, const View& x, std::uint64_t axes, double divisor, const View& out) {
  switch (what) {
    case Reduce::sum: return run_reduce<fn::SumOf<T, fn::PlainTerm>, T>(x, axes, divisor, out);
    case Reduce::prod: return run_reduce<fn::ProductOf<T>, T>(x, axes, divisor, out);
    case Reduce::max: return run_reduce<fn::ExtremeOf<T, true>, T>(x, axes, divisor, out);
    case Reduce::min: return run_reduce<fn::ExtremeOf<T, false>, T>(x, axes, divisor, out);
    default:
      if constexpr (fn::is_real<T>) {
        if (what == Reduce::sum_of_squares) return run_reduce<fn::SumOf<T, fn::SquareTerm>, T>(x, axes, divisor, out);
        if (what == Reduce::root_of_squares) return run_reduce<fn::SumOf<T, fn::SquareTerm>, T, true>(x, axes, divisor, out);
        return run_reduce<fn::SumOf<T, fn::MagnitudeTerm>, T>(x, axes, divisor, out);
      }
  }
}
/// f(Type) for the dtypes of reductions.
template <class F> void by_reduced(Dtype d, F f) {
  switch (d) {
    case Dtype::float32: return f(float{});
    case Dtype::float64: return f(double{});
    case Dtype::int64: return f(std::int64_t{});
    case Dtype::int32: return f(std::int32_t{});
    case Dtype::int16: return f(std::int16_t{});
    case Dtype::int8: return f(std::int8_t{});
    case Dtype::uint8: return f(std::uint8_t{});
    default: return f(bool{});
  }
}
void reduce(Reduce what, const View& x, std::uint64_t axes, double divisor, const View& out) {
  by_reduced(x.dtype, [&](auto t) { reduce_as<decltype(t)>(what, x, axes, divisor, out); });
}

// ---- the place of an extreme ------------------------------------------------------------------------------------------------------

template <class T> struct Found {
  T value;
  std::int64_t index;  // -1: none yet
};
template <class T, bool kMax> struct ArgKernel {
  static constexpr int kThreads = kLineThreads;
  struct Shared {
    Found<T> found[kThreads];
  };
  Lines lines;
  std::int64_t rows, n;
  const T* x;
  T* values;
  std::int64_t* indices;

  /// NaN wins, then the extreme value, then the first place.
  RILL_DEVICE static Found<T> better(const Found<T>& a, const Found<T>& b) {
    if (a.index < 0 || b.index < 0) return a.index < 0 ? b : a;
    const bool nan_a = a.value != a.value, nan_b = b.value != b.value;
    if (nan_a != nan_b) return nan_a ? a : b;
    if (!nan_a && a.value != b.value) return (kMax ? b.value < a.value : a.value < b.value) ? a : b;
    return a.index < b.index ? a : b;
  }
  RILL_DEVICE void operator()(Team& team, Shared& shared) const {
    const std::int64_t row = team.block() * lines.lines + lines.line(team.thread());
    Found<T> best{T{}, -1};
    if (row < rows)
      for (std::int64_t i = lines.place(team.thread()); i < n; i += lines.threads) best = better(best, Found<T>{x[row * n + i], i});
    best = combine_line(team, lines, shared.found, best, [](const Found<T>& a, const Found<T>& b) { return better(a, b); });
    if (row >= rows || lines.place(team.thread()) != 0) return;
    indices[row] = best.index;
    if (values) values[row] = best.value;
  }
};
void arg_extreme(bool largest, const View& x, std::int64_t n, const View& values, const View& indices) {
  by_reduced(x.dtype, [&](auto t) {
    using T = decltype(t);
    const auto start = [&](auto kernel) {
      kernel.lines = Lines::for_length(n, false);
      kernel.rows = indices.numel, kernel.n = n, kernel.x = x.as<const T>(), kernel.values = values.as<T>(), kernel.indices = indices.as<std::int64_t>();
      launch(kernel, blocks_for(kernel.rows, kernel.lines.lines));
    };
    if (largest) start(ArgKernel<T, true>{});
    else start(ArgKernel<T, false>{});
  });
}

}  // namespace

void fill_reduce(ReduceKernels& k) {
  k.reduce = &reduce;
  k.arg_extreme = &arg_extreme;
}

}  // namespace rill::RILL_GPU
