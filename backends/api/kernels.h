// The table that a backend fills: one slot per kernel shape, not per op. An empty slot is an error with a name.
#pragma once

#include "backends/api/kernels/conv.h"
#include "backends/api/kernels/index.h"
#include "backends/api/kernels/linalg.h"
#include "backends/api/kernels/map.h"
#include "backends/api/kernels/norm.h"
#include "backends/api/kernels/random.h"
#include "backends/api/kernels/reduce.h"
#include "backends/api/kernels/rnn.h"
#include "backends/api/kernels/sort.h"
#include "backends/api/kernels/update.h"

namespace rill {

struct Kernels : MapKernels, ReduceKernels, IndexKernels, LinalgKernels, ConvKernels, NormKernels, RandomKernels, RnnKernels, SortKernels, UpdateKernels {};

}  // namespace rill
