#include "test/support/catch.h"

#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/view.h>

using namespace rill;

TEST_CASE("a tensor knows its attributes", "[core][tensor]") {
  const Tensor t = tensor({{1, 2, 3}, {4, 5, 6}});
  CHECK(t.shape() == Shape{2, 3});
  CHECK(t.dtype() == int64);
  CHECK(t.size(-1) == 3);
  CHECK((t + 1).to_vector<int>() == std::vector<int>{2, 3, 4, 5, 6, 7});
  CHECK(t.t().to_vector<int>() == std::vector<int>{1, 4, 2, 5, 3, 6});
}
