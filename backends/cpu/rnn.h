#pragma once

#include "backends/api/kernels.h"

namespace rill::cpu {
/// The slots of the family that do not depend on the instruction set.
void add_rnn(RnnKernels& k);
}  // namespace rill::cpu
