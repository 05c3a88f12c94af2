// Sums of packs kept in double: float32 sums stay accurate over any length.
#pragma once

#include <utility>

#include "backends/cpu/simd.h"

namespace rill::cpu::RILL_ARCH {

/// The lower and the upper half of a float pack as doubles.
[[gnu::always_inline]] inline std::pair<Pack<double>, Pack<double>> widen(Pack<float> x) {
  using B = Pack<double>::Batch;
#if defined(__AVX512F__)
  const __m512 v = x.v;
  return {B(_mm512_cvtps_pd(_mm512_castps512_ps256(v))), B(_mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1)))};
#elif defined(__AVX2__)
  const __m256 v = x.v;
  return {B(_mm256_cvtps_pd(_mm256_castps256_ps128(v))), B(_mm256_cvtps_pd(_mm256_extractf128_ps(v, 1)))};
#elif defined(__SSE2__)
  const __m128 v = x.v;
  return {B(_mm_cvtps_pd(v)), B(_mm_cvtps_pd(_mm_movehl_ps(v, v)))};
#else
  alignas(64) float f[Pack<float>::size];
  alignas(64) double d[Pack<float>::size];
  x.store(f);
  for (std::int64_t i = 0; i < Pack<float>::size; ++i) d[i] = f[i];
  return {Pack<double>::load(d), Pack<double>::load(d + Pack<double>::size)};
#endif
}

/// The lanes added up in a fixed order.
[[gnu::always_inline]] inline double lanes_sum(Pack<double> x) {
  alignas(64) double d[Pack<double>::size];
  x.store(d);
  double s = d[0];
  for (std::int64_t i = 1; i < Pack<double>::size; ++i) s += d[i];
  return s;
}

template <class T> struct WideSum;
template <> struct WideSum<double> {
  Pack<double> s{0.0};
  [[gnu::always_inline]] void add(Pack<double> x) { s = s + x; }
  [[gnu::always_inline]] double total() const { return lanes_sum(s); }
  [[gnu::always_inline]] static WideSum load(const double* p) { return {Pack<double>::load(p)}; }
  [[gnu::always_inline]] void store(double* p) const { s.store(p); }
};
template <> struct WideSum<float> {
  Pack<double> low{0.0}, high{0.0};
  [[gnu::always_inline]] void add(Pack<float> x) {
    const auto [a, b] = widen(x);
    low = low + a, high = high + b;
  }
  [[gnu::always_inline]] double total() const { return lanes_sum(low + high); }
  [[gnu::always_inline]] static WideSum load(const double* p) { return {Pack<double>::load(p), Pack<double>::load(p + Pack<double>::size)}; }
  [[gnu::always_inline]] void store(double* p) const { low.store(p), high.store(p + Pack<double>::size); }
};

}  // namespace rill::cpu::RILL_ARCH
