#pragma once

#include "backends/api/kernels/conv.h"

namespace rill::cuda {
/// Convolutions of floating dtypes by cuDNN.
void fill_conv(ConvKernels& k);
}
