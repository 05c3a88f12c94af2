// Steps are in test/optim/goldens.cpp.
#include <rill/optim/layerwise.h>

#include "test/support/near.h"

using namespace rill;

TEST_CASE("where a norm is 0 the trust ratio is 1", "[optim][layerwise]") {
  for (const bool zero_weights : {true, false}) {
    const Tensor w = leaf(full({4}, zero_weights ? 0. : 2.)), v = leaf(full({4}, zero_weights ? 0. : 2.));
    optim::Lars lars({{"w", w}}, {.lr = 0.5, .momentum = 0});
    optim::Lamb lamb({{"v", v}}, {.lr = 0.5, .eps = 0.25, .weight_decay = 0});
    w.set_grad(full({4}, zero_weights ? 0.25 : 0.)), v.set_grad(full({4}, zero_weights ? 0.75 : 0.));
    lars.step(), lamb.step();
    check_near(w, std::vector<double>(4, zero_weights ? -0.125 : 2), 1e-7);
    check_near(v, std::vector<double>(4, zero_weights ? -0.375 : 2), 1e-6);  // direction 0.75 / (0.75 + 0.25)
  }
}

TEST_CASE("a step of Lamb is as long as its rate says, whatever the size of gradients", "[optim][layerwise]") {
  for (const double size : {1e-3, 1., 1e3}) {
    const Tensor w = leaf(tensor({3., 4.}));
    optim::Lamb lamb({{"w", w}}, {.lr = 0.1, .eps = 0, .weight_decay = 0});
    w.set_grad(tensor({size, -size}));
    lamb.step();
    check_near(w, {3 - 0.5 / std::sqrt(2.), 4 + 0.5 / std::sqrt(2.)}, 1e-5);  // lr |w| = 0.5
  }
}
