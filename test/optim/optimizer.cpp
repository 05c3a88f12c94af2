// Groups, rates, closures and the sentences of errors.
#include "test/support/near.h"

#include <limits>

#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>
#include <rill/optim/adagrad.h>
#include <rill/optim/adam.h>
#include <rill/optim/layerwise.h>
#include <rill/optim/lbfgs.h>
#include <rill/optim/proximal.h>
#include <rill/optim/rms_prop.h>
#include <rill/optim/schedule_free.h>
#include <rill/optim/sgd.h>
#include <rill/optim/sign.h>

#include "test/support/message.h"

using namespace rill;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInf = std::numeric_limits<double>::infinity();

/// What a T with these options says.
template <class T, class O> std::string refusal(O options) {
  return message<ValueError>([&] { T(NamedTensors{{"w", leaf(zeros({2}))}}, options); });
}

}  // namespace

TEST_CASE("groups have options and rates of their own", "[optim][groups]") {
  const Tensor w = leaf(ones({2}, {.dtype = float64})), b = leaf(ones({2}, {.dtype = float64})), c = leaf(ones({1}, {.dtype = float64}));
  optim::Sgd sgd({{{{"w", w}}, {.lr = 0.1, .weight_decay = 0.5}}, {{{"b", b}}, {.lr = 0.2}}});
  CHECK(sgd.group_count() == 2);
  CHECK(sgd.lr(0) == 0.1);
  CHECK(sgd.lr(1) == 0.2);
  CHECK(sgd.options(0).weight_decay == 0.5);
  CHECK(sgd.options(1).weight_decay == 0);
  w.set_grad(ones({2}, {.dtype = float64}));
  b.set_grad(ones({2}, {.dtype = float64}));
  sgd.step();
  check_near(w, {0.85, 0.85});
  check_near(b, {0.8, 0.8});

  sgd.add_group({{"c", c}}, {.lr = 1, .momentum = 0.5});
  CHECK(sgd.parameters().size() == 3);
  CHECK(sgd.state().size() == 1);
  CHECK(sgd.state()[0].first == "c.momentum_buffer");
  c.set_grad(ones({1}, {.dtype = float64}));
  sgd.scale_lr(0.5);
  CHECK(sgd.lr(0) == 0.05);
  CHECK(sgd.lr(2) == 0.5);
  CHECK(sgd.options(2).lr == 0.5);
  sgd.scale_lr(2);  // of the given rate, not of the present one
  CHECK(sgd.lr(1) == 0.4);
  sgd.set_lr(0.3, 2);
  CHECK(sgd.lr(1) == 0.4);
  CHECK(sgd.lr(2) == 0.3);
  sgd.set_lr(0);
  for (const std::size_t g : {0u, 1u, 2u}) CHECK(sgd.lr(g) == 0);
  const auto before = values(w);
  sgd.step();
  CHECK(values(w) == before);

  CHECK(MESSAGE(IndexError, sgd.lr(3)) == "lr: there is no group 3; the optimizer has 3");
  CHECK(MESSAGE(IndexError, sgd.set_lr(0.1, 7)) == "set_lr: there is no group 7; the optimizer has 3");
  CHECK(MESSAGE(IndexError, sgd.options(3)) == "lr: there is no group 3; the optimizer has 3");
  CHECK(MESSAGE(ValueError, sgd.add_group({{"w", leaf(zeros({1}))}})) == "Sgd: parameter \"w\" appears twice");
  CHECK(MESSAGE(ValueError, sgd.add_group({{"d", leaf(zeros({1}))}}, {.momentum = -1})) == "Sgd: momentum is -1; expected a finite number >= 0");
  CHECK(sgd.group_count() == 3);  // a refused group leaves no trace
  CHECK(sgd.parameters().size() == 3);
  CHECK(sgd.state().size() == 1);
}

TEST_CASE("parameters are split into groups by a predicate", "[optim][groups]") {
  const NamedTensors list{{"fc.weight", leaf(zeros({2, 3}))}, {"fc.bias", leaf(zeros({2}))}, {"head.weight", leaf(zeros({1, 2}))}};
  const auto [weights, others] = optim::partition(list, optim::is_weight);
  REQUIRE(weights.size() == 2);
  CHECK(weights[1].first == "head.weight");
  REQUIRE(others.size() == 1);
  CHECK(others[0].first == "fc.bias");
  const auto [head, body] = optim::partition(list, [](const std::string& name, const Tensor&) { return name.starts_with("head."); });
  CHECK(head.size() == 1);
  CHECK(body.size() == 2);
  const optim::AdamW adam({{weights, {.weight_decay = 0.1}}, {others, {.weight_decay = 0}}});
  CHECK(adam.parameters()[2].first == "fc.bias");
  CHECK(optim::numbered({list[0].second, list[1].second}, 5)[1].first == "6");
  CHECK(optim::Sgd(std::vector<Tensor>{list[0].second}).parameters()[0].first == "0");
}

