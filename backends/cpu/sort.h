#pragma once

#include "backends/api/kernels/sort.h"

namespace rill::cpu {

/// The slots of the family; none depends on the instruction set.
void add_sort(SortKernels& k);

}  // namespace rill::cpu
