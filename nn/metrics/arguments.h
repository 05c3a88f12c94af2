// Checks that metrics share.
#pragma once

#include <rill/core/tensor.h>

#include "lib/core/check.h"

namespace rill::metrics {

inline void check_same_shape(const char* op, const char* what, const Tensor& a, const char* other, const Tensor& b) {
  check_defined(op, a, what);
  check_defined(op, b, other);
  check<ShapeError>(a.shape() == b.shape(), op, "{} have shape {}, {} {}; expected one shape", what, a.shape(), other, b.shape());
}
/// The weight of every element as doubles in the shape of the values; undefined weights stay undefined.
Tensor broadcast_weights(const char* op, const Tensor& weights, const Shape& shape);
/// Classes as they are, or, where predictions have one axis more than the labels, the place of the largest score along the last one.
Tensor class_ids(const char* op, const Tensor& predictions, const Tensor& labels);

}  // namespace rill::metrics
