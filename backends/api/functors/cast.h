// Conversions between element types. Floating to integer truncates toward zero; NaN gives 0 and values outside the range
// saturate (C++ leaves both undefined). To bool: not equal to zero.
#pragma once

#include <limits>
#include <type_traits>

#include "backends/api/functors/scalar.h"
#include <rill/core/half.h>

namespace rill::fn {

template <class From, class To> RILL_FN To convert(From x) {
  using F = std::conditional_t<std::is_class_v<From>, float, From>;
  const F v = static_cast<F>(x);
  if constexpr (std::is_same_v<To, bool>) return v != F{0};
  else if constexpr (std::is_floating_point_v<F> && std::is_integral_v<To>) {
    constexpr F low = static_cast<F>(std::numeric_limits<To>::min()), end = static_cast<F>(std::numeric_limits<To>::max() / 2 + 1) * F{2};
    if (v != v) return To{0};
    if (v < low) return std::numeric_limits<To>::min();
    if (v >= end) return std::numeric_limits<To>::max();
    return static_cast<To>(v);
  } else if constexpr (std::is_class_v<To>) return To(static_cast<float>(v));
  else return static_cast<To>(v);
}

}  // namespace rill::fn
