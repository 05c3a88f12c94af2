#pragma once

#include "backends/api/kernels/conv.h"

namespace rill::cpu {

/// Sets the slots that do not depend on the instruction set.
void add_conv(ConvKernels& k);
void add_pool(ConvKernels& k);

}  // namespace rill::cpu
