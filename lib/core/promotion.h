// Type promotion of tensors and plain numbers (README, "Dtypes").
#pragma once

#include <rill/core/tensor.h>

namespace rill {

/// Tensors with dimensions decide; a 0-dim tensor or a plain number changes the result only if its kind is higher.
Dtype result_type(const Tensor& a, const Tensor& b);
Dtype result_type(const Tensor& a, Scalar b);
Dtype result_type(Dtype a, Scalar b);

/// A number as one element of the given dtype.
struct ScalarBytes {
  alignas(8) std::byte bytes[8];
  ScalarBytes(Scalar value, Dtype dtype);
};

}  // namespace rill
