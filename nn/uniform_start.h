// The start that PyTorch gives linear and convolution layers.
#pragma once

#include <rill/nn/parameter.h>

namespace rill::nn {

/// Draws the weight, then the bias (if there is one), uniform in +-1 / sqrt(fan_in of the weight).
void uniform_start(const Tensor& weight, const Tensor& bias);

}  // namespace rill::nn
