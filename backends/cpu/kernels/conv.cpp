#include "backends/api/kernels/conv.h"

namespace rill::cpu::RILL_ARCH {

void fill_conv(ConvKernels&) {}

}  // namespace rill::cpu::RILL_ARCH
