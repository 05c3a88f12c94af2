#pragma once

#include "backends/api/kernels/random.h"

namespace rill::cpu {

/// The slots of the family that do not depend on the instruction set.
void add_random(RandomKernels& k);

}  // namespace rill::cpu
