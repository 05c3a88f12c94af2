#include <rill/optim/lr_scheduler.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "optim/hyper.h"

namespace rill::optim {
namespace {

void check_step(const char* op, std::int64_t step) { check<ValueError>(step >= 0, op, "step is {}; expected step >= 0", step); }
void check_count(const char* op, const char* name, std::int64_t value) {
  check<ValueError>(value >= 1, op, "{} is {}; expected at least 1", name, value);
}
/// a / b, 1 from a = b on.
double share(std::int64_t a, std::int64_t b) { return static_cast<double>(std::min(a, b)) / static_cast<double>(b); }

/// From `start` to `end` as `share` goes from 0 to 1.
double anneal(AnnealStrategy how, double start, double end, double share) {
  const double done = how == AnnealStrategy::linear ? share : (1 - std::cos(std::numbers::pi * share)) / 2;
  return start + (end - start) * done;
}

}  // namespace

double StepLr::operator()(std::int64_t step) const {
  check_step("StepLr", step);
  check_count("StepLr", "step_size", step_size);
  check_at_least("StepLr", "gamma", gamma, 0);
  return base * std::pow(gamma, static_cast<double>(step / step_size));
}
double MultiStepLr::operator()(std::int64_t step) const {
  check_step("MultiStepLr", step);
  check_at_least("MultiStepLr", "gamma", gamma, 0);
  const auto passed = std::count_if(milestones.begin(), milestones.end(), [&](std::int64_t m) { return m <= step; });
  return base * std::pow(gamma, static_cast<double>(passed));
}
double ExponentialLr::operator()(std::int64_t step) const {
  check_step("ExponentialLr", step);
  check_at_least("ExponentialLr", "gamma", gamma, 0);
  return base * std::pow(gamma, static_cast<double>(step));
}
double CosineAnnealingLr::operator()(std::int64_t step) const {
  check_step("CosineAnnealingLr", step);
  check_count("CosineAnnealingLr", "T_max", T_max);
  return anneal(AnnealStrategy::cos, base, eta_min, static_cast<double>(step) / static_cast<double>(T_max));
}
double CosineAnnealingWarmRestarts::operator()(std::int64_t step) const {
  const char* op = "CosineAnnealingWarmRestarts";
  check_step(op, step);
  check_count(op, "T_0", T_0);
  check_count(op, "T_mult", T_mult);
  std::int64_t length = T_0;
  if (T_mult == 1) step %= T_0;
  else for (; step >= length; length *= T_mult) step -= length;  // no overflow: length stays below T_mult * step
  return anneal(AnnealStrategy::cos, base, eta_min, static_cast<double>(step) / static_cast<double>(length));
}
double LambdaLr::operator()(std::int64_t step) const {
  check_step("LambdaLr", step);
  check<ValueError>(lr_lambda != nullptr, "LambdaLr", "lr_lambda is empty");
  return base * lr_lambda(step);
}
double MultiplicativeLr::operator()(std::int64_t step) const {
  check_step("MultiplicativeLr", step);
  check<ValueError>(lr_lambda != nullptr, "MultiplicativeLr", "lr_lambda is empty");
  double lr = base;
  for (std::int64_t k = 1; k <= step; ++k) lr *= lr_lambda(k);
  return lr;
}
double LinearLr::operator()(std::int64_t step) const {
  check_step("LinearLr", step);
  check_count("LinearLr", "total_iters", total_iters);
  check<ValueError>(start_factor > 0 && start_factor <= 1, "LinearLr", "start_factor is {}; expected a number in (0, 1]", start_factor);
  check_share("LinearLr", "end_factor", end_factor);
  return base * anneal(AnnealStrategy::linear, start_factor, end_factor, share(step, total_iters));
}
double ConstantLr::operator()(std::int64_t step) const {
  check_step("ConstantLr", step);
  check_count("ConstantLr", "total_iters", total_iters);
  check_share("ConstantLr", "factor", factor);
  return step < total_iters ? base * factor : base;
}
double PolynomialLr::operator()(std::int64_t step) const {
  check_step("PolynomialLr", step);
  check_count("PolynomialLr", "total_iters", total_iters);
  check_at_least("PolynomialLr", "power", power, 0);
  return base * std::pow(1 - share(step, total_iters), power);
}

// ---- cycles -----------------------------------------------------------------------------------------------------------------

namespace {
/// The value at `step` on the way first -> top -> first (three phases only) -> last.
double one_cycle(const OneCycleLr& c, std::int64_t step, double first, double top, double last) {
  const char* op = "OneCycleLr";
  check_count(op, "total_steps", c.total_steps);
  check<ValueError>(step >= 0 && step < c.total_steps, op, "step is {}; expected a step in [0, {}), the total_steps", step, c.total_steps);
  check_share(op, "pct_start", c.pct_start);
  check_above(op, "div_factor", c.div_factor, 0);
  check_above(op, "final_div_factor", c.final_div_factor, 0);
  const double at = static_cast<double>(step), up = c.pct_start * static_cast<double>(c.total_steps), end = static_cast<double>(c.total_steps - 1);
  const auto part = [&](double begin, double stop, double from, double to) {
    return anneal(c.anneal_strategy, from, to, stop > begin ? (at - begin) / (stop - begin) : 1);
  };
  if (at <= up - 1) return part(0, up - 1, first, top);
  if (!c.three_phase) return part(up - 1, end, top, last);
  if (at <= 2 * up - 2) return part(up - 1, 2 * up - 2, top, first);
  return part(2 * up - 2, end, first, last);
}
}  // namespace

double OneCycleLr::operator()(std::int64_t step) const {
  const double first = max_lr / div_factor;
  return one_cycle(*this, step, first, max_lr, first / final_div_factor);
}
double OneCycleLr::momentum(std::int64_t step) const { return one_cycle(*this, step, max_momentum, base_momentum, max_momentum); }

namespace {
/// How far from the base towards the top, with the height of the present triangle.
double cyclic(const CyclicLr& c, std::int64_t step) {
  const char* op = "CyclicLr";
  check_step(op, step);
  check_count(op, "step_size_up", c.step_size_up);
  check<ValueError>(c.step_size_down >= 0, op, "step_size_down is {}; expected at least 1, or 0 for step_size_up", c.step_size_down);
  check_at_least(op, "gamma", c.gamma, 0);
  const std::int64_t up = c.step_size_up, down = c.step_size_down ? c.step_size_down : up, cycle = step / (up + down), at = step % (up + down);
  const double scale = at <= up ? share(at, up) : share(up + down - at, down);
  if (c.mode == CyclicMode::triangular2) return scale / std::pow(2.0, static_cast<double>(cycle));
  if (c.mode == CyclicMode::exp_range) return scale * std::pow(c.gamma, static_cast<double>(step));
  return scale;
}
}  // namespace

double CyclicLr::operator()(std::int64_t step) const { return base_lr + (max_lr - base_lr) * cyclic(*this, step); }
double CyclicLr::momentum(std::int64_t step) const { return max_momentum - (max_momentum - base_momentum) * cyclic(*this, step); }

double SwaLr::operator()(std::int64_t step) const {
  check_step("SwaLr", step);
  check<ValueError>(anneal_epochs >= 0, "SwaLr", "anneal_epochs is {}; expected at least 0", anneal_epochs);
  return anneal_epochs == 0 ? swa_lr : anneal(anneal_strategy, base, swa_lr, share(step, anneal_epochs));
}

// ---- combinations -------------------------------------------------------------------------------------------------------------

double SequentialLr::operator()(std::int64_t step) const {
  const char* op = "SequentialLr";
  check_step(op, step);
  check<ValueError>(schedules.size() == milestones.size() + 1, op, "there are {} schedules for {} milestones; expected one schedule more", schedules.size(),
                    milestones.size());
  check<ValueError>(std::adjacent_find(milestones.begin(), milestones.end(), std::greater_equal<>()) == milestones.end(), op, "the milestones do not increase");
  const auto k = static_cast<std::size_t>(std::upper_bound(milestones.begin(), milestones.end(), step) - milestones.begin());
  check<ValueError>(schedules[k] != nullptr, op, "schedule {} is empty", k);
  return schedules[k](k == 0 ? step : step - milestones[k - 1]);
}
double ChainedScheduler::operator()(std::int64_t step) const {
  check_step("ChainedScheduler", step);
  check<ValueError>(!schedules.empty(), "ChainedScheduler", "there are no schedules");
  double lr = base;
  for (const Schedule& s : schedules) {
    check<ValueError>(s != nullptr, "ChainedScheduler", "a schedule is empty");
    lr *= s(step);
  }
  return lr;
}

}  // namespace rill::optim
