// Elementwise calls over any strides and dtypes: rows or blocks are handed to the contiguous kernels of one instruction set;
// whatever is strided or of another dtype is staged through small buffers that stay in the L1 cache.
#include "backends/cpu/map.h"

#include <bit>
#include <cstring>

#include "backends/api/loop.h"
#include "backends/cpu/staging.h"
#include "lib/core/parallel.h"

namespace rill::cpu {
namespace {

constexpr std::int64_t kLongRow = 64;      // rows from here on are handed over directly

/// What operand k must look like when a kernel gets it.
struct Wanted {
  Dtype dtype[4];
};

template <int N> void run(const MapSpec& spec, const std::array<View, N>& views, const Wanted& wanted) {
  const MapFn fn = (*spec.slots)[static_cast<int>(spec.compute)];
  const LoopPlan<N> plan(views);
  if (plan.numel == 0) return;

  bool direct[N], one[N];  // handed over as is; the same value everywhere
  std::size_t size[N];
  for (int k = 0; k < N; ++k) {
    size[k] = size_of(views[k].dtype);
    bool zero = true;
    for (int a = 0; a < plan.rank; ++a) zero &= plan.strides[k][a] == 0;
    one[k] = k > 0 && zero && plan.numel > 1;
    direct[k] = views[k].dtype == wanted.dtype[k];
  }

  // one value per operand, converted once
  Buffer constants[N];
  const void* constant[N] = {};
  for (int k = 1; k < N; ++k)
    if (one[k]) {
      constant[k] = plan.data[k];
      if (!direct[k]) {
        cpu_kernels().cast[static_cast<int>(views[k].dtype)][static_cast<int>(wanted.dtype[k])](plan.data[k], constants[k].bytes, 1);
        constant[k] = constants[k].bytes;
      }
    }

  // Rows that are long and contiguous (or constant along the row) for every operand need no staging.
  bool rows = plan.rank > 0 && plan.inner_size() >= kLongRow;
  for (int k = 0; k < N; ++k)
    rows &= one[k] || (direct[k] && (plan.inner_stride(k) == static_cast<std::int64_t>(size[k]) || (k > 0 && plan.inner_stride(k) == 0)));

  parallel_for(plan.numel, spec.grain, [&](std::int64_t begin, std::int64_t end) {
    LoopCursor<N> at(plan, begin);
    MapArgs args{};
    for (int k = 1; k < N; ++k)
      if (one[k]) args.in[k - 1] = constant[k], args.scalars |= 1u << (k - 1);
    if (rows) {
      for (int k = 1; k < N; ++k)
        if (!one[k] && plan.inner_stride(k) == 0) args.scalars |= 1u << (k - 1);
      while (begin < end) {
        args.n = std::min(at.row_left(), end - begin);
        args.out = plan.data[0] + at.offset[0];
        for (int k = 1; k < N; ++k)
          if (!one[k]) args.in[k - 1] = plan.data[k] + at.offset[k];
        fn(spec.functor, args);
        at.advance(args.n);
        begin += args.n;
      }
      return;
    }
    Buffer raw[N], staged[N];
    while (begin < end) {
      const std::int64_t n = std::min(kBlock, end - begin);
      // gather every operand that is not adjacent and remember where the output goes
      LoopCursor<N> start = at;
      bool adjacent[N];
      for (int k = 0; k < N; ++k) adjacent[k] = at.row_left() >= n && plan.inner_stride(k) == static_cast<std::int64_t>(size[k]);
      for (std::int64_t done = 0; done < n;) {
        const std::int64_t piece = std::min(at.row_left(), n - done);
        for (int k = 1; k < N; ++k)
          if (!one[k] && !adjacent[k]) gather(size[k], plan.data[k] + at.offset[k], plan.inner_stride(k), raw[k].bytes + done * static_cast<std::int64_t>(size[k]), piece);
        at.advance(piece);
        done += piece;
      }
      for (int k = 1; k < N; ++k) {
        if (one[k]) continue;
        args.in[k - 1] = adjacent[k] ? plan.data[k] + start.offset[k] : raw[k].bytes;
        if (!direct[k]) {
          cpu_kernels().cast[static_cast<int>(views[k].dtype)][static_cast<int>(wanted.dtype[k])](args.in[k - 1], staged[k].bytes, n);
          args.in[k - 1] = staged[k].bytes;
        }
      }
      args.n = n;
      char* const out = adjacent[0] ? plan.data[0] + start.offset[0] : nullptr;
      args.out = out && direct[0] ? out : raw[0].bytes;
      fn(spec.functor, args);
      const char* result = raw[0].bytes;
      if (!direct[0]) {
        cpu_kernels().cast[static_cast<int>(wanted.dtype[0])][static_cast<int>(views[0].dtype)](raw[0].bytes, out ? out : staged[0].bytes, n);
        result = staged[0].bytes;
      }
      for (std::int64_t done = 0; !out && done < n;) {
        const std::int64_t piece = std::min(start.row_left(), n - done);
        scatter(size[0], result + done * static_cast<std::int64_t>(size[0]), plan.data[0] + start.offset[0], plan.inner_stride(0), piece);
        start.advance(piece);
        done += piece;
      }
      begin += n;
    }
  });
}

}  // namespace

void map(const MapSpec& spec, const View& out, std::span<const View> in) {
  Wanted wanted{{spec.result, spec.compute, spec.compute, spec.compute}};
  if (spec.slots == &cpu_kernels().where) wanted.dtype[1] = Dtype::boolean;
  switch (in.size()) {
    case 1: return run<2>(spec, {out, in[0]}, wanted);
    case 2: return run<3>(spec, {out, in[0], in[1]}, wanted);
    default: return run<4>(spec, {out, in[0], in[1], in[2]}, wanted);
  }
}

namespace {
void identity(const void* context, const MapArgs& a) {
  std::memcpy(a.out, a.in[0], static_cast<std::size_t>(a.n) * *static_cast<const std::size_t*>(context));
}
/// One value into many: the only case in which `identity` would see a constant operand.
void identity_or_fill(const void* context, const MapArgs& a) {
  const std::size_t size = *static_cast<const std::size_t*>(context);
  if (!(a.scalars & 1)) return identity(context, a);
  char* out = static_cast<char*>(a.out);
  if (size == 1) return void(std::memset(out, *static_cast<const unsigned char*>(a.in[0]), static_cast<std::size_t>(a.n)));
  auto fill = [&]<class T>() {
    T v, *o = reinterpret_cast<T*>(out);
    std::memcpy(&v, a.in[0], sizeof(T));
    for (std::int64_t i = 0; i < a.n; ++i) o[i] = v;
  };
  if (size == 2) fill.template operator()<std::uint16_t>();
  else if (size == 4) fill.template operator()<std::uint32_t>();
  else fill.template operator()<std::uint64_t>();
}
}  // namespace

namespace {
/// Two adjacent axes of which one is adjacent in memory here, the other there: matrices to be transposed. False when it is something else.
bool copy_transposed(const View& from, const View& to) {
  constexpr std::int64_t kLeast = 4, kRows = 64, kGrain = 32 << 10;
  if (from.dtype != to.dtype) return false;
  const LoopPlan<2> plan({to, from});
  const auto size = static_cast<std::int64_t>(size_of(to.dtype));
  const int inner = plan.rank - 1;
  if (plan.rank < 2 || plan.strides[0][inner] != size || plan.strides[1][inner] == size) return false;
  int other = inner - 1;
  while (other >= 0 && plan.strides[1][other] != size) --other;
  if (other < 0 || plan.sizes[inner] < kLeast || plan.sizes[other] < kLeast || plan.strides[1][inner] % size || plan.strides[0][other] % size) return false;
  const TransposeFn transpose = cpu_kernels().transpose[static_cast<std::size_t>(std::countr_zero(static_cast<std::uint64_t>(size)))];
  const std::int64_t rows = plan.sizes[inner], columns = plan.sizes[other], pieces = (rows + kRows - 1) / kRows;
  parallel_for(plan.numel / (rows * columns) * pieces, std::max<std::int64_t>(1, kGrain / (std::min(rows, kRows) * columns)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t row = task % pieces * kRows;
      std::int64_t rest = task / pieces, at[2] = {row * plan.strides[0][inner], row * plan.strides[1][inner]};
      for (int a = inner - 1; a >= 0; --a) {
        if (a == other) continue;
        const std::int64_t index = rest % plan.sizes[a];
        rest /= plan.sizes[a];
        for (int k = 0; k < 2; ++k) at[k] += index * plan.strides[k][a];
      }
      transpose(plan.data[1] + at[1], plan.strides[1][inner] / size, plan.data[0] + at[0], plan.strides[0][other] / size, std::min(kRows, rows - row), columns);
    }
  });
  return true;
}
}  // namespace

