#pragma once

#include "backends/api/kernels.h"

namespace rill::cpu {
void add_reduce(ReduceKernels& k);
void add_scan(ReduceKernels& k);
}
