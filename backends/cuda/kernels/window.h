// Convolutions without a library.
#pragma once

#include "backends/api/kernels/conv.h"
#include "backends/cuda/kernels/runtime.h"

namespace rill::RILL_GPU {
void conv_by_definition(const View& x, const View& w, const View& b, const View& y, const WindowGeometry&);
void conv_input_by_definition(const View& g, const View& w, const View& dx, const WindowGeometry&);
void conv_weight_by_definition(const View& g, const View& x, const View& dw, const WindowGeometry&);
/// y [N, C, ..] += b [C], for floating dtypes.
void add_bias(const View& b, const View& y);
}  // namespace rill::RILL_GPU