TEST_CASE("step calls the function that computes the loss while recording and returns the loss", "[optim]") {
  const Tensor w = leaf(tensor({3., 4.}, {.dtype = float64}));
  optim::Sgd sgd({{"w", w}}, {.lr = 0.25});
  const NoGrad off;
  const Tensor loss = sgd.step([&] {
    sgd.zero_grad();
    const Tensor f = sum(square(w));
    f.backward();
    return f;
  });
  CHECK(loss.item<double>() == 25);
  check_near(w, {1.5, 2}, 0);
}

TEST_CASE("momentum can be set for a schedule", "[optim]") {
  const Tensor w = leaf(zeros({1}, {.dtype = float64}));
  optim::Sgd sgd({{"w", w}}, {.lr = 1, .momentum = 0.5});
  w.set_grad(ones({1}, {.dtype = float64}));
  sgd.step();  // v = 1
  sgd.set_momentum(0.25);
  CHECK(sgd.options().momentum == 0.25);
  sgd.step();  // v = 1.25
  check_near(w, {-2.25}, 0);
  optim::Adam adam({{"w", w}});
  adam.set_momentum(0.8);
  CHECK(adam.options().betas == std::array<double, 2>{0.8, 0.999});

  CHECK(MESSAGE(ValueError, sgd.set_momentum(0)) == "set_momentum: momentum is 0; expected a finite number > 0");
  CHECK(MESSAGE(ValueError, adam.set_momentum(1)) == "Adam: betas[0] is 1; expected a number in [0, 1)");
  CHECK(adam.options().betas[0] == 0.8);
  CHECK(MESSAGE(FailedPrecondition, optim::Sgd({{"w", w}}).set_momentum(0.9)) == "set_momentum: Sgd was made without momentum; give its options a momentum above 0");
  CHECK(MESSAGE(FailedPrecondition, optim::Adagrad({{"w", w}}).set_momentum(0.9)) == "set_momentum: Adagrad has no momentum");
  CHECK(MESSAGE(FailedPrecondition, optim::Lbfgs(NamedTensors{{"w", w}}).set_momentum(0.9)) == "set_momentum: Lbfgs has no momentum");
}

TEST_CASE("load takes a whole state or, listing every difference, nothing", "[optim]") {
  const Tensor w = leaf(zeros({2})), b = leaf(zeros({3}));
  optim::Adam adam({{"w", w}, {"b", b}});
  const auto names = [](const NamedTensors& list) {
    std::vector<std::string> result;
    for (const auto& entry : list) result.push_back(entry.first);
    return result;
  };
  CHECK(names(adam.state()) == std::vector<std::string>{"w.exp_avg", "w.exp_avg_sq", "w.step", "b.exp_avg", "b.exp_avg_sq", "b.step"});
  NamedTensors bad = adam.state();
  for (auto& entry : bad) entry.second = ones(entry.second.shape(), {.dtype = entry.second.dtype()});
  bad[0].second = zeros({2, 1});
  bad[2].second = zeros({});
  bad[4].first = "b.square";
  CHECK(MESSAGE(ValueError, adam.load(bad)) ==
        "load: 1 tensor missing (b.exp_avg_sq), 1 unexpected (b.square), 2 with another shape or dtype (w.exp_avg: float32 [2] expected, float32 [2, 1] found, "
        "w.step: int64 [] expected, float32 [] found); nothing was changed");
  for (const auto& entry : adam.state()) CHECK(values(entry.second) == std::vector<double>(static_cast<std::size_t>(entry.second.numel()), 0));
}

