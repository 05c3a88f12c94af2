// What happens where several rows are put at one place (Combine in kernels/index.h).
#pragma once

#include <cstdint>
#include <type_traits>

#include "backends/api/functors/scalar.h"

namespace rill::fn {

struct CombineSet {
  template <class T> RILL_FN static T of(T, T b) { return b; }
};
struct CombineAdd {
  template <class T> RILL_FN static T of(T a, T b) {
    if constexpr (std::is_same_v<T, bool>) return a | b;
    else if constexpr (std::is_integral_v<T>) return static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) + static_cast<std::make_unsigned_t<T>>(b));  // wraps
    else return a + b;
  }
};
struct CombineMul {
  template <class T> RILL_FN static T of(T a, T b) {
    if constexpr (std::is_same_v<T, bool>) return a & b;
    else if constexpr (std::is_integral_v<T>) return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
    else return a * b;
  }
};
struct CombineMax {
  template <class T> RILL_FN static T of(T a, T b) { return a != a || a > b ? a : b; }  // NaN stays
};
struct CombineMin {
  template <class T> RILL_FN static T of(T a, T b) { return a != a || a < b ? a : b; }
};

}  // namespace rill::fn
