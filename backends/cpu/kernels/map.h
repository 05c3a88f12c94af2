// Elementwise loops over contiguous pieces, for one instruction set.
#pragma once

#include "backends/api/kernels/map.h"
#include "backends/cpu/simd.h"

namespace rill::cpu::RILL_ARCH {

template <class T> inline constexpr bool packed = std::is_floating_point_v<T>;

template <class T> struct Reader {  // one operand: an array or one value
  const T* p;
  bool one;
  Pack<T> splat;
  [[gnu::always_inline]] Reader(const void* data, bool one) : p(static_cast<const T*>(data)), one(one), splat(one ? Pack<T>(typename Pack<T>::Batch(*p)) : Pack<T>()) {}
  [[gnu::always_inline]] Pack<T> at(std::int64_t i) const { return one ? splat : Pack<T>::load(p + i); }
  [[gnu::always_inline]] Pack<T> part(std::int64_t i, std::int64_t n) const { return one ? splat : Pack<T>::load_part(p + i, n); }
};

template <class T> [[gnu::always_inline]] inline void put(Pack<T> x, T* out) { x.store(out); }
template <class T> [[gnu::always_inline]] inline void put(Mask<T> m, bool* out) { m.v.store_unaligned(out); }
template <class T> [[gnu::always_inline]] inline void put_part(Pack<T> x, T* out, std::int64_t n) { x.store_part(out, n); }
template <class T> [[gnu::always_inline]] inline void put_part(Mask<T> m, bool* out, std::int64_t n) {
  bool buffer[Pack<T>::size];
  m.v.store_unaligned(buffer);
  for (std::int64_t i = 0; i < n; ++i) out[i] = buffer[i];
}

/// out[i] = body(pack of operand 0, ...) for Arity operands; Out is T, or bool for comparisons.
template <class T, class Out, int Arity, class Body> [[gnu::always_inline]] inline void walk(const MapArgs& a, Body body) {
  constexpr std::int64_t w = Pack<T>::size;
  Out* out = static_cast<Out*>(a.out);
  const std::int64_t n = a.n;  // what is stored might be a.n, for all the compiler knows
  std::int64_t i = 0;
  if constexpr (Arity == 1) {
    const Reader<T> x(a.in[0], a.scalars & 1);
    for (; i + w <= n; i += w) put(body(x.at(i)), out + i);
    if (i < n) put_part(body(x.part(i, n - i)), out + i, n - i);
  } else if constexpr (Arity == 2) {
    const Reader<T> x(a.in[0], a.scalars & 1), y(a.in[1], a.scalars & 2);
    if constexpr (sizeof(Pack<T>) == 32)  // a cache line at a time
      for (; i + 2 * w <= n; i += 2 * w) {
        const Pack<T> x0 = x.at(i), x1 = x.at(i + w), y0 = y.at(i), y1 = y.at(i + w);
        put(body(x0, y0), out + i), put(body(x1, y1), out + i + w);
      }
    for (; i + w <= n; i += w) put(body(x.at(i), y.at(i)), out + i);
    if (i < n) put_part(body(x.part(i, n - i), y.part(i, n - i)), out + i, n - i);
  } else {
    const Reader<T> x(a.in[0], a.scalars & 1), y(a.in[1], a.scalars & 2), z(a.in[2], a.scalars & 4);
    for (; i + w <= n; i += w) put(body(x.at(i), y.at(i), z.at(i)), out + i);
    if (i < n) put_part(body(x.part(i, n - i), y.part(i, n - i), z.part(i, n - i)), out + i, n - i);
  }
}

/// The same for integers and bool: plain loops that the compiler vectorises.
template <class T, class Out, int Arity, class Body> [[gnu::always_inline]] inline void walk_scalar(const MapArgs& a, Body body) {
  Out* __restrict out = static_cast<Out*>(a.out);
  const T* x = static_cast<const T*>(a.in[0]);
  if constexpr (Arity == 1) {
    const std::int64_t sx = a.scalars & 1 ? 0 : 1;
    for (std::int64_t i = 0; i < a.n; ++i) out[i] = body(x[i * sx]);
  } else {
    const T* y = static_cast<const T*>(a.in[1]);
    if (a.scalars == 0) {
      for (std::int64_t i = 0; i < a.n; ++i) out[i] = body(x[i], y[i]);
    } else if (a.scalars == 1) {
      const T c = *x;
      for (std::int64_t i = 0; i < a.n; ++i) out[i] = body(c, y[i]);
    } else if (a.scalars == 2) {
      const T c = *y;
      for (std::int64_t i = 0; i < a.n; ++i) out[i] = body(x[i], c);
    } else {
      const T c = *x, d = *y;
      for (std::int64_t i = 0; i < a.n; ++i) out[i] = body(c, d);
    }
  }
}

template <class F, class T> void map1(const void* f, const MapArgs& a) {
  const F& fn = *static_cast<const F*>(f);
  if constexpr (packed<T>) walk<T, T, 1>(a, [&](Pack<T> x) __attribute__((always_inline)) { return fn.value(x); });
  else walk_scalar<T, T, 1>(a, [&](T x) { return fn.value(x); });
}
template <class F, class T> void map1_grad(const void* f, const MapArgs& a) {
  const F& fn = *static_cast<const F*>(f);
  walk<T, T, 3>(a, [&](Pack<T> g, Pack<T> x, Pack<T> y) __attribute__((always_inline)) { return fn.grad(g, x, y); });
}
template <class F, class T> void map2(const void* f, const MapArgs& a) {
  const F& fn = *static_cast<const F*>(f);
  if constexpr (packed<T>) walk<T, T, 2>(a, [&](Pack<T> x, Pack<T> y) __attribute__((always_inline)) { return fn.value(x, y); });
  else walk_scalar<T, T, 2>(a, [&](T x, T y) { return fn.value(x, y); });
}
template <class F, class T> void map3(const void* f, const MapArgs& a) {
  const F& fn = *static_cast<const F*>(f);
  walk<T, T, 3>(a, [&](Pack<T> x, Pack<T> y, Pack<T> z) __attribute__((always_inline)) { return fn.value(x, y, z); });
}
template <class F, class T> void compare2(const void*, const MapArgs& a) {
  if constexpr (packed<T>) walk<T, bool, 2>(a, [](Pack<T> x, Pack<T> y) __attribute__((always_inline)) { return F::value(x, y); });
  else walk_scalar<T, bool, 2>(a, [](T x, T y) { return F::value(x, y); });
}

template <class F> inline constexpr fn::Domain domain_of = F::domain;

/// Calls put.template operator()<T>() for every compute type of a domain.
template <fn::Domain D, class Put> void for_types(Put put) {
  if constexpr (D != fn::Domain::integers) put.template operator()<float>(), put.template operator()<double>();
  if constexpr (D != fn::Domain::floating) {
    put.template operator()<std::uint8_t>(), put.template operator()<std::int8_t>(), put.template operator()<std::int16_t>();
    put.template operator()<std::int32_t>(), put.template operator()<std::int64_t>();
  }
  if constexpr (D == fn::Domain::all || D == fn::Domain::integers) put.template operator()<bool>();
}

}  // namespace rill::cpu::RILL_ARCH
