// Conversions between element types. Floating to integer truncates toward zero; NaN gives 0 and values outside the range
// saturate (C++ leaves both undefined). To bool: not equal to zero.
#include <limits>

#include "backends/api/kernels/map.h"
#include "backends/cpu/kernels/fill.h"

namespace rill::cpu::RILL_ARCH {
namespace {

template <class From, class To> [[gnu::always_inline]] inline To convert(From x) {
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

template <class From, class To> void cast(const void* from, void* to, std::int64_t n) {
  const From* __restrict x = static_cast<const From*>(from);
  To* __restrict y = static_cast<To*>(to);
  for (std::int64_t i = 0; i < n; ++i) y[i] = convert<From, To>(x[i]);
}

template <class... T> struct Types {};
using All = Types<bool, std::uint8_t, std::int8_t, std::int16_t, std::int32_t, std::int64_t, Half, BFloat16, float, double>;

template <class From, class... To> void fill_row(Types<To...>, MapKernels& k) {
  (..., (k.cast[static_cast<int>(dtype_of<From>)][static_cast<int>(dtype_of<To>)] = &cast<From, To>));
}
template <class... From> void fill_rows(Types<From...>, MapKernels& k) { (..., fill_row<From>(All{}, k)); }

}  // namespace

void fill_cast(MapKernels& k) { fill_rows(All{}, k); }

}  // namespace rill::cpu::RILL_ARCH
