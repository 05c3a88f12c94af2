// Overflow-checked size arithmetic: the one place where element and byte counts are multiplied.
#pragma once

#include "lib/core/check.h"

namespace rill {

inline std::int64_t checked_add(std::string_view op, std::int64_t a, std::int64_t b) {
  std::int64_t r;
  check<ShapeError>(!__builtin_add_overflow(a, b, &r), op, "{} + {} overflows a 64-bit size", a, b);
  return r;
}
inline std::int64_t checked_mul(std::string_view op, std::int64_t a, std::int64_t b) {
  std::int64_t r;
  check<ShapeError>(!__builtin_mul_overflow(a, b, &r), op, "{} * {} overflows a 64-bit size", a, b);
  return r;
}

/// Product of sizes. Throws ShapeError when a size is negative or when the product of max(size, 1) times the element size
/// does not fit in int64, so that acceptance does not depend on the order of sizes.
std::int64_t checked_numel(std::string_view op, const Shape& shape, Dtype dtype);

/// Row-major strides of a shape that checked_numel accepted.
Strides row_major_strides(const Shape& shape);
/// Strides with axis 1 innermost (rank 3 to 5).
Strides channels_last_strides(std::string_view op, const Shape& shape);

}  // namespace rill
