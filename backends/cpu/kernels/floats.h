// Floats of any width in memory, in registers of the type that they are computed in: float for 16-bit floats.
#pragma once

#include <type_traits>

#include <rill/core/half.h>

#include "backends/cpu/simd.h"

namespace rill::cpu::RILL_ARCH {

template <class S> using Computed = std::conditional_t<sizeof(S) == 2, float, S>;

using Floats [[gnu::vector_size(sizeof(Pack<float>))]] = float;
using FloatWords [[gnu::vector_size(sizeof(Pack<float>))]] = std::uint32_t;
using HalfWords [[gnu::vector_size(sizeof(Pack<float>) / 2)]] = std::uint16_t;

/// The same bits as another type.
template <class To, class From> [[gnu::always_inline]] inline To bits_as(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  __builtin_memcpy(&to, &from, sizeof to);
  return to;
}

template <class V> [[gnu::always_inline]] inline V read(const void* p) {
  V v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

// S names the format of the 16 bits. Rounding is to nearest, ties to even; NaN stays NaN.
template <class S> [[gnu::always_inline]] inline Floats widened(HalfWords b) {
  if constexpr (std::is_same_v<S, BFloat16>) {
    return reinterpret_cast<Floats>(__builtin_convertvector(b, FloatWords) << 16);
  } else {
#if defined(__AVX512F__)
    return bits_as<Floats>(_mm512_cvtph_ps(bits_as<__m256i>(b)));
#elif defined(__F16C__)
    return bits_as<Floats>(_mm256_cvtph_ps(bits_as<__m128i>(b)));
#else
    Floats v;
    for (int i = 0; i < Pack<float>::size; ++i) v[i] = Half::widen(b[i]);
    return v;
#endif
  }
}
template <class S> [[gnu::always_inline]] inline HalfWords rounded(Floats v) {
  if constexpr (std::is_same_v<S, BFloat16>) {
    const FloatWords w = reinterpret_cast<FloatWords>(v), nearest = (w + 0x7fff + ((w >> 16) & 1)) >> 16;
    return __builtin_convertvector(v == v ? nearest : (w >> 16) | 0x40, HalfWords);
  } else {
#if defined(__AVX512F__)
    return bits_as<HalfWords>(_mm512_cvtps_ph(bits_as<__m512>(v), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#elif defined(__F16C__)
    return bits_as<HalfWords>(_mm256_cvtps_ph(bits_as<__m256>(v), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#else
    HalfWords b;
    for (int i = 0; i < Pack<float>::size; ++i) b[i] = Half::round(v[i]);
    return b;
#endif
  }
}

template <class S> [[gnu::always_inline]] inline Floats load_floats(const S* p) {
  if constexpr (sizeof(S) == 2) return widened<S>(read<HalfWords>(p));
  else return read<Floats>(p);
}
template <class S> [[gnu::always_inline]] inline Pack<Computed<S>> load_pack(const S* p) {
  if constexpr (sizeof(S) == 2) return bits_as<Pack<float>>(load_floats(p));
  else return Pack<S>::load(p);
}
template <class S> [[gnu::always_inline]] inline void store_pack(S* p, Pack<Computed<S>> v) {
  if constexpr (sizeof(S) == 2) {
    const HalfWords b = rounded<S>(bits_as<Floats>(v));
    __builtin_memcpy(p, &b, sizeof b);
  } else {
    v.store(p);
  }
}

/// The first n elements of a register; nothing beyond them is read or written.
template <class S> [[gnu::always_inline]] inline Pack<Computed<S>> load_first(const S* p, std::int64_t n) {
  if (n == Pack<Computed<S>>::size) return load_pack(p);
  if constexpr (sizeof(S) > 2) {
    return Pack<S>::load_part(p, n);
  } else {
#if defined(__AVX512F__)
    return bits_as<Pack<float>>(widened<S>(bits_as<HalfWords>(_mm256_maskz_loadu_epi16(static_cast<__mmask16>((1u << n) - 1), p))));
#else
    alignas(64) S lane[Pack<float>::size] = {};
    for (std::int64_t c = 0; c < n; ++c) lane[c] = p[c];
    return load_pack(static_cast<const S*>(lane));
#endif
  }
}
template <class S> [[gnu::always_inline]] inline void store_first(S* p, Pack<Computed<S>> v, std::int64_t n) {
  if (n == Pack<Computed<S>>::size) return store_pack(p, v);
  if constexpr (sizeof(S) > 2) {
    v.store_part(p, n);
  } else {
#if defined(__AVX512F__)
    _mm256_mask_storeu_epi16(p, static_cast<__mmask16>((1u << n) - 1), bits_as<__m256i>(rounded<S>(bits_as<Floats>(v))));
#else
    alignas(64) S lane[Pack<float>::size];
    store_pack(lane, v);
    for (std::int64_t c = 0; c < n; ++c) p[c] = lane[c];
#endif
  }
}

}  // namespace rill::cpu::RILL_ARCH
