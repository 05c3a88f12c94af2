#include <rill/core/expect_shape.h>

#include "lib/core/check.h"

namespace rill {

const Tensor& expect_shape(const Tensor& x, const Shape& sizes, std::string_view name) {
  check_defined("expect_shape", x, name);
  const Shape& own = x.shape();
  bool fits = own.rank() == sizes.rank();
  for (int a = 0; fits && a < own.rank(); ++a) fits = sizes[a] == -1 || sizes[a] == own[a];
  check<ShapeError>(fits, "expect_shape", "{} has shape {}; expected {}, where -1 is any size", name, own, sizes);
  return x;
}

}  // namespace rill
