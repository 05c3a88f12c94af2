// Random numbers.
#pragma once

#include "backends/api/view.h"

namespace rill {

struct RandomKernels {
};

}  // namespace rill
