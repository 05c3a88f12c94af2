#pragma once

#include "backends/api/kernels/conv.h"

namespace rill::cpu {

/// The slot of ConvKernels for float32 and float64; g and x are not empty.
void conv_weight_gradient(const View& g, const View& x, const View& dw, const WindowGeometry& window);

}  // namespace rill::cpu
