// Conversions between element types.
#include "backends/api/functors/cast.h"

#include "backends/api/kernels/map.h"
#include "backends/cpu/kernels/fill.h"

namespace rill::cpu::RILL_ARCH {
namespace {

template <class From, class To> void cast(const void* from, void* to, std::int64_t n) {
  const From* __restrict x = static_cast<const From*>(from);
  To* __restrict y = static_cast<To*>(to);
  for (std::int64_t i = 0; i < n; ++i) y[i] = fn::convert<From, To>(x[i]);
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
