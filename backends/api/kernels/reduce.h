// Reductions, scans, sorting.
#pragma once

#include "backends/api/view.h"

namespace rill {

struct ReduceKernels {
};

}  // namespace rill
