// Values are in test/nn/layer_goldens.cpp.
#include "test/support/catch.h"

#include <rill/nn/pool.h>
#include <rill/ops/create.h>

using namespace rill;

TEST_CASE("MaxUnpool puts maxima back where MaxPool found them", "[nn][pool]") {
  const Tensor x = tensor({{{1., 5., 2., 8., 3., 0.}}});
  nn::MaxPool1d pool(2);
  const PoolResult found = pool.with_indices(x);
  CHECK(found.indices.to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 3, 4});
  CHECK(nn::MaxUnpool1d(2)(found.values, found.indices).to_vector<float>() == std::vector<float>{0, 5, 0, 8, 3, 0});
  pool.register_forward_hook([](const nn::Module&, const Tensor&, const Tensor& values) { return values.add_(1); });  // sees the values
  CHECK(pool.with_indices(x).values.to_vector<float>() == std::vector<float>{6, 9, 4});
}
