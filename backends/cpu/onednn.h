// The door to oneDNN. Present only in builds with RILL_WITH_ONEDNN; only backends/cpu/onednn*.cpp include its headers.
#pragma once

#include <cstdint>

#include "backends/api/kernels/conv.h"

namespace rill::cpu {

/// The slots of ConvKernels for float32 and bfloat16 (there dw is float32); false: oneDNN has no implementation for these shapes or this processor,
/// nothing was written.
bool onednn_conv(const View& x, const View& w, const View& b, const View& y, const WindowGeometry& window);
bool onednn_conv_input_gradient(const View& g, const View& w, const View& dx, const WindowGeometry& window);
bool onednn_conv_weight_gradient(const View& g, const View& x, const View& dw, const WindowGeometry& window);

}  // namespace rill::cpu
