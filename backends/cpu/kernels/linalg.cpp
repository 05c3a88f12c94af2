#include "backends/api/kernels/linalg.h"

namespace rill::cpu::RILL_ARCH {

void fill_linalg(LinalgKernels&) {}

}  // namespace rill::cpu::RILL_ARCH
