// The open vocabulary of elementwise formulas. A functor body is branch-free and written for any V:
//   float, double, integers   scalar.h            CUDA threads, integer loops on the CPU
//   simd::Pack<T>             backends/cpu/simd.h vectorised CPU loops
//   Tensor                    autograd/tensor_vocabulary.h   backward with a graph
//   Probe                     autograd/reads.h    "which operands does the gradient read?"
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <limits>
#include <type_traits>

#include "backends/api/functors/scalar.h"

namespace rill::fn {

/// How a literal enters a formula: `lit<V>(0.5)`.
template <class V> struct Literal {
  RILL_FN static V make(double c) {
    if constexpr (std::is_integral_v<V> && !std::is_same_v<V, bool>) {  // an infinite bound stands for the end of the range
      if (c >= static_cast<double>(std::numeric_limits<V>::max())) return std::numeric_limits<V>::max();
      if (c <= static_cast<double>(std::numeric_limits<V>::min())) return std::numeric_limits<V>::min();
    }
    return static_cast<V>(c);
  }
};
template <class V> RILL_FN auto lit(double c) { return Literal<V>::make(c); }
/// A literal where an operand is expected: `max(x, splat(x, 1))`.
template <class V> RILL_FN V splat(V x, double c) {
  if constexpr (std::is_same_v<decltype(lit<V>(c)), V>) return lit<V>(c);
  else return zero_like(x) + lit<V>(c);
}

/// The number type of V: V itself or the elements of a pack.
template <class V> struct ElementOf { using type = V; };
template <class V> requires requires { typename V::element; } struct ElementOf<V> { using type = typename V::element; };
template <class V> using element_of = typename ElementOf<V>::type;
/// V holds numbers: not a tensor or a probe.
template <class V> concept Numeric = requires(V x) { product_error(x, x, x); };

/// Which element types a functor computes in. Other input dtypes are promoted to the default floating dtype (`floating`) or
/// refused (`integers`).
enum class Domain : std::uint8_t {
  floating,  ///< float and double; integers are promoted
  numbers,   ///< also integers in their own dtype
  all,       ///< also bool
  integers,  ///< bool and integers only
};

/// A list of functors is their registration: tables are indexed by the position in it.
template <class... F> struct List {
  static constexpr int size = sizeof...(F);
  template <class G> static constexpr int index = [] {
    int i = 0, found = -1;
    (..., (found = std::is_same_v<F, G> ? i : found, ++i));
    return found;
  }();
};

}  // namespace rill::fn
