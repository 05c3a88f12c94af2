// Elements of any dtype as values of the type that a kernel computes in.
#pragma once

#include "backends/api/functors/cast.h"
#include "backends/cuda/kernels/launch.h"
#include <rill/core/dtype.h>

namespace rill::RILL_GPU {

namespace detail {
template <class T> struct Type { using type = T; };
}
/// f(Type<T>{}) for the element type of a dtype.
template <class F> RILL_DEVICE auto by_dtype(Dtype d, const F& f) {
  switch (d) {
    case Dtype::boolean: return f(detail::Type<bool>{});
    case Dtype::uint8: return f(detail::Type<std::uint8_t>{});
    case Dtype::int8: return f(detail::Type<std::int8_t>{});
    case Dtype::int16: return f(detail::Type<std::int16_t>{});
    case Dtype::int32: return f(detail::Type<std::int32_t>{});
    case Dtype::int64: return f(detail::Type<std::int64_t>{});
    case Dtype::float16: return f(detail::Type<Half>{});
    case Dtype::bfloat16: return f(detail::Type<BFloat16>{});
    case Dtype::float32: return f(detail::Type<float>{});
    default: return f(detail::Type<double>{});
  }
}

/// size_of for device code, which cannot index an array of the host.
RILL_DEVICE int bytes_of(Dtype d) { return by_dtype(d, [](auto type) { return static_cast<int>(sizeof(typename decltype(type)::type)); }); }

/// The same for floating dtypes.
template <class F> RILL_DEVICE auto by_floating(Dtype d, const F& f) {
  switch (d) {
    case Dtype::float16: return f(detail::Type<Half>{});
    case Dtype::bfloat16: return f(detail::Type<BFloat16>{});
    case Dtype::float32: return f(detail::Type<float>{});
    default: return f(detail::Type<double>{});
  }
}

/// What a floating element is computed in.
template <class T> using WideFloat = std::conditional_t<std::is_class_v<T>, float, T>;
/// f(element) on the host for floating dtypes.
template <class F> void with_floating(Dtype d, F f) {
  if (d == Dtype::float16) return f(Half{});
  if (d == Dtype::bfloat16) return f(BFloat16{});
  if (d == Dtype::float32) return f(float{});
  f(double{});
}

template <class T> RILL_DEVICE_CALL T load_any(const char* p, Dtype d) {
  return by_dtype(d, [&](auto type) { return fn::convert<typename decltype(type)::type, T>(*reinterpret_cast<const typename decltype(type)::type*>(p)); });
}
template <class T> RILL_DEVICE_CALL void store_any(T x, char* p, Dtype d) {
  by_dtype(d, [&](auto type) { *reinterpret_cast<typename decltype(type)::type*>(p) = fn::convert<T, typename decltype(type)::type>(x); });
}

template <class T> inline constexpr bool computes_half = std::is_same_v<T, float>;  // 16-bit floats are computed in float

/// One element; the frequent dtypes are converted in place.
template <class T> RILL_DEVICE T load_element(const char* p, Dtype d) {
  if (d == dtype_of<T>) return *reinterpret_cast<const T*>(p);
  if constexpr (computes_half<T>) {
    if (d == Dtype::bfloat16) return static_cast<float>(*reinterpret_cast<const BFloat16*>(p));
    if (d == Dtype::float16) return static_cast<float>(*reinterpret_cast<const Half*>(p));
  }
  return load_any<T>(p, d);
}
template <class T> RILL_DEVICE void store_element(T x, char* p, Dtype d) {
  if (d == dtype_of<T>) *reinterpret_cast<T*>(p) = x;
  else if (computes_half<T> && d == Dtype::bfloat16) *reinterpret_cast<BFloat16*>(p) = BFloat16(static_cast<float>(x));
  else if (computes_half<T> && d == Dtype::float16) *reinterpret_cast<Half*>(p) = Half(static_cast<float>(x));
  else store_any<T>(x, p, d);
}

/// Four 16-bit floats in a word, the first in its lowest bits.
RILL_DEVICE void unpack_halves(std::uint64_t word, Dtype d, float (&x)[4]) {
  RILL_UNROLL
  for (int j = 0; j < 4; ++j) {
    const auto bits = static_cast<std::uint16_t>(word >> 16 * j);
    x[j] = d == Dtype::bfloat16 ? static_cast<float>(__builtin_bit_cast(BFloat16, bits)) : static_cast<float>(__builtin_bit_cast(Half, bits));
  }
}
RILL_DEVICE std::uint64_t pack_halves(const float (&x)[4], Dtype d) {
  std::uint64_t word = 0;
  RILL_UNROLL
  for (int j = 0; j < 4; ++j) {
    const auto bits = d == Dtype::bfloat16 ? __builtin_bit_cast(std::uint16_t, BFloat16(x[j])) : __builtin_bit_cast(std::uint16_t, Half(x[j]));
    word |= static_cast<std::uint64_t>(bits) << 16 * j;
  }
  return word;
}

template <class T, int n> struct alignas(sizeof(T) * n) Vector { T v[n]; };

/// n elements of a floating dtype side by side, aligned to all of them.
template <class T, int n> RILL_DEVICE void load_floats(const char* p, Dtype d, T (&x)[n]) {
  by_floating(d, [&](auto type) {
    using From = typename decltype(type)::type;
    const auto all = *reinterpret_cast<const Vector<From, n>*>(p);
    RILL_UNROLL
    for (int j = 0; j < n; ++j) x[j] = fn::convert<From, T>(all.v[j]);
  });
}
template <class T, int n> RILL_DEVICE void store_floats(const T (&x)[n], char* p, Dtype d) {
  by_floating(d, [&](auto type) {
    using To = typename decltype(type)::type;
    Vector<To, n> all;
    RILL_UNROLL
    for (int j = 0; j < n; ++j) all.v[j] = fn::convert<T, To>(x[j]);
    *reinterpret_cast<Vector<To, n>*>(p) = all;
  });
}

/// n elements side by side, aligned to all of them.
template <class T, int n> RILL_DEVICE void load_elements(const char* p, Dtype d, T (&x)[n]) {
  const auto take = [&](auto type) {
    using From = typename decltype(type)::type;
    const auto all = *reinterpret_cast<const Vector<From, n>*>(p);
    RILL_UNROLL
    for (int j = 0; j < n; ++j) x[j] = fn::convert<From, T>(all.v[j]);
  };
  if (d == dtype_of<T>) return take(detail::Type<T>{});
  if constexpr (computes_half<T>) {
    if (d == Dtype::bfloat16) return take(detail::Type<BFloat16>{});
    if (d == Dtype::float16) return take(detail::Type<Half>{});
  }
  const int size = bytes_of(d);
  RILL_UNROLL
  for (int j = 0; j < n; ++j) x[j] = load_any<T>(p + j * size, d);
}
template <class T, int n> RILL_DEVICE void store_elements(const T (&x)[n], char* p, Dtype d) {
  const auto put = [&](auto type) {
    using To = typename decltype(type)::type;
    Vector<To, n> all;
    RILL_UNROLL
    for (int j = 0; j < n; ++j) all.v[j] = fn::convert<T, To>(x[j]);
    *reinterpret_cast<Vector<To, n>*>(p) = all;
  };
  if (d == dtype_of<T>) return put(detail::Type<T>{});
  if constexpr (computes_half<T>) {
    if (d == Dtype::bfloat16) return put(detail::Type<BFloat16>{});
    if (d == Dtype::float16) return put(detail::Type<Half>{});
  }
  const int size = bytes_of(d);
  RILL_UNROLL
  for (int j = 0; j < n; ++j) store_any<T>(x[j], p + j * size, d);
}

}  // namespace rill::RILL_GPU
