// The axes of a reduction.
#pragma once

#include <cstdint>

#include "lib/core/check.h"
#include "lib/core/tensor_impl.h"

namespace rill {

struct AxisSet {
  std::uint64_t mask = 0;   // bit a: axis a is reduced
  Shape kept;               // the input's shape with size 1 on the reduced axes
  Shape out;                // the result's shape
  std::int64_t count = 1;   // elements that meet in one result

  /// An empty list means all axes. Throws IndexError for an axis outside the rank or listed twice.
  AxisSet(std::string_view op, const Tensor& x, const Dims& axes, bool keepdim) {
    check_defined(op, x);
    const Shape& shape = impl(x).shape;
    const int rank = shape.rank();
    if (axes.empty()) {
      mask = rank == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << rank) - 1;
    } else {
      for (std::int64_t a : axes) {
        const std::int64_t axis = wrap_axis(op, a, rank);
        if (rank == 0) continue;  // the only axis a number can be asked for
        const std::uint64_t bit = std::uint64_t{1} << axis;
        check<IndexError>(!(mask & bit), op, "axis {} is listed twice in {}", a, axes);
        mask |= bit;
      }
    }
    kept = shape;
    for (int a = 0; a < rank; ++a) {
      if (mask >> a & 1) count *= shape[a], kept[a] = 1;
      else if (!keepdim) out.push_back(shape[a]);
    }
    if (keepdim) out = kept;
  }
};

/// g in the shape of the reduced result, back over the input's shape.
Tensor spread(const Tensor& g, const Shape& kept, const Shape& shape);

}  // namespace rill
