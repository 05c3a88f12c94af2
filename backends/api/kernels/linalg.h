// Matrix products and decompositions.
#pragma once

#include "backends/api/view.h"

namespace rill {

struct LinalgKernels {
};

}  // namespace rill
