#include <rill/optim/lr_scheduler.h>

#include "test/optim/every.h"

#include <rill/optim/reduce_lr_on_plateau.h>

#include "test/support/message.h"

using namespace rill;

namespace {

struct Curves {
  optim::Schedule lr, momentum;
};

std::int64_t whole(const OptionLine& l, const char* key, std::int64_t otherwise) { return static_cast<std::int64_t>(l.number(key, static_cast<double>(otherwise))); }
std::vector<std::int64_t> list(const std::string& text) {
  std::vector<std::int64_t> v;
  for (std::size_t at = 0; at < text.size(); at = text.find(',', at) + 1) {
    v.push_back(std::stoll(text.substr(at)));
    if (text.find(',', at) == std::string::npos) break;
  }
  return v;
}

/// The schedule of a golden line.
Curves curves_of(const OptionLine& l) {
  using namespace optim;
  const double base = l.number("base", 1);
  const auto strategy = l.word("anneal_strategy") == "linear" ? AnnealStrategy::linear : AnnealStrategy::cos;
  if (l.name == "StepLr") return {StepLr{base, whole(l, "step_size", 0), l.number("gamma", 0.1)}, {}};
  if (l.name == "MultiStepLr") return {MultiStepLr{base, list(l.word("milestones")), l.number("gamma", 0.1)}, {}};
  if (l.name == "ExponentialLr") return {ExponentialLr{base, l.number("gamma", 0)}, {}};
  if (l.name == "CosineAnnealingLr") return {CosineAnnealingLr{base, whole(l, "T_max", 0), l.number("eta_min", 0)}, {}};
  if (l.name == "CosineAnnealingWarmRestarts") return {CosineAnnealingWarmRestarts{base, whole(l, "T_0", 0), whole(l, "T_mult", 1), l.number("eta_min", 0)}, {}};
  if (l.name == "LambdaLr") return {LambdaLr{base, [](std::int64_t e) { return 1 / (1 + static_cast<double>(e)); }}, {}};
  if (l.name == "MultiplicativeLr") return {MultiplicativeLr{base, [](std::int64_t e) { return 1 - 0.5 / (1 + static_cast<double>(e)); }}, {}};
  if (l.name == "LinearLr") return {LinearLr{base, l.number("start_factor", 1.0 / 3), l.number("end_factor", 1), whole(l, "total_iters", 5)}, {}};
  if (l.name == "ConstantLr") return {ConstantLr{base, l.number("factor", 1.0 / 3), whole(l, "total_iters", 5)}, {}};
  if (l.name == "PolynomialLr") return {PolynomialLr{base, whole(l, "total_iters", 5), l.number("power", 1)}, {}};
  if (l.name == "SwaLr") return {SwaLr{base, l.number("swa_lr", 0), whole(l, "anneal_epochs", 10), strategy}, {}};
  if (l.name == "OneCycleLr") {
    OneCycleLr c{.max_lr = l.number("max_lr", 0), .total_steps = whole(l, "total_steps", 0), .anneal_strategy = strategy};
    c.pct_start = l.number("pct_start", c.pct_start), c.three_phase = l.flag("three_phase");
    c.base_momentum = l.number("base_momentum", c.base_momentum), c.max_momentum = l.number("max_momentum", c.max_momentum);
    c.div_factor = l.number("div_factor", c.div_factor), c.final_div_factor = l.number("final_div_factor", c.final_div_factor);
    return {c, [c](std::int64_t step) { return c.momentum(step); }};
  }
  if (l.name == "CyclicLr") {
    CyclicLr c{.base_lr = l.number("base_lr", 0), .max_lr = l.number("max_lr", 0)};
    c.step_size_up = whole(l, "step_size_up", 2000), c.step_size_down = whole(l, "step_size_down", 0), c.gamma = l.number("gamma", 1);
    c.base_momentum = l.number("base_momentum", c.base_momentum), c.max_momentum = l.number("max_momentum", c.max_momentum);
    const std::string mode = l.word("mode");
    c.mode = mode == "triangular2" ? CyclicMode::triangular2 : mode == "exp_range" ? CyclicMode::exp_range : CyclicMode::triangular;
    return {c, [c](std::int64_t step) { return c.momentum(step); }};
  }
  if (l.name == "SequentialLr")
    return {SequentialLr{{LinearLr{.base = base, .start_factor = 0.25, .total_iters = 10}, ExponentialLr{.base = base, .gamma = 0.9}, StepLr{.base = base, .step_size = 5, .gamma = 0.5}}, {10, 30}}, {}};
  if (l.name == "ChainedScheduler")
    return {ChainedScheduler{base, {ConstantLr{.factor = 0.1, .total_iters = 7}, ExponentialLr{.gamma = 0.9}, MultiStepLr{.milestones = {20, 40}, .gamma = 0.5}}}, {}};
  FAIL("no schedule " << l.name);
  return {};
}

optim::ReduceLrOnPlateauOptions plateau_of(const OptionLine& l) {
  optim::ReduceLrOnPlateauOptions o;
  o.base = l.number("base", 1), o.factor = l.number("factor", o.factor), o.threshold = l.number("threshold", o.threshold);
  o.patience = whole(l, "patience", 10), o.cooldown = whole(l, "cooldown", 0);
  o.min_lr = l.number("min_lr", 0), o.eps = l.number("eps", o.eps);
  if (l.word("mode") == "max") o.mode = optim::PlateauMode::max;
  if (l.word("threshold_mode") == "abs") o.threshold_mode = optim::PlateauThreshold::absolute;
  return o;
}

/// Approx does not take an exact 0.
void check_curve(const std::vector<double>& have, const std::vector<double>& want) { check_near(tensor(have), want, 1e-14); }

}  // namespace

