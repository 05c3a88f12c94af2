#pragma once

#include "backends/api/kernels.h"

namespace rill::cpu {
void add_softmax(NormKernels& k);
void add_ctc(NormKernels& k);
}  // namespace rill::cpu
