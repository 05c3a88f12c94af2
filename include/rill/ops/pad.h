// Values around a tensor.
#pragma once

#include <rill/core/tensor.h>

namespace rill {

/// What stands outside: a constant; the mirror image without the border element; the border element; the other end.
enum class PadMode : std::uint8_t { constant, reflect, replicate, circular };
struct PadOptions {
  PadMode mode = PadMode::constant;
  Scalar value = 0;  ///< of constant padding
};

/// pads = {before, after} of the last axis, then of the one before it, and so on: `pad(x, {1, 1, 2, 0})` adds one column on both sides and two
/// rows above. Negative pads crop. Any dtype. reflect needs pads below the size, circular at most the size. Differentiable. Errors: ShapeError
/// when pads do not come in pairs, are more than axes, or do not fit the sizes.
Tensor pad(const Tensor& x, const Dims& pads, const PadOptions& options = {});

}  // namespace rill
