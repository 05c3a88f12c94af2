// Sorting, for other kernels that need an order.
#pragma once

#include "backends/api/view.h"
#include "backends/cuda/kernels/runtime.h"

namespace rill::RILL_GPU {
/// The slot of SortKernels.
void sort(const View& x, int axis, bool descending, const View& values, const View& indices);
}  // namespace rill::RILL_GPU
