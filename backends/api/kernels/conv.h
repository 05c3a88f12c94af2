// Convolution, pooling, interpolation.
#pragma once

#include "backends/api/view.h"

namespace rill {

struct ConvKernels {
};

}  // namespace rill
