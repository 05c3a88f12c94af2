// Softmax and cross entropy: a few lines for each block, sums in double.
#include "backends/api/kernels/norm.h"

#include <limits>

#include "backends/api/functors/scalar.h"
#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/lines.h"
#include "backends/cuda/kernels/verdict.h"
#include <rill/core/dtype.h>

namespace rill::RILL_GPU {
namespace {

using Int = std::int64_t;

/// Lines of n elements along an axis of [outer, n, inner].
struct AxisLines {
  Lines lines;
  Int count, n, inner;
  Int blocks() const { return blocks_for(count, lines.lines); }
  RILL_DEVICE Int start(Int line) const { return line / inner * n * inner + line % inner; }
};
AxisLines lines_along(const View& x, int axis) {
  AxisLines a{};
  a.n = x.rank ? x.sizes[axis] : 1, a.inner = 1;
  for (int k = axis + 1; k < x.rank; ++k) a.inner *= x.sizes[k];
  a.count = a.n ? x.numel / a.n : 0;
  a.lines = Lines::for_length(a.n, a.inner >= 32);
  return a;
}

template <class T> struct LineShared {
  double sum[kLineThreads];
  T largest[kLineThreads];
};
template <class T> struct LineSum {
  T largest;
  double sum;  // of e^(x - largest)
};
/// For all threads of a line together; a line that is not there (begin < 0) takes part with nothing.
template <class T> RILL_DEVICE LineSum<T> sum_line(Team& team, const Lines& l, LineShared<T>& shared, const T* x, bool present, Int n, Int step) {
  const int place = l.place(team.thread());
  T m = -std::numeric_limits<T>::infinity();
  if (present)
    for (Int i = place; i < n; i += l.threads) m = fn::max(m, x[i * step]);
  m = combine_line(team, l, shared.largest, m, [](T a, T b) { return fn::max(a, b); });
  double sum = 0;
  if (present)
    for (Int i = place; i < n; i += l.threads) sum += static_cast<double>(fn::exp(x[i * step] - m));
  sum = combine_line(team, l, shared.sum, sum, [](double a, double b) { return a + b; });
  return {m, sum};
}

template <class T> struct SoftmaxKernel {
  static constexpr int kThreads = kLineThreads;
  using Shared = LineShared<T>;
  AxisLines axis;
  const T* x;
  T* y;
  bool log;
  RILL_DEVICE void operator()(Team& team, Shared& shared) const {
    const Int line = team.block() * axis.lines.lines + axis.lines.line(team.thread());
    const bool present = line < axis.count;
    const Int start = present ? axis.start(line) : 0;
    const LineSum<T> s = sum_line(team, axis.lines, shared, x + start, present, axis.n, axis.inner);
    if (!present) return;
    const T factor = static_cast<T>(log ? fn::log(s.sum) : 1 / s.sum);
    for (Int i = axis.lines.place(team.thread()); i < axis.n; i += axis.lines.threads) {
      const Int at = start + i * axis.inner;
      y[at] = log ? (x[at] - s.largest) - factor : fn::exp(x[at] - s.largest) * factor;  // two subtractions: m + log(sum) would lose digits of a small log
    }
  }
};
template <class T> struct SoftmaxGradientKernel {
  static constexpr int kThreads = kLineThreads;
  using Shared = LineShared<T>;
  AxisLines axis;
  const T *g, *y;
  T* out;
  bool log;
  RILL_DEVICE void operator()(Team& team, Shared& shared) const {
    const Int line = team.block() * axis.lines.lines + axis.lines.line(team.thread());
    const bool present = line < axis.count;
    const Int start = present ? axis.start(line) : 0;
    double sum = 0;
    if (present)
      for (Int i = axis.lines.place(team.thread()); i < axis.n; i += axis.lines.threads) {
        const Int at = start + i * axis.inner;
        sum += static_cast<double>(log ? g[at] : g[at] * y[at]);
      }
    sum = combine_line(team, axis.lines, shared.sum, sum, [](double a, double b) { return a + b; });
    if (!present) return;
    const T total = static_cast<T>(sum);
    for (Int i = axis.lines.place(team.thread()); i < axis.n; i += axis.lines.threads) {
      const Int at = start + i * axis.inner;
      out[at] = log ? g[at] - fn::exp(y[at]) * total : y[at] * (g[at] - total);
    }
  }
};

template <class F> void by_real(Dtype d, F f) {
  if (d == Dtype::float64) return f(double{});
  f(float{});
}

void softmax(const View& x, int axis, bool log, const View& out) {
  by_real(x.dtype, [&](auto t) {
    using T = decltype(t);
    const AxisLines a = lines_along(x, axis);
    launch(SoftmaxKernel<T>{a, x.as<const T>(), out.as<T>(), log}, a.blocks());
  });
}
void softmax_gradient(const View& g, const View& y, int axis, bool log, const View& out) {
  by_real(g.dtype, [&](auto t) {
    using T = decltype(t);
    const AxisLines a = lines_along(g, axis);
    launch(SoftmaxGradientKernel<T>{a, g.as<const T>(), y.as<const T>(), out.as<T>(), log}, a.blocks());
  });
}

// ---- cross entropy ----------------------------------------------------------------------------------------------------------------

template <class T> struct CrossEntropyKernel {
  static constexpr int kThreads = kLineThreads;
  using Shared = LineShared<T>;
  Lines lines;
  Int rows, classes, ignore;
  const T* x;
  const Int* target;
  T* losses;
  double* lse;
  Int* bad;  // the first row whose class does not exist
  RILL_DEVICE void operator()(Team& team, Shared& shared) const {
    const Int row = team.block() * lines.lines + lines.line(team.thread());
    const bool present = row < rows;
    const Int label = present ? target[row] : ignore;
    const bool counted = present && label != ignore, known = label >= 0 && label < classes;
    const T* line = x + (present ? row * classes : 0);
    const LineSum<T> s = sum_line(team, lines, shared, line, counted && known, classes, 1);
    if (!present || lines.place(team.thread()) != 0) return;
    if (counted && !known) return atomic_min(bad, row);
    if (!counted) {
      losses[row] = T{0}, lse[row] = 0;
      return;
    }
    const double m = static_cast<double>(s.largest);
    const double total = fn::abs(m) == std::numeric_limits<double>::infinity() ? m : m + fn::log(s.sum);  // all -inf, or a +inf
    lse[row] = total;
    losses[row] = static_cast<T>(total - static_cast<double>(line[label]));
  }
};
std::int64_t cross_entropy(const View& x, const View& target, std::int64_t ignore, const View& losses, const View& lse) {
  const Int rows = target.numel;
  if (rows == 0) return -1;
  const Verdict bad;
  by_real(x.dtype, [&](auto t) {
    using T = decltype(t);
    const Lines l = Lines::for_length(x.sizes[1], false);
    launch(CrossEntropyKernel<T>{l, rows, x.sizes[1], ignore, x.as<const T>(), target.as<const Int>(), losses.as<T>(), lse.as<double>(), bad.first()}, blocks_for(rows, l.lines));
  });
  const Int first = bad.read();
  return first == kAllLegal ? -1 : first;
}

template <class T> struct CrossEntropyGradientKernel {
  static constexpr int kThreads = kLineThreads;
  Int n, classes, ignore, step;
  const T* x;
  const Int* target;
  const double* lse;
  const T* g;
  T* out;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i >= n) return;
    const Int row = i / classes, column = i - row * classes, label = target[row];
    if (label == ignore) {
      out[i] = T{0};
      return;
    }
    const T scale = g[row * step], high = static_cast<T>(lse[row]), low = static_cast<T>(lse[row] - static_cast<double>(high));
    const T p = fn::exp((x[i] - high) - low) * scale;
    out[i] = column == label ? p - scale : p;
  }
};
void cross_entropy_gradient(const View& x, const View& target, std::int64_t ignore, const View& lse, const View& g, const View& out) {
  by_real(x.dtype, [&](auto t) {
    using T = decltype(t);
    using K = CrossEntropyGradientKernel<T>;
    launch(K{x.numel, x.sizes[1], ignore, g.strides[0], x.as<const T>(), target.as<const Int>(), lse.as<const double>(), g.as<const T>(), out.as<T>()}, blocks_for(x.numel, K::kThreads));
  });
}

}  // namespace

void fill_softmax(NormKernels& k) {
  k.softmax = &softmax;
  k.softmax_gradient = &softmax_gradient;
  k.cross_entropy = &cross_entropy;
  k.cross_entropy_gradient = &cross_entropy_gradient;
}

}  // namespace rill::RILL_GPU
