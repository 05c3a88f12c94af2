// A line of elements in packs, the last one only partly filled.
#pragma once

#include "backends/cpu/simd.h"

namespace rill::cpu::RILL_ARCH {

/// Calls body(i, count) for every pack of n elements.
template <class T, class Body> [[gnu::always_inline]] inline void packs(std::int64_t n, Body body) {
  constexpr std::int64_t w = Pack<T>::size;
  std::int64_t i = 0;
  for (; i + w <= n; i += w) body(i, w);
  if (i < n) body(i, n - i);
}
template <class T> [[gnu::always_inline]] inline Pack<T> get(const T* p, std::int64_t n) { return n == Pack<T>::size ? Pack<T>::load(p) : Pack<T>::load_part(p, n); }
template <class T> [[gnu::always_inline]] inline void put(Pack<T> v, T* p, std::int64_t n) {
  if (n == Pack<T>::size) v.store(p);
  else v.store_part(p, n);
}

}  // namespace rill::cpu::RILL_ARCH
