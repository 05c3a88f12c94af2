#pragma once

#include "backends/api/kernels/update.h"

namespace rill::cpu {

/// The slot that does not depend on the instruction set.
void add_update(UpdateKernels& k);

}  // namespace rill::cpu
