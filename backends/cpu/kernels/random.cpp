#include "backends/api/kernels/random.h"

namespace rill::cpu::RILL_ARCH {

void fill_random(RandomKernels&) {}

}  // namespace rill::cpu::RILL_ARCH