TEST_CASE("every schedule gives PyTorch's rates and momenta", "[optim][schedule][goldens]") {
  std::map<std::string, int> seen;
  for (const OptionLine& l : option_lines("lr_goldens.txt")) {
    INFO(l.text);
    ++seen[l.name];
    if (l.name == "ReduceLrOnPlateau") continue;
    l.used = 0;
    const Curves c = curves_of(l);
    CHECK(l.used == l.options.size());
    REQUIRE(l.numbers.size() == 60);
    std::vector<double> lr, momentum;
    for (int e = 0; e < 60; ++e) {
      lr.push_back(c.lr(e));
      if (c.momentum) momentum.push_back(c.momentum(e));
    }
    check_curve(lr, l.numbers);
    CHECK(l.sections.size() == (c.momentum ? 1 : 0));
    if (c.momentum) check_curve(momentum, l.sections.at(0).second);
    CHECK_THROWS_AS(c.lr(-1), ValueError);
  }
  CHECK(seen.size() == 16);
}

TEST_CASE("a plateau lowers PyTorch's rate, also after its state was saved and loaded", "[optim][schedule][goldens]") {
  int cases = 0;
  for (const OptionLine& l : option_lines("lr_goldens.txt")) {
    if (l.name != "ReduceLrOnPlateau") continue;
    ++cases;
    INFO(l.text);
    l.used = 0;
    const auto options = plateau_of(l);
    optim::ReduceLrOnPlateau plateau(options), second(options);
    CHECK(l.used == l.options.size());
    std::vector<double> lr;
    for (int e = 0; e < 60; ++e) {
      auto& now = e <= 30 ? plateau : second;
      lr.push_back(now.lr());
      if (e == 30) second.load(plateau.state());
      const double metric = e < 12 ? 1 / (1.0 + e) : 0.08 + 0.02 * std::sin(e);
      const double next = (e < 30 ? plateau : second).step(metric);
      CHECK(next == (e < 30 ? plateau : second).lr());
    }
    check_curve(lr, l.numbers);
  }
  CHECK(cases == 3);
  optim::ReduceLrOnPlateau plateau({.patience = 1});
  plateau.step(1);
  CHECK(plateau.best() == 1);
  plateau.step(NAN);
  CHECK(plateau.num_bad_epochs() == 1);
  CHECK(MESSAGE(ValueError, plateau.load({})) == "load: 1 tensor missing (plateau); nothing was changed");
}

