#include <rill/optim/schedule_free.h>

#include <algorithm>
#include <cmath>

#include "optim/rule.h"

namespace rill::optim {
namespace {

double beta(const ScheduleFreeSgdOptions& o) { return o.momentum; }
double beta(const ScheduleFreeAdamWOptions& o) { return o.betas[0]; }

template <class O> void check_points(const char* name, const char* beta_name, const O& o) {
  check_above(name, beta_name, beta(o), 0);
  check_below_one(name, beta_name, beta(o));
  check_at_least(name, "weight_decay", o.weight_decay, 0);
  check<ValueError>(o.warmup_steps >= 0, name, "warmup_steps is {}; expected at least 0", o.warmup_steps);
  check_at_least(name, "r", o.r, 0);
  check_at_least(name, "weight_lr_power", o.weight_lr_power, 0);
}

/// What all methods remember, in the first places.
enum Slot : std::size_t { kZ, kStep, kWeightSum, kLrMax, kSquares };
NamedTensors common_slots(const Tensor& p) { return {{"z", slot(p)}, {"step", counter()}, {"weight_sum", number(0)}, {"lr_max", number(0)}}; }

/// The constants of the update that begins now.
template <class O> fn::ScheduleFreeStep next(const O& o, double lr, const Tensor& p, const NamedTensors& slots) {
  const auto t = static_cast<double>(advance(slots[kStep].second));
  if (t == 1) {
    const NoGrad off;
    slots[kZ].second.copy_(p.detach());
  }
  const double rate = lr * std::min(1.0, t / static_cast<double>(std::max<std::int64_t>(o.warmup_steps, 1)));
  const double largest = set(slots[kLrMax].second, std::max(rate, value(slots[kLrMax].second)));
  const double weight = std::pow(t, o.r) * std::pow(largest, o.weight_lr_power), sum = set(slots[kWeightSum].second, value(slots[kWeightSum].second) + weight);
  const double share = sum > 0 ? weight / sum : 0;
  return {rate, share, rate * (beta(o) * (1 - share) - 1)};
}

}  // namespace

template <> struct Rule<ScheduleFreeSgdOptions> {
  static constexpr const char* name = "ScheduleFreeSgd";
  static void check(const ScheduleFreeSgdOptions& o) { check_points(name, "momentum", o); }
  static void options(auto& visit, auto& o) {
    visit("momentum", o.momentum), visit("weight_decay", o.weight_decay), visit("warmup_steps", o.warmup_steps), visit("r", o.r),
        visit("weight_lr_power", o.weight_lr_power), visit("maximize", o.maximize);
  }
  static NamedTensors slots(const ScheduleFreeSgdOptions&, const Tensor& p) { return common_slots(p); }
  static void update(UpdateList& list, const ScheduleFreeSgdOptions& o, double lr, const Tensor& p, const Tensor& g, const NamedTensors& slots) {
    const fn::ScheduleFreeStep step = next(o, lr, p, slots);
    list.add(fn::ScheduleFreeSgdUpdate{prologue(lr, o.weight_decay, false, o.maximize), step}, p, g, slots[kZ].second);
  }
};
template <> struct Rule<ScheduleFreeAdamWOptions> {
  static constexpr const char* name = "ScheduleFreeAdamW";
  static void check(const ScheduleFreeAdamWOptions& o) {
    check_points(name, "betas[0]", o);
    check_below_one(name, "betas[1]", o.betas[1]);
    check_at_least(name, "eps", o.eps, 0);
  }
  static void options(auto& visit, auto& o) {
    visit("betas", o.betas), visit("eps", o.eps), visit("weight_decay", o.weight_decay), visit("warmup_steps", o.warmup_steps), visit("r", o.r),
        visit("weight_lr_power", o.weight_lr_power), visit("maximize", o.maximize);
  }
  static NamedTensors slots(const ScheduleFreeAdamWOptions&, const Tensor& p) {
    NamedTensors list = common_slots(p);
    list.emplace_back("exp_avg_sq", slot(p));
    return list;
  }
  static void update(UpdateList& list, const ScheduleFreeAdamWOptions& o, double lr, const Tensor& p, const Tensor& g, const NamedTensors& slots) {
    const fn::ScheduleFreeStep step = next(o, lr, p, slots);
    const double on_root = 1 / std::sqrt(correction(o.betas[1], static_cast<double>(count(slots[kStep].second))));
    list.add(fn::ScheduleFreeAdamWUpdate{o.maximize, step, o.betas[1], on_root, o.eps, o.weight_decay}, p, g, slots[kZ].second, slots[kSquares].second);
  }
};

template <class Options> void ScheduleFree<Options>::step() {
  check<FailedPrecondition>(trained_.empty(), Rule<Options>::name, "the parameters hold the averages; end the scope of swap_in() before the next step");
  GroupedOptimizer<Options>::step();
}
template <class Options> void ScheduleFree<Options>::set_momentum(double) { fail<FailedPrecondition>("set_momentum", "{} needs one beta for all steps", Rule<Options>::name); }
template <class Options> void ScheduleFree<Options>::swap_in_averages() {
  check<FailedPrecondition>(trained_.empty(), "swap_in", "the averages are in the parameters already; end the first scope before");
  std::vector<Tensor> trained;
  for (const auto& entry : this->parameters_) trained.push_back(entry.second.detach().clone());
  UpdateList list;
  for (std::size_t i = 0; i < trained.size(); ++i) {
    const NamedTensors& slots = this->slots_[i];
    if (count(slots[kStep].second) == 0) continue;  // all three are the same point
    list.add(fn::ApproachUpdate{1 - 1 / beta(this->options(this->group_of_[i]))}, this->parameters_[i].second, slots[kZ].second);  // x = y + (1 - 1 / beta) (z - y)
  }
  list.run();
  trained_ = std::move(trained);
}
template <class Options> void ScheduleFree<Options>::swap_out() noexcept {
  const NoGrad off;
  for (std::size_t i = 0; i < trained_.size(); ++i) this->parameters_[i].second.copy_(trained_[i]);
  trained_.clear();
}

template class GroupedOptimizer<ScheduleFreeSgdOptions>;
template class GroupedOptimizer<ScheduleFreeAdamWOptions>;
template class ScheduleFree<ScheduleFreeSgdOptions>;
template class ScheduleFree<ScheduleFreeAdamWOptions>;

}  // namespace rill::optim
