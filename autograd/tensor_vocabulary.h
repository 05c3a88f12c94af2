// The functor vocabulary (backends/api/functors/vocabulary.h) for tensors: gradient formulas run on tensors when the backward
// pass is itself recorded.
#pragma once

#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>

#include "backends/api/functors/vocabulary.h"

namespace rill {

inline Tensor max(const Tensor& a, const Tensor& b) { return maximum(a, b); }
inline Tensor min(const Tensor& a, const Tensor& b) { return minimum(a, b); }
inline Tensor both(const Tensor& a, const Tensor& b) { return logical_and(a, b); }
inline Tensor zero_like(const Tensor& x) { return zeros({}, {.dtype = x.dtype(), .device = x.device()}); }
inline Tensor rint(const Tensor& x) { return round(x); }

template <> struct fn::Literal<Tensor> {
  static Scalar make(double c) { return c; }
};

}  // namespace rill