TEST_CASE("optimizers refuse parameters that cannot work", "[optim]") {
  const Tensor w = leaf(zeros({2}));
  using optim::Sgd;
  CHECK(MESSAGE(ValueError, Sgd(NamedTensors{})) == "Sgd: there are no parameters; pass model.named_parameters()");
  CHECK(MESSAGE(ValueError, Sgd({{"w", w}, {"v", w}})) == "Sgd: parameter \"v\" appears twice");
  CHECK(MESSAGE(ValueError, Sgd({{"w", w}, {"w", leaf(zeros({2}))}})) == "Sgd: parameter \"w\" appears twice");
  CHECK(MESSAGE(ValueError, Sgd({{"w", Tensor()}})) == "Sgd: parameter \"w\" is undefined");
  CHECK(MESSAGE(GradError, Sgd({{"w", zeros({2})}})) == "Sgd: parameter \"w\" is a tensor without requires_grad; expected a leaf that requires a gradient");
  CHECK(MESSAGE(GradError, Sgd({{"w", w * 2}})) == "Sgd: parameter \"w\" is the result of an op; expected a leaf that requires a gradient");
  CHECK(MESSAGE(ValueError, Sgd({{"w", leaf(zeros({2, 1}).expand({2, 3}))}})) == "Sgd: parameter \"w\" is expanded along axis 1: its elements share memory; clone() it first");
}

