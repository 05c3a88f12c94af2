#include "backends/api/kernels/index.h"

namespace rill::cpu::RILL_ARCH {

void fill_index(IndexKernels&) {}

}  // namespace rill::cpu::RILL_ARCH
