#pragma once

#include "backends/api/kernels/linalg.h"

namespace rill::cuda {
/// Matrix products by cuBLASLt.
void fill_gemm(LinalgKernels& k);
}
