// Gather, scatter, masks, joining.
#pragma once

#include "backends/api/view.h"

namespace rill {

struct IndexKernels {
};

}  // namespace rill
