#include "backends/cuda/kernels/linalg.h"

#include "backends/api/functors/scalar.h"
#include "backends/cuda/kernels/lines.h"
#include <rill/core/dtype.h>

namespace rill::RILL_GPU {
namespace {

using Int = std::int64_t;
constexpr int kMatrixThreads = 256;

template <class F> void by_matrix_dtype(Dtype d, F f) {
  if (d == Dtype::float64) return f(double{});
  f(float{});
}

/// A thread for each matrix walks its diagonal, so the product is formed in the order of the CPU.
template <class T> struct DeterminantKernel {
  static constexpr int kThreads = kMatrixThreads;
  Int count, n;
  const T* lu;
  const int* pivots;
  T *det, *sign, *logabs;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i >= count) return;
    T product = 1, s = 1, logarithm = 0;
    for (Int k = 0; k < n; ++k) {
      const T u = lu[i * n * n + k * (n + 1)];
      const bool exchanged = pivots[i * n + k] != k + 1;
      product *= exchanged ? -u : u;
      s *= fn::sign(u), s = exchanged ? -s : s;
      if (u != u) s = u;
      logarithm += fn::log(fn::abs(u));
    }
    det[i] = product, sign[i] = s == 0 ? T{0} : s, logabs[i] = logarithm;
  }
};
template <class T> struct ClearUpper {
  static constexpr int kThreads = kMatrixThreads;
  Int count, columns, rows;
  T* a;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i >= count) return;
    const Int row = i % rows, column = i / rows % columns;
    if (row < column) a[i] = 0;
  }
};
template <class T> struct FindNan {
  static constexpr int kThreads = kLineThreads;
  struct Shared {
    int found[kThreads];
  };
  Int each;
  const T* a;
  int* held;
  RILL_DEVICE void operator()(Team& team, Shared& shared) const {
    const T* matrix = a + team.block() * each;
    int found = 0;
    for (Int i = team.thread(); i < each; i += kThreads) found |= matrix[i] != matrix[i];
    found = combine_line(team, Lines{1, kThreads}, shared.found, found, [](int x, int y) { return x | y; });
    if (team.thread() == 0) held[team.block()] = found;
  }
};
struct MarkNan {
  static constexpr int kThreads = kMatrixThreads;
  Int count;
  const int* held;
  int* info;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i < count && held[i]) info[i] = -1;
  }
};
Int matrices_of(const View& a) {
  Int count = 1;
  for (int k = 0; k < a.rank - 2; ++k) count *= a.sizes[k];
  return count;
}

}  // namespace

void determinant(const View& lu, const View& pivots, const View& det, const View& sign, const View& logabs) {
  by_matrix_dtype(lu.dtype, [&](auto t) {
    using T = decltype(t);
    launch(DeterminantKernel<T>{det.numel, lu.sizes[lu.rank - 1], lu.as<const T>(), pivots.as<const int>(), det.as<T>(), sign.as<T>(), logabs.as<T>()}, blocks_for(det.numel, kMatrixThreads));
  });
}
void clear_upper(const View& a) {
  by_matrix_dtype(a.dtype, [&](auto t) {
    using T = decltype(t);
    launch(ClearUpper<T>{a.numel, a.sizes[a.rank - 2], a.sizes[a.rank - 1], a.as<T>()}, blocks_for(a.numel, kMatrixThreads));
  });
}

NanMatrices::NanMatrices(const View& a) : held_(matrices_of(a) * static_cast<Int>(sizeof(int))) {
  const Int count = matrices_of(a);
  by_matrix_dtype(a.dtype, [&](auto t) {
    using T = decltype(t);
    launch(FindNan<T>{count ? a.numel / count : 0, a.as<const T>(), held_.as<int>()}, count);
  });
}
void NanMatrices::mark(const View& info) const { launch(MarkNan{info.numel, held_.as<const int>(), info.as<int>()}, blocks_for(info.numel, kMatrixThreads)); }

}  // namespace rill::RILL_GPU
