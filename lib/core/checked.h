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

/// Room for n further entries, given by the caller's arguments: OutOfMemory as for a tensor instead of std::bad_alloc.
template <class Vector> void checked_reserve(std::string_view op, Vector& v, std::int64_t n) {
  try {
    v.reserve(v.size() + static_cast<std::size_t>(n));
  } catch (const std::exception&) {  // bad_alloc, or length_error above the largest size
    fail<OutOfMemory>(op, "{} entries are not available; use smaller sizes", n);
  }
}

/// Row-major strides of a shape that checked_numel accepted.
Strides row_major_strides(const Shape& shape);
/// Strides with axis 1 innermost (rank 3 to 5).
Strides channels_last_strides(std::string_view op, const Shape& shape);

}  // namespace rill
