// Pack: one SIMD register of float or double, the only file that includes xsimd. Included once per instruction set with RILL_ARCH
// set to baseline, avx2 or avx512; everything, xsimd included, then lives in namespaces of that set, so that the linker can
// never keep a wide copy of a function for everyone (docs/architecture.md, "Instruction sets").
#pragma once

#include <cstdint>
#include <cstring>

#include "backends/api/functors/vocabulary.h"

#define RILL_JOIN_(a, b) a##b
#define RILL_JOIN(a, b) RILL_JOIN_(a, b)
#define xsimd RILL_JOIN(xsimd_, RILL_ARCH)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include <xsimd/config/xsimd_arch.hpp>
#include <xsimd/types/xsimd_utils.hpp>
#if defined(__AVX512F__) && XSIMD_VERSION_MAJOR == 8
// What xsimd 8 has for AVX2 only: without it the polynomials of exp, log and tanh multiply and add in two instructions.
namespace xsimd::kernel {
#define RILL_FMA(name, T, intrinsic)                                                                                                                    \
  template <class A> inline batch<T, A> name(batch<T, A> const& x, batch<T, A> const& y, batch<T, A> const& z, requires_arch<avx512f>) noexcept { \
    return intrinsic(x, y, z);                                                                                                                          \
  }
RILL_FMA(fma, float, _mm512_fmadd_ps) RILL_FMA(fma, double, _mm512_fmadd_pd)
RILL_FMA(fms, float, _mm512_fmsub_ps) RILL_FMA(fms, double, _mm512_fmsub_pd)
RILL_FMA(fnma, float, _mm512_fnmadd_ps) RILL_FMA(fnma, double, _mm512_fnmadd_pd)
RILL_FMA(fnms, float, _mm512_fnmsub_ps) RILL_FMA(fnms, double, _mm512_fnmsub_pd)
#undef RILL_FMA
}  // namespace xsimd::kernel
#endif
#include <xsimd/xsimd.hpp>
#pragma GCC diagnostic pop

namespace rill::cpu::RILL_ARCH {

namespace sets {
struct baseline { using type = xsimd::default_arch; };
#if defined(__AVX2__) && defined(__FMA__)
struct avx2 { using type = xsimd::fma3<xsimd::avx2>; };
#endif
#if defined(__AVX512F__)
struct avx512 { using type = xsimd::avx512bw; };
#endif
}  // namespace sets
using Arch = sets::RILL_ARCH::type;

template <class T> struct Mask {
  xsimd::batch_bool<T, Arch> v;
  [[gnu::always_inline]] friend inline Mask both(Mask a, Mask b) { return {a.v && b.v}; }
};

template <class T> struct Pack {
  using element = T;
  using Batch = xsimd::batch<T, Arch>;
  static constexpr std::int64_t size = static_cast<std::int64_t>(Batch::size);
  Batch v;

  Pack() = default;
  [[gnu::always_inline]] Pack(Batch b) : v(b) {}
  [[gnu::always_inline]] explicit Pack(double c) : v(static_cast<T>(c)) {}
  [[gnu::always_inline]] static Pack load(const T* p) { return Batch::load_unaligned(p); }
  [[gnu::always_inline]] void store(T* p) const { v.store_unaligned(p); }
#if defined(__AVX2__) && !defined(__AVX512F__)
  [[gnu::always_inline]] static __m256i lanes_below(std::int64_t n) {
    if constexpr (sizeof(T) == 4) return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    else return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
  }
#endif
  /// The first n < size elements; the others are 1, a harmless value for every function.
  [[gnu::always_inline]] static Pack load_part(const T* p, std::int64_t n) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4) return Batch(_mm512_mask_loadu_ps(_mm512_set1_ps(1), static_cast<__mmask16>((1u << n) - 1), p));
    else return Batch(_mm512_mask_loadu_pd(_mm512_set1_pd(1), static_cast<__mmask8>((1u << n) - 1), p));
#elif defined(__AVX2__)
    const __m256i m = lanes_below(n);
    if constexpr (sizeof(T) == 4) return Batch(_mm256_blendv_ps(_mm256_set1_ps(1), _mm256_maskload_ps(p, m), _mm256_castsi256_ps(m)));
    else return Batch(_mm256_blendv_pd(_mm256_set1_pd(1), _mm256_maskload_pd(p, m), _mm256_castsi256_pd(m)));
#else
    alignas(64) T buffer[size];
    for (std::int64_t i = 0; i < size; ++i) buffer[i] = i < n ? p[i] : T{1};
    return Batch::load_aligned(buffer);
#endif
  }
  [[gnu::always_inline]] void store_part(T* p, std::int64_t n) const {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4) _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), v);
    else _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << n) - 1), v);
