// Anomaly mode: which forward line made the NaN.
#pragma once

#include "autograd/node.h"

namespace rill {

/// Throws GradError naming the node and the forward line when `g` holds a NaN.
void throw_if_nan(const Node& node, const Tensor& g);

}  // namespace rill
