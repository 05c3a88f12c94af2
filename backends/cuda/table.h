#pragma once

#include "backends/api/kernels.h"

namespace rill::cuda {
/// The table of CUDA kernels. Slots without one throw Unimplemented.
Kernels make_kernels();
}
