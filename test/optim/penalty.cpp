#include "test/support/near.h"

#include <rill/autograd/backward.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/optim/penalty.h>

#include "test/support/message.h"

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

TEST_CASE("the elastic penalty adds both", "[optim][penalty]") {
  const Tensor w = leaf(tensor({{1., -2.}, {-3., 4.}}));
  CHECK(optim::elastic({w}, {.l1 = 0.5, .l2 = 0.5}).item<float>() == 12.5f);
  CHECK(optim::elastic({w}, {.l1 = 0.5}).item<float>() == 5.f);
  CHECK(optim::elastic({w}, {.l2 = 0.5}).item<float>() == 7.5f);
  CHECK(optim::elastic({w}, {}).item<float>() == 0.f);
  CHECK(MESSAGE(ValueError, optim::elastic({w}, {.l1 = 1, .l2 = -1})) == "l2: scale is -1; expected a finite number >= 0");
  CHECK(MESSAGE(ValueError, optim::l2({w}, -3)) == "l2: scale is -3; expected a finite number >= 0");
  CHECK(MESSAGE(ValueError, optim::l1({Tensor()}, 1)) == "l1: a weight is undefined; pass a tensor with values");
}

TEST_CASE("a collector adds up losses and penalties and keeps them apart", "[optim][penalty]") {
  const Tensor w = leaf(tensor({3.}));
  optim::LossCollector losses;
  CHECK(MESSAGE(FailedPrecondition, losses.total()) == "LossCollector: there are no terms of the loss; add one before");
  losses.add(sum(w * 2));
  losses.add(w, "aux");  // one element of any rank
  losses.add_regularization(optim::l2({w}, 2));
  losses.add_regularization(optim::l1({w}, 1));
  losses.add(sum(w));
  CHECK(losses.loss().item<float>() == 12);
  CHECK(losses.regularization().item<float>() == 12);
  CHECK(losses.total().item<float>() == 24);
  CHECK(losses.total().dim() == 0);
  std::vector<std::string> names;
  for (const auto* list : {&losses.losses(), &losses.regularizations()})
    for (const auto& entry : *list) names.push_back(entry.first);
  CHECK(names == std::vector<std::string>{"loss", "aux", "loss_1", "regularization", "regularization_1"});
  losses.total().backward();
  CHECK(values(w.grad()) == std::vector<double>{4 + 6 + 1});
  CHECK(MESSAGE(ValueError, losses.add(w, "aux")) == "LossCollector: there is already a term \"aux\"");
  CHECK(MESSAGE(ValueError, losses.add_regularization(w, "loss")) == "LossCollector: there is already a term \"loss\"");
  CHECK(MESSAGE(ShapeError, losses.add(zeros({2}))) == "LossCollector: a term of the loss has shape [2]; reduce it to one number");
  CHECK(MESSAGE(ValueError, losses.add(Tensor())) == "LossCollector: a term is undefined; pass a tensor with values");
  losses.clear();
  CHECK(losses.losses().empty());
  CHECK(MESSAGE(FailedPrecondition, losses.regularization()) == "LossCollector: there are no terms of the regularization; add one before");
}