#elif defined(__AVX2__)
    if constexpr (sizeof(T) == 4) _mm256_maskstore_ps(p, lanes_below(n), v);
    else _mm256_maskstore_pd(p, lanes_below(n), v);
#else
    alignas(64) T buffer[size];
    v.store_aligned(buffer);
    for (std::int64_t i = 0; i < n; ++i) p[i] = buffer[i];
#endif
  }
  /// Element by element through a scalar function.
  template <class F> [[gnu::always_inline]] Pack lanes(F f) const {
    alignas(64) T buffer[size];
    v.store_aligned(buffer);
    for (std::int64_t i = 0; i < size; ++i) buffer[i] = f(buffer[i]);
    return Batch::load_aligned(buffer);
  }
  template <class F> [[gnu::always_inline]] Pack lanes(Pack other, F f) const {
    alignas(64) T a[size];
    alignas(64) T b[size];
    v.store_aligned(a);
    other.v.store_aligned(b);
    for (std::int64_t i = 0; i < size; ++i) a[i] = f(a[i], b[i]);
    return Batch::load_aligned(a);
  }

  // operators and vocabulary are found by argument-dependent lookup
#define RILL_LOCAL [[gnu::always_inline]] friend inline
  RILL_LOCAL Pack operator+(Pack a, Pack b) { return a.v + b.v; }
  RILL_LOCAL Pack operator-(Pack a, Pack b) { return a.v - b.v; }
  RILL_LOCAL Pack operator*(Pack a, Pack b) { return a.v * b.v; }
  RILL_LOCAL Pack operator/(Pack a, Pack b) { return a.v / b.v; }
  RILL_LOCAL Pack operator-(Pack a) { return Batch(a.v ^ Batch(T(-0.0))); }
  RILL_LOCAL Mask<T> operator<(Pack a, Pack b) { return {a.v < b.v}; }
  RILL_LOCAL Mask<T> operator<=(Pack a, Pack b) { return {a.v <= b.v}; }
  RILL_LOCAL Mask<T> operator>(Pack a, Pack b) { return {a.v > b.v}; }
  RILL_LOCAL Mask<T> operator>=(Pack a, Pack b) { return {a.v >= b.v}; }
  RILL_LOCAL Mask<T> operator==(Pack a, Pack b) { return {a.v == b.v}; }
  RILL_LOCAL Mask<T> operator!=(Pack a, Pack b) { return {!(a.v == b.v)}; }  // xsimd's != on AVX is ordered: NaN != NaN would be false
  RILL_LOCAL Pack where(Mask<T> m, Pack a, Pack b) { return xsimd::select(m.v, a.v, b.v); }
  RILL_LOCAL Pack zero_like(Pack) { return Pack(0.0); }
  RILL_LOCAL Pack max(Pack a, Pack b) { return xsimd::select(a.v >= b.v || !(a.v == a.v), a.v, b.v); }  // NaN passes through
  RILL_LOCAL Pack min(Pack a, Pack b) { return xsimd::select(a.v <= b.v || !(a.v == a.v), a.v, b.v); }
  RILL_LOCAL Pack sign(Pack x) {
    return xsimd::select(x.v > Batch(T(0)), Batch(T(1)), xsimd::select(x.v < Batch(T(0)), Batch(T(-1)), Batch(T(0))));
  }
  RILL_LOCAL Pack abs(Pack x) { return xsimd::abs(x.v); }
  /// a b + c, rounded once where the processor has an instruction for it.
  RILL_LOCAL Pack fused(Pack a, Pack b, Pack c) {
#if defined(__AVX512F__)  // xsimd 8 multiplies and then adds there
    if constexpr (sizeof(T) == 4) return Batch(_mm512_fmadd_ps(a.v, b.v, c.v));
    else return Batch(_mm512_fmadd_pd(a.v, b.v, c.v));
#else
    return xsimd::fma(a.v, b.v, c.v);
#endif
  }
  /// a b - p without rounding, where p is a b rounded.
  RILL_LOCAL Pack product_error(Pack a, Pack b, Pack p) {
#if defined(__FMA__)
    return fused(a, b, -p);
#else  // Dekker: each factor is split into two halves of its digits
    auto half = [](Pack x) {
      const Pack c = x * Pack(sizeof(T) == 4 ? 4097.0 : 134217729.0);
      return c - (c - x);
    };
    const Pack ah = half(a), bh = half(b), al = a - ah, bl = b - bh;
    return ((ah * bh - p) + ah * bl + al * bh) + al * bl;
#endif
  }
  RILL_LOCAL Pack sqrt(Pack x) { return xsimd::sqrt(x.v); }
  RILL_LOCAL Pack floor(Pack x) { return x.lanes([](T e) { return std::floor(e); }); }
  RILL_LOCAL Pack ceil(Pack x) { return x.lanes([](T e) { return std::ceil(e); }); }
  RILL_LOCAL Pack rint(Pack x) { return x.lanes([](T e) { return std::rint(e); }); }
  RILL_LOCAL Pack trunc(Pack x) { return x.lanes([](T e) { return std::trunc(e); }); }
  RILL_LOCAL Pack copysign(Pack a, Pack b) { return xsimd::copysign(a.v, b.v); }
  RILL_LOCAL Pack exp(Pack x) {  // xsimd flushes to infinity and zero a little early: the ends go through libm
    const auto inside = xsimd::abs(x.v) <= Batch(sizeof(T) == 4 ? T(87) : T(708));
    if (xsimd::all(inside)) [[likely]] return xsimd::exp(x.v);
    return x.lanes([](T e) { return std::exp(e); });
  }
  RILL_LOCAL Pack log(Pack x) {  // subnormal, zero, negative and infinite arguments go through libm
    const auto inside = x.v >= Batch(std::numeric_limits<T>::min()) && x.v <= Batch(std::numeric_limits<T>::max());
    if (xsimd::all(inside)) [[likely]] return xsimd::log(x.v);
    return x.lanes([](T e) { return std::log(e); });
  }
  RILL_LOCAL Pack tanh(Pack x) { return xsimd::tanh(x.v); }
  RILL_LOCAL Pack erf(Pack x) { return x.lanes([](T e) { return std::erf(e); }); }
