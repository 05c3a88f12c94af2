// Softmax family, normalisation, losses, embedding.
#pragma once

#include "backends/api/view.h"

namespace rill {

struct NormKernels {
};

}  // namespace rill
