// What all reductions share: one kernel call, 16-bit floats by way of float32.
#pragma once

#include "autograd/axes.h"
#include "backends/api/backend.h"

namespace rill {

/// Never recorded. The result has x's dtype; sums and products of bool and integers are int64.
Tensor reduce(Reduce what, const Tensor& x, const AxisSet& axes, double divisor = 1);

}  // namespace rill
