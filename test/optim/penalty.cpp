#include "test/support/near.h"

#include <rill/ops/elementwise.h>
#include <rill/optim/penalty.h>

using namespace rill;

TEST_CASE("penalties have the course's values and gradients", "[optim][penalty]") {
  const Tensor w = leaf(tensor({{1., -2.}, {-3., 4.}}));
  const Tensor loss = optim::l2({w}, 0.5);
  CHECK(loss.item<float>() == 7.5f);
  loss.backward();
  CHECK(values(w.grad()) == std::vector<double>{0.5, -1, -1.5, 2});
  CHECK(optim::l1({w}, 0.5).item<float>() == 5.f);
  CHECK(optim::l2({w, w}, 0.5).item<float>() == 15.f);
  CHECK(optim::decayable({{"w", w}, {"b", zeros({2})}}).size() == 1);
  CHECK_THROWS_WITH(optim::l2({}, 0.5), "l2: there are no weights");
  CHECK_THROWS_WITH(optim::l1({w}, -1), "l1: scale is -1; expected a finite number >= 0");
}