TEST_CASE("schedules refuse numbers that make no sense", "[optim][schedule]") {
  using namespace optim;
  CHECK(MESSAGE(ValueError, (StepLr{.step_size = 0}(1))) == "StepLr: step_size is 0; expected at least 1");
  CHECK(MESSAGE(ValueError, (StepLr{.step_size = 1, .gamma = -1}(1))) == "StepLr: gamma is -1; expected a finite number >= 0");
  CHECK(MESSAGE(ValueError, (StepLr{.step_size = 1}(-1))) == "StepLr: step is -1; expected step >= 0");
  CHECK(MESSAGE(ValueError, (MultiStepLr{.gamma = NAN}(1))) == "MultiStepLr: gamma is nan; expected a finite number >= 0");
  CHECK(MESSAGE(ValueError, (ExponentialLr{.gamma = -1}(1))) == "ExponentialLr: gamma is -1; expected a finite number >= 0");
  CHECK(MESSAGE(ValueError, (CosineAnnealingLr{.T_max = 0}(1))) == "CosineAnnealingLr: T_max is 0; expected at least 1");
  CHECK(MESSAGE(ValueError, (CosineAnnealingWarmRestarts{.T_0 = 0}(1))) == "CosineAnnealingWarmRestarts: T_0 is 0; expected at least 1");
  CHECK(MESSAGE(ValueError, (CosineAnnealingWarmRestarts{.T_0 = 1, .T_mult = 0}(1))) == "CosineAnnealingWarmRestarts: T_mult is 0; expected at least 1");
  CHECK(MESSAGE(ValueError, (LambdaLr{}(1))) == "LambdaLr: lr_lambda is empty");
  CHECK(MESSAGE(ValueError, (MultiplicativeLr{}(1))) == "MultiplicativeLr: lr_lambda is empty");
  CHECK(MESSAGE(ValueError, (LinearLr{.start_factor = 0}(1))) == "LinearLr: start_factor is 0; expected a number in (0, 1]");
  CHECK(MESSAGE(ValueError, (LinearLr{.end_factor = 2}(1))) == "LinearLr: end_factor is 2; expected a number in [0, 1]");
  CHECK(MESSAGE(ValueError, (LinearLr{.total_iters = 0}(1))) == "LinearLr: total_iters is 0; expected at least 1");
  CHECK(MESSAGE(ValueError, (ConstantLr{.factor = -1}(1))) == "ConstantLr: factor is -1; expected a number in [0, 1]");
  CHECK(MESSAGE(ValueError, (ConstantLr{.total_iters = 0}(1))) == "ConstantLr: total_iters is 0; expected at least 1");
  CHECK(MESSAGE(ValueError, (PolynomialLr{.total_iters = 0}(1))) == "PolynomialLr: total_iters is 0; expected at least 1");
  CHECK(MESSAGE(ValueError, (PolynomialLr{.power = -1}(1))) == "PolynomialLr: power is -1; expected a finite number >= 0");
  const OneCycleLr cycle{.max_lr = 1, .total_steps = 10};
  CHECK(MESSAGE(ValueError, cycle(10)) == "OneCycleLr: step is 10; expected a step in [0, 10), the total_steps");
  CHECK(MESSAGE(ValueError, cycle.momentum(-1)) == "OneCycleLr: step is -1; expected a step in [0, 10), the total_steps");
  CHECK(MESSAGE(ValueError, (OneCycleLr{.max_lr = 1}(0))) == "OneCycleLr: total_steps is 0; expected at least 1");
  CHECK(MESSAGE(ValueError, (OneCycleLr{.max_lr = 1, .total_steps = 2, .pct_start = 2}(0))) == "OneCycleLr: pct_start is 2; expected a number in [0, 1]");
  CHECK(MESSAGE(ValueError, (OneCycleLr{.max_lr = 1, .total_steps = 2, .div_factor = 0}(0))) == "OneCycleLr: div_factor is 0; expected a finite number > 0");
  CHECK(MESSAGE(ValueError, (OneCycleLr{.max_lr = 1, .total_steps = 2, .final_div_factor = 0}(0))) == "OneCycleLr: final_div_factor is 0; expected a finite number > 0");
  CHECK(OneCycleLr{.max_lr = 1, .total_steps = 10, .pct_start = 0.1}(0) == 1);  // an up phase of one step
  CHECK(MESSAGE(ValueError, (CyclicLr{.step_size_up = 0}(1))) == "CyclicLr: step_size_up is 0; expected at least 1");
  CHECK(MESSAGE(ValueError, (CyclicLr{.step_size_down = -1}(1))) == "CyclicLr: step_size_down is -1; expected at least 1, or 0 for step_size_up");
  CHECK(MESSAGE(ValueError, (CyclicLr{.gamma = -1}(1))) == "CyclicLr: gamma is -1; expected a finite number >= 0");
  CHECK(MESSAGE(ValueError, (SwaLr{.anneal_epochs = -1}(1))) == "SwaLr: anneal_epochs is -1; expected at least 0");
  CHECK(MESSAGE(ValueError, (SequentialLr{{StepLr{.step_size = 1}}, {3}}(1))) == "SequentialLr: there are 1 schedules for 1 milestones; expected one schedule more");
  CHECK(MESSAGE(ValueError, (SequentialLr{{{}, {}, {}}, {3, 3}}(1))) == "SequentialLr: the milestones do not increase");
  CHECK(MESSAGE(ValueError, (SequentialLr{{{}, {}}, {3}}(4))) == "SequentialLr: schedule 1 is empty");
  CHECK(MESSAGE(ValueError, (ChainedScheduler{}(1))) == "ChainedScheduler: there are no schedules");
  CHECK(MESSAGE(ValueError, (ChainedScheduler{.schedules = {{}}}(1))) == "ChainedScheduler: a schedule is empty");

  const auto refusal = [](ReduceLrOnPlateauOptions o) { return message<ValueError>([&] { ReduceLrOnPlateau{o}; }); };
  CHECK(refusal({.base = -1}) == "ReduceLrOnPlateau: base is -1; expected a finite number >= 0");
  CHECK(refusal({.factor = 1}) == "ReduceLrOnPlateau: factor is 1; expected a number in [0, 1)");
  CHECK(refusal({.patience = -1}) == "ReduceLrOnPlateau: patience is -1; expected at least 0");
  CHECK(refusal({.threshold = -1}) == "ReduceLrOnPlateau: threshold is -1; expected a finite number >= 0");
  CHECK(refusal({.cooldown = -1}) == "ReduceLrOnPlateau: cooldown is -1; expected at least 0");
  CHECK(refusal({.min_lr = -1}) == "ReduceLrOnPlateau: min_lr is -1; expected a finite number >= 0");
  CHECK(refusal({.eps = NAN}) == "ReduceLrOnPlateau: eps is nan; expected a finite number >= 0");
}
