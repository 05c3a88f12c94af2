#pragma once

#include "backends/api/kernels/linalg.h"

namespace rill::cuda {
/// Decompositions by cuSOLVER, triangular systems by cuBLAS.
void fill_solver(LinalgKernels& k);
}  // namespace rill::cuda