void copy(const View& from, const View& to) {
  if (from.contiguous && to.contiguous && from.numel == to.numel && from.numel > 0) {
    const auto cast = cpu_kernels().cast[static_cast<int>(from.dtype)][static_cast<int>(to.dtype)];
    const auto *x = static_cast<const char*>(from.data);
    auto* y = static_cast<char*>(to.data);
    const auto sx = static_cast<std::int64_t>(size_of(from.dtype)), sy = static_cast<std::int64_t>(size_of(to.dtype));
    return parallel_for(from.numel, 64 << 10, [&](std::int64_t b, std::int64_t e) {
      if (from.dtype == to.dtype) std::memmove(y + b * sy, x + b * sx, static_cast<std::size_t>((e - b) * sx));
      else cast(x + b * sx, y + b * sy, e - b);
    });
  }
  if (copy_transposed(from, to)) return;
  static constexpr MapSlots slots = [] {
    MapSlots s{};
    for (auto& f : s) f = &identity_or_fill;
    return s;
  }();
  const std::size_t size = size_of(to.dtype);
  const View in[] = {from};
  map({&slots, &size, to.dtype, to.dtype, 32 << 10}, to, in);
}

void fill(const void* value, const View& to) { copy({const_cast<void*>(value), to.dtype, 0, nullptr, nullptr, 1, true}, to); }

}  // namespace rill::cpu
