// What a reduction does to two elements. Sums and products run in double or int64, extremes in the element type.
#pragma once

#include "backends/api/functors/scalar.h"

namespace rill::fn {

template <class T> inline constexpr bool is_real = std::is_floating_point_v<T>;
template <class T> using WideOf = std::conditional_t<is_real<T>, double, std::int64_t>;

struct PlainTerm {
  template <class V> RILL_FN static V of(V x) { return x; }
};
struct SquareTerm {
  template <class V> RILL_FN static V of(V x) { return x * x; }
};
struct MagnitudeTerm {
  template <class V> RILL_FN static V of(V x) { return abs(x); }
};

template <class T, class Term> struct SumOf {
  using Acc = WideOf<T>;
  using Out = std::conditional_t<is_real<T>, T, std::int64_t>;
  RILL_FN static Acc identity() { return 0; }
  RILL_FN static Acc merge(Acc a, Acc b) {
    if constexpr (is_real<T>) return a + b;
    else return static_cast<Acc>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));  // wraps
  }
  RILL_FN static Acc term(T x) { return Term::of(static_cast<Acc>(x)); }
};
template <class T> struct ProductOf {
  using Acc = WideOf<T>;
  using Out = std::conditional_t<is_real<T>, T, std::int64_t>;
  RILL_FN static Acc identity() { return 1; }
  RILL_FN static Acc merge(Acc a, Acc b) {
    if constexpr (is_real<T>) return a * b;
    else return static_cast<Acc>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));  // wraps
  }
  RILL_FN static Acc term(T x) { return static_cast<Acc>(x); }
};
template <class T, bool kMax> struct ExtremeOf {
  using Acc = T;
  using Out = T;
  RILL_FN static Acc identity() {
    if constexpr (is_real<T>) return kMax ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
    else return kMax ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
  }
  template <class V> RILL_FN static V merge(V a, V b) {
    if constexpr (kMax) return max(a, b);
    else return min(a, b);
  }
  RILL_FN static Acc term(T x) { return x; }
};

/// The result of an accumulator: divided; with `root` the square root is taken before rounding, since squares of float32 leave its range.
template <class M, bool root> RILL_FN typename M::Out finish(typename M::Acc acc, double divisor) {
  using Out = typename M::Out;
  if constexpr (root) return static_cast<Out>(std::sqrt(acc / divisor));
  else if constexpr (is_real<Out>) return divisor == 1 ? static_cast<Out>(acc) : static_cast<Out>(static_cast<double>(acc) / divisor);
  else return static_cast<Out>(acc);
}

}  // namespace rill::fn
