// Convolution, pooling, interpolation.
#pragma once

#include "backends/api/view.h"

namespace rill {

/// The window of a convolution or a pool on up to three spatial axes: output position p and kernel position k meet at input position
/// stride p + dilation k - before. Positions outside the input are padding; how much of it there is at the end follows from the sizes.
struct WindowGeometry {
  int axes;
  std::int64_t kernel[3], stride[3], dilation[3], before[3];
  std::int64_t groups;
};

struct ConvKernels {
  // x [N, C, in..], w [O, C / groups, kernel..] and y [N, O, out..] of one dtype, not bool and not 16-bit. w is row-major; x and y are
  // row-major or channels-last. Results do not depend on the number of threads.
  /// y = x * w + b; b [O] row-major, or data null.
  void (*conv)(const View& x, const View& w, const View& b, const View& y, const WindowGeometry&) = nullptr;
  /// dx = the adjoint of x -> x * w, applied to g (the shape of y).
  void (*conv_input_gradient)(const View& g, const View& w, const View& dx, const WindowGeometry&) = nullptr;
  /// dw = the adjoint of w -> x * w, applied to g.
  void (*conv_weight_gradient)(const View& g, const View& x, const View& dw, const WindowGeometry&) = nullptr;
};

}  // namespace rill
