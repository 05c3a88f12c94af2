// Values as unsigned keys of the same order, for sorting and searching.
#pragma once

#include "backends/cuda/kernels/elements.h"

namespace rill::RILL_GPU {

/// An unsigned number with the order of the values: NaN is the largest, -0 equals 0.
template <class T> RILL_DEVICE std::uint64_t key_of(T x) {
  if constexpr (std::is_class_v<T>) {
    return key_of(static_cast<float>(x));
  } else if constexpr (std::is_floating_point_v<T>) {
    if (x != x) return ~std::uint64_t{0};
    constexpr std::uint64_t sign = std::uint64_t{1} << 63;
    const std::uint64_t bits = __builtin_bit_cast(std::uint64_t, static_cast<double>(x == 0 ? T{0} : x));
    return bits & sign ? ~bits : bits | sign;
  } else {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(x)) ^ (std::uint64_t{1} << 63);
  }
}
/// The key of an element of any dtype.
RILL_DEVICE std::uint64_t key_at(const char* p, Dtype d) {
  return by_dtype(d, [&](auto type) { return key_of(*reinterpret_cast<const typename decltype(type)::type*>(p)); });
}
inline constexpr std::uint64_t kNanKey = ~std::uint64_t{0};  // of floating dtypes

}  // namespace rill::RILL_GPU
