// Rows of pools.
#include "backends/api/kernels/conv.h"

#include <utility>

#include <rill/core/dtype.h>

#include "backends/cpu/kernels/fill.h"
#include "backends/cpu/kernels/floats.h"

namespace rill::cpu::RILL_ARCH {
namespace {

using Int = std::int64_t;

/// Every second element of two registers.
template <class T, std::size_t... I> [[gnu::always_inline]] inline Pack<T> evens(Pack<T> a, Pack<T> b, std::index_sequence<I...>) {
  using V [[gnu::vector_size(sizeof(Pack<T>))]] = T;
  V x, y;
  __builtin_memcpy(&x, &a, sizeof x), __builtin_memcpy(&y, &b, sizeof y);
  x = __builtin_shufflevector(x, y, static_cast<int>(2 * I)...);
  __builtin_memcpy(&a, &x, sizeof x);
  return a;
}

/// p[0], p[stride], ..., n <= size of them; nothing beyond them is read.
template <class T, int Stride> [[gnu::always_inline]] inline Pack<T> load_windows(const T* p, Int stride, Int n) {
  using P = Pack<T>;
  if constexpr (Stride == 1) {
    return n == P::size ? P::load(p) : P::load_part(p, n);
  } else if constexpr (Stride == 2) {
    const Int count = 2 * n - 1, rest = count - P::size;
    const P low = rest >= 0 ? P::load(p) : P::load_part(p, count);
    return evens(low, rest > 0 ? P::load_part(p + P::size, rest) : low, std::make_index_sequence<P::size>());
  } else {
    alignas(64) T lane[P::size];
    for (Int c = 0; c < P::size; ++c) lane[c] = p[c < n ? c * stride : 0];
    return P::load(lane);
  }
}

/// at[] is kept in the lanes of a register of T: exact up to 2^24.
template <class T, int Stride, bool Best> void max_windows(const MaxRow& r) {
  using P = Pack<T>;
  for (Int c = 0; c < r.columns; c += P::size) {
    const Int n = r.columns - c < P::size ? r.columns - c : P::size;
    const T* x = static_cast<const T*>(r.x) + c * r.stride;
    P best = load_windows<T, Stride>(x + r.at[0] * r.step, r.stride, n), place(static_cast<double>(r.at[0]));
    for (Int t = 1; t < r.taps; ++t) {
      const P v = load_windows<T, Stride>(x + r.at[t] * r.step, r.stride, n);
      const Mask<T> take{v.v > best.v || !(v.v == v.v)};
      best = where(take, v, best);
      if constexpr (Best) place = where(take, P(static_cast<double>(r.at[t])), place);
    }
    T* y = static_cast<T*>(r.y) + c;
    if (n == P::size) best.store(y);
    else best.store_part(y, n);
    if constexpr (Best) {
      alignas(64) T lane[P::size];
      place.store(lane);
      for (Int l = 0; l < n; ++l) r.best[c + l] = static_cast<std::int32_t>(lane[l]);
    }
  }
}
template <class T, bool Best> void max_row(const MaxRow& r) {
  if (r.stride == 1) max_windows<T, 1, Best>(r);
  else if (r.stride == 2) max_windows<T, 2, Best>(r);
  else max_windows<T, 0, Best>(r);
}
template <class T> void max_row(const MaxRow& r) { r.best ? max_row<T, true>(r) : max_row<T, false>(r); }

// ---- vectors of the compiler: they compare integers ---------------------------------------------------------------------------------

constexpr Int kLanes = Pack<float>::size;
using Places [[gnu::vector_size(sizeof(Pack<float>))]] = std::int32_t;

/// f(pointer to a register of elements) for n elements that are `stride` apart, side by side.
template <class S, class F> [[gnu::always_inline]] inline void in_lanes(const S* from, Int stride, Int n, F f) {
  if (n == kLanes && stride == 1) return f(from);
  alignas(64) S lane[kLanes] = {};
  for (Int c = 0; c < n; ++c) lane[c] = from[c * stride];
  f(static_cast<const S*>(lane));
}

/// 16-bit floats.
template <class S> void max_row_narrow(const MaxRow& r) {
  const S* x = static_cast<const S*>(r.x);
  S* y = static_cast<S*>(r.y);
  for (Int c = 0; c < r.columns; c += kLanes) {
    const Int n = r.columns - c < kLanes ? r.columns - c : kLanes;
    Floats best{};
    Places place{};
    for (Int t = 0; t < r.taps; ++t)
      in_lanes(x + c * r.stride + r.at[t] * r.step, r.stride, n, [&](const S* p) __attribute__((always_inline)) {
        const Floats v = load_floats(p);
        const Places take = t == 0 ? Places{} - 1 : (v > best) | (v != v);
        best = take ? v : best, place = take ? Places{} + static_cast<std::int32_t>(r.at[t]) : place;
      });
    store_first(y + c, bits_as<Pack<float>>(best), n);
    if (r.best)
      for (Int l = 0; l < n; ++l) r.best[c + l] = place[l];
  }
}

/// Sums in float, rounded once.
template <class S> void max_gradient_row(const MaxGradientRow& r) {
  const S* const g = static_cast<const S*>(r.g);
  for (Int k = 0; k < r.columns; ++k) {
    S* to = static_cast<S*>(r.dx) + k * r.channels;
    const std::int32_t place = r.place + static_cast<std::int32_t>(k);
    for (Int c = 0; c < r.channels; c += kLanes) {
      const Int n = r.channels - c < kLanes ? r.channels - c : kLanes;
      Floats sum{};
      for (Int line = 0; line < r.lines; ++line)
        for (Int q = r.first[k]; q < r.last[k]; ++q) {
          const Int from = (r.starts[line] + q) * r.channels + c;
          in_lanes(g + from, 1, n, [&](const S* value) __attribute__((always_inline)) {
            in_lanes(r.best + from, 1, n, [&](const std::int32_t* best) __attribute__((always_inline)) { sum += read<Places>(best) == place ? load_floats(value) : Floats{}; });
          });
        }
      store_first(to + c, bits_as<Pack<float>>(sum), n);
    }
  }
}

/// Elements of From, sums of To rounded once.
template <class From, class To> void weighted_rows(const WeightedRows& r) {
  using P = Pack<Computed<From>>;
  const From* const x = static_cast<const From*>(r.x);
  To* const y = static_cast<To*>(r.y);
  constexpr Int block = 4 * P::size;
  Int c = 0;
  for (; c + block <= r.n; c += block) {
    P sum[4] = {P(0.0), P(0.0), P(0.0), P(0.0)};
    for (Int k = 0; k < r.taps; ++k) {
      const From* from = x + r.at[k] * r.step + c;
      const P weight(r.weights[k]);
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) sum[v] = sum[v] + weight * load_pack(from + v * P::size);
    }
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) store_pack(y + c + v * P::size, sum[v]);
  }
  for (; c < r.n; c += P::size) {
    const Int n = r.n - c < P::size ? r.n - c : P::size;
    P sum(0.0);
    for (Int k = 0; k < r.taps; ++k) sum = sum + P(r.weights[k]) * load_first(x + r.at[k] * r.step + c, n);
    store_first(y + c, sum, n);
  }
}
template <class S> void fill_narrow(ConvKernels& k) {
  constexpr auto d = static_cast<int>(dtype_of<S>), wide = static_cast<int>(Dtype::float32);
  k.max_row[d] = &max_row_narrow<S>;
  k.max_gradient_row[d] = &max_gradient_row<S>;
  k.weighted_rows[d][d] = &weighted_rows<S, S>;
  k.weighted_rows[d][wide] = &weighted_rows<S, float>;
  k.weighted_rows[wide][d] = &weighted_rows<float, S>;
}

}  // namespace

void fill_conv(ConvKernels& k) {
  fill_narrow<Half>(k), fill_narrow<BFloat16>(k);
  k.max_gradient_row[static_cast<int>(Dtype::float32)] = &max_gradient_row<float>;
  k.weighted_rows[static_cast<int>(Dtype::float32)][static_cast<int>(Dtype::float32)] = &weighted_rows<float, float>;
  k.weighted_rows[static_cast<int>(Dtype::float64)][static_cast<int>(Dtype::float64)] = &weighted_rows<double, double>;
  k.max_row[static_cast<int>(Dtype::float32)] = &max_row<float>;
  k.max_row[static_cast<int>(Dtype::float64)] = &max_row<double>;
}

}  // namespace rill::cpu::RILL_ARCH
