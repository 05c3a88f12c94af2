#pragma once

#include "backends/api/kernels/linalg.h"

namespace rill::cpu {

/// LinalgKernels::gemm of the CPU: walks batches, splits large products into blocks of fixed size and runs them in parallel.
void gemm(const View& a, const View& b, const View& out, bool accumulate);
/// Sets the slots that do not depend on the instruction set.
void add_linalg(LinalgKernels& k);
void add_lapack(LinalgKernels& k);

}  // namespace rill::cpu
