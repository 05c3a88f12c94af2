// Matrix products of integers, which cuBLAS does not take, and of everything in the emulation: tiles of 16 x 16 through shared memory.
#include "backends/cuda/kernels/matmul.h"

#include "backends/cuda/kernels/launch.h"
#include "backends/cuda/kernels/plan.h"
#include <rill/core/half.h>

namespace rill::RILL_GPU {
namespace {

constexpr int kTile = 16;
template <class T> struct SumType { using type = T; };  // integers wrap in their own type
template <> struct SumType<float> { using type = double; };
template <> struct SumType<Half> { using type = float; };
template <> struct SumType<BFloat16> { using type = float; };

template <class T, class Result> struct MatmulKernel {
  static constexpr int kThreads = kTile * kTile;
  using S = typename SumType<T>::type;
  struct Shared {
    T a[kTile][kTile + 1], b[kTile][kTile + 1];
  };
  Axes batch[3];  // of a, b, out
  MatmulShape s;
  const char *a, *b;
  char* out;
  std::int64_t row_tiles, column_tiles;

  RILL_DEVICE void operator()(Team& team, Shared& shared) const {
    const std::int64_t tile = team.block() % (row_tiles * column_tiles), which = team.block() / (row_tiles * column_tiles);
    const int y = team.thread() / kTile, x = team.thread() % kTile;
    const std::int64_t row = tile / column_tiles * kTile + y, column = tile % column_tiles * kTile + x;
    const T *from_a = reinterpret_cast<const T*>(a + batch[0].offset(which)), *from_b = reinterpret_cast<const T*>(b + batch[1].offset(which));
    S sum{};
    for (std::int64_t k = 0; k < s.k; k += kTile) {
      shared.a[y][x] = row < s.m && k + x < s.k ? from_a[row * s.a_row + (k + x) * s.a_col] : T{};
      shared.b[y][x] = k + y < s.k && column < s.n ? from_b[(k + y) * s.b_row + column * s.b_col] : T{};
      team.sync();
      for (int j = 0; j < kTile; ++j) sum = static_cast<S>(sum + static_cast<S>(shared.a[y][j]) * static_cast<S>(shared.b[j][x]));
      team.sync();
    }
    if (row >= s.m || column >= s.n) return;
    Result* to = reinterpret_cast<Result*>(out + batch[2].offset(which)) + row * s.out_row + column * s.out_col;
    *to = static_cast<Result>(s.accumulate ? static_cast<S>(static_cast<S>(*to) + sum) : sum);
  }
};

template <class T, class Result = T> void run(const View& a, const View& b, const View& out, const MatmulShape& s) {
  MatmulKernel<T, Result> k{};
  const View* views[] = {&a, &b, &out};
  std::int64_t count = 1;
  for (int i = 0; i < 3; ++i)
    for (int axis = 0; axis < out.rank - 2; ++axis) {
      const int own = axis - (out.rank - views[i]->rank);
      k.batch[i].add(out.sizes[axis], own < 0 || views[i]->sizes[own] == 1 ? 0 : views[i]->strides[own] * static_cast<std::int64_t>(i == 2 ? sizeof(Result) : sizeof(T)));
      if (i == 0) count *= out.sizes[axis];
    }
  k.s = s, k.a = static_cast<const char*>(a.data), k.b = static_cast<const char*>(b.data), k.out = static_cast<char*>(out.data);
  k.row_tiles = blocks_for(s.m, kTile), k.column_tiles = blocks_for(s.n, kTile);
  launch(k, k.row_tiles * k.column_tiles * count);
}

}  // namespace

void matmul(const View& a, const View& b, const View& out, bool accumulate) {
  const MatmulShape s = matmul_shape(a, b, out, accumulate);
  if (out.numel == 0) return;
  if (a.dtype != out.dtype) return a.dtype == Dtype::float16 ? run<Half, float>(a, b, out, s) : run<BFloat16, float>(a, b, out, s);
  switch (out.dtype) {
    case Dtype::float32: return run<float>(a, b, out, s);
    case Dtype::float64: return run<double>(a, b, out, s);
    case Dtype::float16: return run<Half>(a, b, out, s);
    case Dtype::bfloat16: return run<BFloat16>(a, b, out, s);
    case Dtype::int64: return run<std::int64_t>(a, b, out, s);
    case Dtype::int32: return run<std::int32_t>(a, b, out, s);
    case Dtype::int16: return run<std::int16_t>(a, b, out, s);
    case Dtype::int8: return run<std::int8_t>(a, b, out, s);
    default: return run<std::uint8_t>(a, b, out, s);
  }
}

}  // namespace rill::RILL_GPU
