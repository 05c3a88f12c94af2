#pragma once

#include "backends/api/kernels/index.h"

namespace rill::cpu {

/// The slots of the family that do not depend on the instruction set.
void add_index(IndexKernels& k);

}  // namespace rill::cpu
