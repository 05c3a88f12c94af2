#include "test/support/near.h"

#include <rill/ops/elementwise.h>
#include <rill/optim/sgd.h>

using namespace rill;

TEST_CASE("optimizers refuse parameters and numbers that cannot work", "[optim]") {
  const Tensor w = leaf(zeros({2}));
  CHECK_THROWS_WITH(optim::Sgd(NamedTensors{}), "Sgd: there are no parameters; pass model.named_parameters()");
  CHECK_THROWS_WITH(optim::Sgd({{"w", w}, {"v", w}}), "Sgd: parameter \"v\" appears twice");
  CHECK_THROWS_WITH(optim::Sgd({{"w", Tensor()}}), "Sgd: parameter \"w\" is undefined");
  CHECK_THROWS_AS(optim::Sgd({{"w", zeros({2})}}), GradError);
  CHECK_THROWS_WITH(optim::Sgd({{"w", zeros({2})}}), "Sgd: parameter \"w\" is a tensor without requires_grad; expected a leaf that requires a gradient");
  CHECK_THROWS_WITH(optim::Sgd({{"w", w * 2}}), "Sgd: parameter \"w\" is the result of an op; expected a leaf that requires a gradient");
  CHECK_THROWS_AS(optim::Sgd({{"w", w}}, {.lr = -1}), ValueError);
  CHECK_THROWS_WITH(optim::Sgd({{"w", w}}, {.lr = NAN}), "Sgd: lr is nan; expected a finite number >= 0");
  CHECK_THROWS_WITH(optim::Sgd({{"w", w}}, {.momentum = -1}), "Sgd: momentum is -1; expected a finite number >= 0");
  CHECK_THROWS_WITH(optim::Sgd({{"w", w}}, {.nesterov = true}), "Sgd: nesterov needs momentum > 0 and dampening 0, they are 0 and 0");
  CHECK(optim::Sgd(std::vector<Tensor>{w}).parameters()[0].first == "0");
}
