// A check at the entrance of a function, where TensorFlow's programs declare a placeholder.
#pragma once

#include <string_view>

#include <rill/core/tensor.h>

namespace rill {

/// x itself. `sizes` are the expected ones, -1 where any will do: expect_shape(x, {-1, 784}, "images"). ShapeError with both shapes and the name
/// when x differs, ValueError when it is undefined.
const Tensor& expect_shape(const Tensor& x, const Shape& sizes, std::string_view name = "input");

}  // namespace rill
