#include "test/support/catch.h"

#include <rill/autograd/backward.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

using namespace rill;

namespace {
Tensor numbers(const Shape& shape, double from) {
  std::int64_t count = 1;
  for (const auto size : shape) count *= size;
  return arange(from, from + static_cast<double>(count), 1, {.dtype = float64}).view(shape);
}
Tensor last(const Tensor& x) { return x.contiguous(MemoryFormat::channels_last); }
}  // namespace

TEST_CASE("cat keeps channels-last: same values, same gradients, along every axis", "[ops][cat]") {
  for (const Shape& shape : {Shape{2, 3, 4}, Shape{2, 3, 4, 5}, Shape{2, 3, 2, 2, 3}})
    for (int axis = 0; axis < shape.rank(); ++axis) {
      INFO(to_string(shape) << " along " << axis);
      Shape other = shape;
      other[axis] += 2;
      const Tensor a = numbers(shape, 0).requires_grad_(), b = numbers(other, 1000).requires_grad_();
      const Tensor plain = cat({a, b}, axis), joined = cat({last(a), last(b)}, axis);
      CHECK(plain.is_contiguous());
      CHECK(joined.is_contiguous(MemoryFormat::channels_last));
      CHECK_FALSE(joined.is_contiguous());
      CHECK(equal(joined, plain));
      const Tensor weights = numbers(plain.shape(), 5);
      const auto want = grad({sum(plain * weights)}, {a, b}), have = grad({sum(joined * weights)}, {a, b});
      CHECK(equal(have[0], want[0]));
      CHECK(equal(have[1], want[1]));
    }
}

TEST_CASE("cat of mixed layouts is row-major", "[ops][cat]") {
  const Tensor a = numbers({1, 3, 2, 2}, 0), b = numbers({1, 2, 2, 2}, 50);
  CHECK(cat({last(a), b}, 1).is_contiguous());
  CHECK(equal(cat({last(a), b}, 1), cat({a, b}, 1)));
  CHECK(equal(cat({last(a), last(b).to(float32)}, 1), cat({a, b}, 1)));
  const Tensor one = numbers({1, 1, 2, 2}, 7);  // fits both layouts
  CHECK(cat({one, last(a)}, 1).is_contiguous(MemoryFormat::channels_last));
  CHECK(equal(cat({one, last(a)}, 1), cat({one, a}, 1)));
}
