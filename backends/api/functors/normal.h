// Exponentials whose exponent needs more digits than one number holds: the tails of gelu, where a rounding of the exponent by half a
// unit would cost the result hundreds. Numbers only; gradients on tensors use plainer formulas.
#pragma once

#include "backends/api/functors/vocabulary.h"

namespace rill::fn {

/// A sum of two numbers that is not rounded: `low` is below half a unit of `high`.
template <class V> struct Exact { V high, low; };

template <class V> RILL_FN Exact<V> exact_product(V a, V b) {
  const V p = a * b;
  return {p, product_error(a, b, p)};
}
template <class V> RILL_FN Exact<V> exact_sum(V a, V b) {  // Knuth's
  const V s = a + b, t = s - a;
  return {s, (a - (s - t)) + (b - t)};
}
/// A constant with twice the digits of V's elements.
template <class V> RILL_FN Exact<V> exact_literal(long double c) {
  const auto high = static_cast<element_of<V>>(c);
  return {V(high), V(static_cast<element_of<V>>(c - high))};
}
template <class V> RILL_FN Exact<V> operator*(Exact<V> a, Exact<V> b) {
  const auto p = exact_product(a.high, b.high);
  return {p.high, p.low + (a.high * b.low + a.low * b.high)};
}
/// e^(-x/2).
template <class V> RILL_FN V exp_of_minus_half(Exact<V> x) { return exp(x.high * lit<V>(-0.5)) * (lit<V>(1) - x.low * lit<V>(0.5)); }

/// The normal distribution left of -|x| is ratio * density with density = e^(-x^2/2). As Shepherd and Laframboise (1981) do for erfc: the ratio
/// is (polynomial in t) / (|x| + 4) with t = (|x| - 4) / (|x| + 4); Chebyshev fits of degree 10 and 24, errors below 1e-8 and 1e-17.
template <class V> struct NormalTail { V ratio, density; };
template <class V> RILL_FN NormalTail<V> normal_tail(V x) {
  constexpr std::array<double, 11> kSingle = {-1.731082301e-6, -0.0001573205696, 0.0001336533871, 0.001563786899, -0.003479954637, -0.007512231382,
                                              0.06039664828, -0.1865267109, 0.3871373939, -0.6078964038, 0.7552851305};
  constexpr std::array<double, 25> kDouble = {
      3.40331230864949465e-10, -1.19977820312530946e-10, -3.73064508186837028e-9, -5.8736267649871907e-10, 2.14276038434523559e-8,
      1.78449277729814162e-8, -8.68664701599789276e-8, -1.59773961422392205e-7, 2.72462969511458721e-7, 1.02478510165527734e-6,
      -6.29836733849236905e-7, -5.92161104592397736e-6, 7.16658764119512099e-7, 0.0000351451119028376513, -1.90824635141457105e-6,
      -0.000231095017362774258, 0.000133344309411832544, 0.00163081846740990846, -0.00347969236704797363, -0.00754018896738631255,
      0.0603965748909178723, -0.186521857959636612, 0.387137400742214917, -0.6078966419718923, 0.755285130415751492};
  const V a = min(abs(x), splat(x, 64)), r = lit<V>(1) / (a + lit<V>(4)), t = (a - lit<V>(4)) * r;
  const auto polynomial = [&](const auto& coefficients) {
    V p = splat(x, coefficients[0]);
    for (std::size_t k = 1; k < coefficients.size(); ++k) p = p * t + lit<V>(coefficients[k]);
    return p;
  };
  if constexpr (std::is_same_v<element_of<V>, float>) return {polynomial(kSingle) * r, exp_of_minus_half(exact_product(a, a))};
  else return {polynomial(kDouble) * r, exp_of_minus_half(exact_product(a, a))};
}

}  // namespace rill::fn