TEST_CASE("illegal hyper-parameters are refused with the legal range", "[optim]") {
  using namespace optim;
  Sgd sgd({{"w", leaf(zeros({2}))}});
  CHECK(MESSAGE(ValueError, sgd.set_lr(-1)) == "set_lr: lr is -1; expected a finite number >= 0");
  CHECK(MESSAGE(ValueError, sgd.set_lr(kInf, 0)) == "set_lr: lr is inf; expected a finite number >= 0");
  CHECK(MESSAGE(ValueError, sgd.scale_lr(kNan)) == "scale_lr: factor is nan; expected a finite number >= 0");
  CHECK(sgd.lr() == 1e-3);

  CHECK(refusal<Sgd>(SgdOptions{.lr = -1}) == "Sgd: lr is -1; expected a finite number >= 0");
  CHECK(refusal<Sgd>(SgdOptions{.lr = kNan}) == "Sgd: lr is nan; expected a finite number >= 0");
  CHECK(refusal<Sgd>(SgdOptions{.momentum = -1}) == "Sgd: momentum is -1; expected a finite number >= 0");
  CHECK(refusal<Sgd>(SgdOptions{.momentum = 0.5, .dampening = 2}) == "Sgd: dampening is 2; expected a number in [0, 1]");
  CHECK(refusal<Sgd>(SgdOptions{.weight_decay = -1}) == "Sgd: weight_decay is -1; expected a finite number >= 0");
  CHECK(refusal<Sgd>(SgdOptions{.nesterov = true}) == "Sgd: nesterov needs momentum > 0 and dampening 0, they are 0 and 0");
  CHECK(refusal<Sgd>(SgdOptions{.momentum = 0.9, .dampening = 0.5, .nesterov = true}) == "Sgd: nesterov needs momentum > 0 and dampening 0, they are 0.9 and 0.5");

  CHECK(refusal<Adam>(AdamOptions{.lr = kInf}) == "Adam: lr is inf; expected a finite number >= 0");
  CHECK(refusal<Adam>(AdamOptions{.betas = {1, 0.9}}) == "Adam: betas[0] is 1; expected a number in [0, 1)");
  CHECK(refusal<Adam>(AdamOptions{.betas = {0.9, kNan}}) == "Adam: betas[1] is nan; expected a number in [0, 1)");
  CHECK(refusal<Adam>(AdamOptions{.eps = -1}) == "Adam: eps is -1; expected a finite number >= 0");
  CHECK(refusal<Adam>(AdamOptions{.weight_decay = -1}) == "Adam: weight_decay is -1; expected a finite number >= 0");
  CHECK(refusal<AdamW>(AdamWOptions{.betas = {-0.1, 0.9}}) == "AdamW: betas[0] is -0.1; expected a number in [0, 1)");
  CHECK(refusal<AdamW>(AdamWOptions{.weight_decay = -1}) == "AdamW: weight_decay is -1; expected a finite number >= 0");
  CHECK(refusal<Adamax>(AdamaxOptions{.betas = {0.9, 1}}) == "Adamax: betas[1] is 1; expected a number in [0, 1)");
  CHECK(refusal<NAdam>(NAdamOptions{.eps = -1}) == "NAdam: eps is -1; expected a finite number >= 0");
  CHECK(refusal<NAdam>(NAdamOptions{.momentum_decay = -1}) == "NAdam: momentum_decay is -1; expected a finite number >= 0");
  CHECK(refusal<RAdam>(RAdamOptions{.betas = {0.9, 2}}) == "RAdam: betas[1] is 2; expected a number in [0, 1)");

  CHECK(refusal<RmsProp>(RmsPropOptions{.alpha = 1.5}) == "RmsProp: alpha is 1.5; expected a number in [0, 1]");
  CHECK(refusal<RmsProp>(RmsPropOptions{.eps = -1}) == "RmsProp: eps is -1; expected a finite number >= 0");
  CHECK(refusal<RmsProp>(RmsPropOptions{.weight_decay = -1}) == "RmsProp: weight_decay is -1; expected a finite number >= 0");
  CHECK(refusal<RmsProp>(RmsPropOptions{.momentum = kInf}) == "RmsProp: momentum is inf; expected a finite number >= 0");
  CHECK(refusal<RmsProp>(RmsPropOptions{.initial_mean_square = -1}) == "RmsProp: initial_mean_square is -1; expected a finite number >= 0");

  CHECK(refusal<Adagrad>(AdagradOptions{.lr_decay = -1}) == "Adagrad: lr_decay is -1; expected a finite number >= 0");
  CHECK(refusal<Adagrad>(AdagradOptions{.weight_decay = -1}) == "Adagrad: weight_decay is -1; expected a finite number >= 0");
  CHECK(refusal<Adagrad>(AdagradOptions{.initial_accumulator_value = -1}) == "Adagrad: initial_accumulator_value is -1; expected a finite number >= 0");
  CHECK(refusal<Adagrad>(AdagradOptions{.eps = kNan}) == "Adagrad: eps is nan; expected a finite number >= 0");
  CHECK(refusal<Adadelta>(AdadeltaOptions{.rho = 2}) == "Adadelta: rho is 2; expected a number in [0, 1]");
  CHECK(refusal<Adadelta>(AdadeltaOptions{.eps = -1}) == "Adadelta: eps is -1; expected a finite number >= 0");
  CHECK(refusal<Adadelta>(AdadeltaOptions{.weight_decay = -1}) == "Adadelta: weight_decay is -1; expected a finite number >= 0");

  CHECK(refusal<Rprop>(RpropOptions{.etas = {1, 1.2}}) == "Rprop: etas are 1 and 1.2; expected 0 < etas[0] < 1 < etas[1]");
  CHECK(refusal<Rprop>(RpropOptions{.step_sizes = {2, 1}}) == "Rprop: step_sizes are 2 and 1; expected 0 <= step_sizes[0] <= step_sizes[1]");
  CHECK(refusal<Lion>(LionOptions{.betas = {0.9, 1}}) == "Lion: betas[1] is 1; expected a number in [0, 1)");
  CHECK(refusal<Lion>(LionOptions{.betas = {1, 0.9}}) == "Lion: betas[0] is 1; expected a number in [0, 1)");
  CHECK(refusal<Lion>(LionOptions{.weight_decay = -1}) == "Lion: weight_decay is -1; expected a finite number >= 0");

  CHECK(refusal<AdaBelief>(AdaBeliefOptions{.betas = {0.9, 1}}) == "AdaBelief: betas[1] is 1; expected a number in [0, 1)");
  CHECK(refusal<Lars>(LarsOptions{.momentum = -1}) == "Lars: momentum is -1; expected a finite number >= 0");
  CHECK(refusal<Lars>(LarsOptions{.weight_decay = kNan}) == "Lars: weight_decay is nan; expected a finite number >= 0");
  CHECK(refusal<Lars>(LarsOptions{.trust_coefficient = 0}) == "Lars: trust_coefficient is 0; expected a finite number > 0");
  CHECK(refusal<Lars>(LarsOptions{.eps = -1}) == "Lars: eps is -1; expected a finite number >= 0");
  CHECK(refusal<Lamb>(LambOptions{.betas = {1, 0.9}}) == "Lamb: betas[0] is 1; expected a number in [0, 1)");
  CHECK(refusal<Lamb>(LambOptions{.betas = {0.9, 1}}) == "Lamb: betas[1] is 1; expected a number in [0, 1)");
  CHECK(refusal<Lamb>(LambOptions{.eps = -1}) == "Lamb: eps is -1; expected a finite number >= 0");
  CHECK(refusal<Lamb>(LambOptions{.weight_decay = -1}) == "Lamb: weight_decay is -1; expected a finite number >= 0");
  CHECK(refusal<ScheduleFreeSgd>(ScheduleFreeSgdOptions{.momentum = 0}) == "ScheduleFreeSgd: momentum is 0; expected a finite number > 0");
  CHECK(refusal<ScheduleFreeSgd>(ScheduleFreeSgdOptions{.momentum = 1}) == "ScheduleFreeSgd: momentum is 1; expected a number in [0, 1)");
  CHECK(refusal<ScheduleFreeSgd>(ScheduleFreeSgdOptions{.weight_decay = -1}) == "ScheduleFreeSgd: weight_decay is -1; expected a finite number >= 0");
  CHECK(refusal<ScheduleFreeSgd>(ScheduleFreeSgdOptions{.warmup_steps = -1}) == "ScheduleFreeSgd: warmup_steps is -1; expected at least 0");
  CHECK(refusal<ScheduleFreeSgd>(ScheduleFreeSgdOptions{.r = -1}) == "ScheduleFreeSgd: r is -1; expected a finite number >= 0");
  CHECK(refusal<ScheduleFreeAdamW>(ScheduleFreeAdamWOptions{.weight_lr_power = kInf}) == "ScheduleFreeAdamW: weight_lr_power is inf; expected a finite number >= 0");
  CHECK(refusal<ScheduleFreeAdamW>(ScheduleFreeAdamWOptions{.betas = {0, 0.9}}) == "ScheduleFreeAdamW: betas[0] is 0; expected a finite number > 0");
  CHECK(refusal<ScheduleFreeAdamW>(ScheduleFreeAdamWOptions{.betas = {0.9, 1}}) == "ScheduleFreeAdamW: betas[1] is 1; expected a number in [0, 1)");
  CHECK(refusal<ScheduleFreeAdamW>(ScheduleFreeAdamWOptions{.eps = -1}) == "ScheduleFreeAdamW: eps is -1; expected a finite number >= 0");

  CHECK(refusal<ProximalSgd>(ProximalSgdOptions{.l1 = -1}) == "ProximalSgd: l1 is -1; expected a finite number >= 0");
  CHECK(refusal<ProximalSgd>(ProximalSgdOptions{.l2 = kNan}) == "ProximalSgd: l2 is nan; expected a finite number >= 0");
  CHECK(refusal<ProximalAdagrad>(ProximalAdagradOptions{.initial_accumulator_value = 0}) == "ProximalAdagrad: initial_accumulator_value is 0; expected a finite number > 0");
  CHECK(refusal<AdagradDa>(AdagradDaOptions{.initial_gradient_squared_accumulator_value = 0}) ==
        "AdagradDa: initial_gradient_squared_accumulator_value is 0; expected a finite number > 0");
  CHECK(refusal<Ftrl>(FtrlOptions{.lr = 0}) == "Ftrl: lr is 0; expected a finite number > 0");
  CHECK(refusal<Ftrl>(FtrlOptions{.lr_power = 0.5}) == "Ftrl: lr_power is 0.5; expected a finite number <= 0");
  CHECK(refusal<Ftrl>(FtrlOptions{.initial_accumulator_value = -1}) == "Ftrl: initial_accumulator_value is -1; expected a finite number >= 0");
  CHECK(refusal<Ftrl>(FtrlOptions{.l2 = -1}) == "Ftrl: l2 is -1; expected a finite number >= 0");
  CHECK(refusal<Ftrl>(FtrlOptions{.l2_shrinkage = -1}) == "Ftrl: l2_shrinkage is -1; expected a finite number >= 0");
  const Tensor w = leaf(ones({1}));
  Ftrl ftrl({{"w", w}});
  w.set_grad(ones({1}));
  ftrl.set_lr(0);
  CHECK(MESSAGE(ValueError, ftrl.step()) == "Ftrl: lr is 0; expected a number > 0, since the rule divides by it");
  CHECK(values(w) == std::vector<double>{1});

  CHECK(refusal<Lbfgs>(LbfgsOptions{.lr = -1}) == "Lbfgs: lr is -1; expected a finite number >= 0");
  CHECK(refusal<Lbfgs>(LbfgsOptions{.max_iter = 0}) == "Lbfgs: max_iter is 0; expected at least 1");
  CHECK(refusal<Lbfgs>(LbfgsOptions{.max_eval = -1}) == "Lbfgs: max_eval is -1; expected at least 1, or 0 for 5/4 max_iter");
  CHECK(refusal<Lbfgs>(LbfgsOptions{.tolerance_grad = -1}) == "Lbfgs: tolerance_grad is -1; expected a finite number >= 0");
  CHECK(refusal<Lbfgs>(LbfgsOptions{.tolerance_change = kNan}) == "Lbfgs: tolerance_change is nan; expected a finite number >= 0");
  CHECK(refusal<Lbfgs>(LbfgsOptions{.history_size = 0}) == "Lbfgs: history_size is 0; expected at least 1");
}
