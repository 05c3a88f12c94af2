// How a method becomes an optimizer: it specialises Rule for its options and instantiates GroupedOptimizer.
#pragma once

#include <cmath>

#include <rill/optim/optimizer.h>

#include "lib/core/op_range.h"
#include "optim/hyper.h"
#include "optim/state.h"
#include "optim/state_dict.h"
#include "optim/update_list.h"

namespace rill::optim {

/// What a method says about itself:
///   static constexpr const char* name;                                     in messages
///   static void check(const Options&);                                     throws ValueError
///   static NamedTensors slots(const Options&, const Tensor& p);            what it remembers about p, at the start
///   static void update(UpdateList&, const Options&, double lr, const Tensor& p, const Tensor& g, const NamedTensors& slots);
///   static void options(auto& visit, auto& o);                             visit("name", o.name) for every option but lr
///   static double* momentum(Options&);                                     what set_momentum changes; left out: there is none
///   static constexpr bool starts_with_state;                               PyTorch makes the state at construction, not at the first update
///   static constexpr bool counts_for_itself;                               PyTorch's state has no "step": one that is missing is 1
template <class Options> struct Rule;

/// A state array in the layout of p; float32 where p has 16 bits.
Tensor slot(const Tensor& p, double value = 0);
/// 1 - beta^t.
inline double correction(double beta, double t) { return 1 - std::pow(beta, t); }
/// The terms that come before every rule. `decoupled`: decay is no part of the gradient.
inline fn::Prologue prologue(double lr, double weight_decay, bool decoupled, bool maximize) {
  return {.negate = maximize, .l2 = decoupled ? 0 : weight_decay, .keep = decoupled ? 1 - lr * weight_decay : 1};
}

template <class Options>
GroupedOptimizer<Options>::GroupedOptimizer(NamedTensors parameters, Options options) : GroupedOptimizer({Group{std::move(parameters), options}}) {}
template <class Options>
GroupedOptimizer<Options>::GroupedOptimizer(const std::vector<Tensor>& parameters, Options options) : GroupedOptimizer(numbered(parameters), options) {}
template <class Options> GroupedOptimizer<Options>::GroupedOptimizer(std::initializer_list<Group> groups) : Optimizer(Rule<Options>::name) {
  for (const Group& g : groups) add_group(g.parameters, g.options);
  check_not_empty();
}
template <class Options> void GroupedOptimizer<Options>::add_group(const NamedTensors& parameters, Options options) {
  check_at_least(name_, "lr", options.lr, 0);
  Rule<Options>::check(options);
  options_.reserve(options_.size() + 1);
  add_parameters(parameters, options.lr, [&](const Tensor& p) { return Rule<Options>::slots(options, p); });
  options_.push_back(options);
}
template <class Options> Options GroupedOptimizer<Options>::options(std::size_t group) const {
  const double now = lr(group);
  Options o = options_[group];
  o.lr = now;
  return o;
}
template <class Options> void GroupedOptimizer<Options>::step() {
  const OpRange here(Rule<Options>::name);
  if (!current_capture) return update([](const Tensor& p, std::size_t) { return p.grad(); });
  std::vector<Tensor> gradients;  // those of the captured step: each replay writes them again
  for (const auto& entry : parameters_) gradients.push_back(entry.second.grad());
  current_capture->repeat([this, gradients] { update([&](const Tensor&, std::size_t i) { return gradients[i]; }); });
}
template <class Options> template <class Gradient> void GroupedOptimizer<Options>::update(const Gradient& gradient) {
  UpdateList list;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& p = parameters_[i].second;
    if (const Tensor g = gradient(p, i); g.defined()) Rule<Options>::update(list, options_[group_of_[i]], lr(group_of_[i]), p, g, slots_[i]);
  }
  list.run();
}
template <class Options> void GroupedOptimizer<Options>::set_momentum(double momentum) {
  if constexpr (requires(Options& o) { Rule<Options>::momentum(o); }) {
    check_above("set_momentum", "momentum", momentum, 0);
    auto changed = options_;
    for (Options& o : changed) {
      double& m = *Rule<Options>::momentum(o);
      check<FailedPrecondition>(m > 0, "set_momentum", "{} was made without momentum; give its options a momentum above 0", name_);
      m = momentum;
      Rule<Options>::check(o);
    }
    options_ = std::move(changed);
  } else {
    fail<FailedPrecondition>("set_momentum", "{} has no momentum", name_);
  }
}

template <class Options> StateDict GroupedOptimizer<Options>::state_dict() const {
  GroupWriter groups;
  StateDict saved;
  for (std::size_t g = 0, i = 0; g < rates_.size(); ++g) {
    groups.begin(rates_[g].now, rates_[g].given);
    Rule<Options>::options(groups, options_[g]);
    std::vector<std::string> names;
    for (; i < parameters_.size() && group_of_[i] == g; ++i) names.push_back(parameters_[i].first);
    groups.end(names);
  }
  saved.param_groups = groups.text();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Tensor step = find(slots_[i], "step");
    if (step.defined() && count(step) == 0 && !requires { Rule<Options>::starts_with_state; }) continue;
    for (const auto& [slot, value] : slots_[i]) saved.state.emplace_back(fmt::format("{}.{}", i, slot), slot == "step" ? value.to(float32) : value);
  }
  return saved;
}
template <class Options> void GroupedOptimizer<Options>::load_state_dict(const StateDict& saved) {
  std::vector<std::size_t> sizes(rates_.size());
  for (const std::size_t g : group_of_) ++sizes[g];
  GroupReader groups(name_, saved.param_groups, sizes);
  auto options = options_;
  auto rates = rates_;
  for (std::size_t g = 0; g < options.size(); ++g) {
    groups.begin(rates[g].now, rates[g].given);
    Rule<Options>::options(groups, options[g]);
    groups.end();
  }
  groups.finish();
  for (std::size_t g = 0; g < options.size(); ++g) {
    check_at_least(name_, "lr", rates[g].now, 0);
    check_at_least(name_, "initial_lr", rates[g].given, 0);
    options[g].lr = rates[g].now;
    Rule<Options>::check(options[g]);
  }
  std::vector<NamedTensors> slots;
  for (std::size_t i = 0; i < parameters_.size(); ++i) slots.push_back(Rule<Options>::slots(options[group_of_[i]], parameters_[i].second));
  fill_slots(slots, parameters_, groups.by_parameter(saved.state, parameters_), requires { Rule<Options>::counts_for_itself; } ? 1 : 0);
  options_ = std::move(options);
  rates_ = std::move(rates);
  slots_ = std::move(slots);
}

}  // namespace rill::optim
