#include "test/support/near.h"

#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/optim/sgd.h>

using namespace rill;

TEST_CASE("a saved momentum continues bit for bit", "[optim][sgd]") {
  const auto run = [](optim::Sgd& sgd, const Tensor& w, int steps) {
    for (int i = 0; i < steps; ++i) {
      sgd.zero_grad();
      sum(square(w) * w).backward();
      sgd.step();
    }
  };
  const Tensor a = leaf(tensor({0.5, -0.25, 1.})), b = leaf(tensor({0.5, -0.25, 1.}));
  optim::Sgd whole({{"w", a}}, {.lr = 0.1, .momentum = 0.9}), first({{"w", b}}, {.lr = 0.1, .momentum = 0.9});
  run(whole, a, 7);
  run(first, b, 3);
  const Tensor c = leaf(b.detach().clone());
  optim::Sgd second({{"w", c}}, {.lr = 0.1, .momentum = 0.9});
  CHECK(first.state()[0].first == "w.momentum_buffer");
  second.load(first.state());
  run(second, c, 4);
  CHECK(c.to_vector<float>() == a.to_vector<float>());
  CHECK_THROWS_WITH(second.load({}), "load: 1 tensor missing (w.momentum_buffer); nothing was changed");
  CHECK_THROWS_AS(second.load({{"w.momentum_buffer", zeros({4})}}), ValueError);
  optim::Sgd plain({{"w", c}});
  CHECK_THROWS_WITH(plain.load(first.state()), "load: 1 unexpected (w.momentum_buffer); nothing was changed");
}
