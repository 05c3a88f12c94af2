#include "backends/api/kernels/reduce.h"

namespace rill::cpu::RILL_ARCH {

void fill_reduce(ReduceKernels&) {}

}  // namespace rill::cpu::RILL_ARCH