#define RILL_LANES(name) RILL_LOCAL Pack name(Pack x) { return x.lanes([](T e) { return fn::name(e); }); }
  RILL_LANES(exp2) RILL_LANES(expm1) RILL_LANES(log1p) RILL_LANES(log2) RILL_LANES(log10) RILL_LANES(sin) RILL_LANES(cos)
  RILL_LANES(tan) RILL_LANES(asin) RILL_LANES(acos) RILL_LANES(atan) RILL_LANES(sinh) RILL_LANES(cosh) RILL_LANES(asinh)
  RILL_LANES(acosh) RILL_LANES(atanh) RILL_LANES(erfc) RILL_LANES(erfinv) RILL_LANES(lgamma) RILL_LANES(digamma) RILL_LANES(trigamma)
#undef RILL_LANES
#define RILL_LANES(name) RILL_LOCAL Pack name(Pack a, Pack b) { return a.lanes(b, [](T x, T y) { return fn::name(x, y); }); }
  RILL_LANES(pow) RILL_LANES(atan2) RILL_LANES(hypot) RILL_LANES(truncated_remainder) RILL_LANES(floored_remainder)
  RILL_LANES(floored_quotient) RILL_LANES(truncated_quotient)
#undef RILL_LANES
#undef RILL_LOCAL
};

/// Rows of a tile of sums, two registers wide, that leaves registers for its operands.
#if defined(__AVX512F__)
inline constexpr int kTileRows = 12;  // 24 of 32
#else
inline constexpr int kTileRows = 6;  // 12 of 16
#endif

}  // namespace rill::cpu::RILL_ARCH
