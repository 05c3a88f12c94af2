// Mean and squared deviations of elements that are looked at part by part.
#pragma once

#include "backends/api/functors/scalar.h"

namespace rill::fn {

/// The mean, and the sum of (x - mean)^2.
template <class V> struct Moments { V mean, square; };

/// Joins the moments of `more` elements to those of n (Chan, Golub, LeVeque 1979).
template <class V> RILL_FN void join(Moments<V>& total, double n, const Moments<V>& other, double more) {
  if (n == 0) {
    total = other;
    return;
  }
  const double share = more / (n + more);
  const V d = other.mean - total.mean;
  total.mean = total.mean + d * V(share);
  total.square = total.square + (other.square + d * d * V(n * share));
}

}  // namespace rill::fn
