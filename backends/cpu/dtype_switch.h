// Calls a function with a value of the element type of a dtype.
#pragma once

#include <cstdint>

#include <rill/core/dtype.h>
#include <rill/core/half.h>

namespace rill::cpu {

/// The types that C++ computes with; bool is not among them.
template <class F> void by_number(Dtype d, F f) {
  switch (d) {
    case Dtype::float32: return f(float{});
    case Dtype::float64: return f(double{});
    case Dtype::uint8: return f(std::uint8_t{});
    case Dtype::int8: return f(std::int8_t{});
    case Dtype::int16: return f(std::int16_t{});
    case Dtype::int32: return f(std::int32_t{});
    default: return f(std::int64_t{});
  }
}
/// Every dtype; bool as the byte that it is, 16-bit floats convert to float.
template <class F> void by_dtype(Dtype d, F f) {
  switch (d) {
    case Dtype::boolean: return f(std::uint8_t{});
    case Dtype::float16: return f(Half{});
    case Dtype::bfloat16: return f(BFloat16{});
    default: return by_number(d, f);
  }
}

}  // namespace rill::cpu
