#include <rill/core/expect_shape.h>
#include <rill/ops/create.h>

#include "test/support/catch.h"
#include "test/support/message.h"

using namespace rill;

TEST_CASE("expect_shape lets through what fits and names what does not", "[core]") {
  const Tensor x = ones({3, 784});
  CHECK(&expect_shape(x, {-1, 784}, "images") == &x);
  CHECK(&expect_shape(x, {3, 784}) == &x);
  CHECK_NOTHROW(expect_shape(ones({}), {}));
  CHECK_NOTHROW(expect_shape(ones({0, 2}), {-1, 2}));
  CHECK(MESSAGE(ShapeError, expect_shape(x, {-1, 785}, "images")) == "expect_shape: images has shape [3, 784]; expected [-1, 785], where -1 is any size");
  CHECK(MESSAGE(ShapeError, expect_shape(x, {-1})) == "expect_shape: input has shape [3, 784]; expected [-1], where -1 is any size");
  CHECK(MESSAGE(ValueError, expect_shape(Tensor(), {-1}, "images")) == "expect_shape: images is undefined; pass a tensor with values");
}
