#include <rill/optim/proximal.h>

#include "optim/rule.h"

namespace rill::optim {
namespace {

template <class O> void check_penalties(const char* name, const O& o) {
  check_at_least(name, "l1", o.l1, 0);
  check_at_least(name, "l2", o.l2, 0);
}

}  // namespace

template <> struct Rule<ProximalSgdOptions> {
  static constexpr const char* name = "ProximalSgd";
  static void check(const ProximalSgdOptions& o) { check_penalties(name, o); }
  static void options(auto& visit, auto& o) {
    visit("l1", o.l1), visit("l2", o.l2);
  }
  static NamedTensors slots(const ProximalSgdOptions&, const Tensor&) { return {}; }
  static void update(UpdateList& list, const ProximalSgdOptions& o, double lr, const Tensor& p, const Tensor& g, const NamedTensors&) {
    list.add(fn::ProximalSgdUpdate{lr, o.l1, o.l2}, p, g);
  }
};
template class GroupedOptimizer<ProximalSgdOptions>;

template <> struct Rule<ProximalAdagradOptions> {
  static constexpr const char* name = "ProximalAdagrad";
  static void check(const ProximalAdagradOptions& o) {
    check_above(name, "initial_accumulator_value", o.initial_accumulator_value, 0);
    check_penalties(name, o);
  }
  static void options(auto& visit, auto& o) {
    visit("initial_accumulator_value", o.initial_accumulator_value), visit("l1", o.l1), visit("l2", o.l2);
  }
  static NamedTensors slots(const ProximalAdagradOptions& o, const Tensor& p) { return {{"sum", slot(p, o.initial_accumulator_value)}}; }
  static void update(UpdateList& list, const ProximalAdagradOptions& o, double lr, const Tensor& p, const Tensor& g, const NamedTensors& slots) {
    list.add(fn::ProximalAdagradUpdate{lr, o.l1, o.l2}, p, g, slots[0].second);
  }
};
template class GroupedOptimizer<ProximalAdagradOptions>;

template <> struct Rule<AdagradDaOptions> {
  static constexpr const char* name = "AdagradDa";
  static void check(const AdagradDaOptions& o) {
    check_above(name, "initial_gradient_squared_accumulator_value", o.initial_gradient_squared_accumulator_value, 0);
    check_penalties(name, o);
  }
  static void options(auto& visit, auto& o) {
    visit("initial_gradient_squared_accumulator_value", o.initial_gradient_squared_accumulator_value), visit("l1", o.l1), visit("l2", o.l2);
  }
  static NamedTensors slots(const AdagradDaOptions& o, const Tensor& p) {
    return {{"gradient_accumulator", slot(p)}, {"gradient_squared_accumulator", slot(p, o.initial_gradient_squared_accumulator_value)}, {"step", counter()}};
  }
  static void update(UpdateList& list, const AdagradDaOptions& o, double lr, const Tensor& p, const Tensor& g, const NamedTensors& slots) {
    const auto t = static_cast<double>(advance(slots[2].second));
    list.add(fn::AdagradDaUpdate{lr, o.l1 * t, o.l2 * t}, p, g, slots[0].second, slots[1].second);
  }
};
template class GroupedOptimizer<AdagradDaOptions>;

template <> struct Rule<FtrlOptions> {
  static constexpr const char* name = "Ftrl";
  static void check(const FtrlOptions& o) {
    check_above(name, "lr", o.lr, 0);
    rill::check<ValueError>(std::isfinite(o.lr_power) && o.lr_power <= 0, name, "lr_power is {}; expected a finite number <= 0", o.lr_power);
    check_at_least(name, "initial_accumulator_value", o.initial_accumulator_value, 0);
    check_penalties(name, o);
    check_at_least(name, "l2_shrinkage", o.l2_shrinkage, 0);
  }
  static void options(auto& visit, auto& o) {
    visit("lr_power", o.lr_power), visit("initial_accumulator_value", o.initial_accumulator_value), visit("l1", o.l1), visit("l2", o.l2),
        visit("l2_shrinkage", o.l2_shrinkage);
  }
  static NamedTensors slots(const FtrlOptions& o, const Tensor& p) { return {{"accum", slot(p, o.initial_accumulator_value)}, {"linear", slot(p)}}; }
  static void update(UpdateList& list, const FtrlOptions& o, double lr, const Tensor& p, const Tensor& g, const NamedTensors& slots) {
    rill::check<ValueError>(lr > 0, name, "lr is 0; expected a number > 0, since the rule divides by it");
    list.add(fn::FtrlUpdate{lr, o.lr_power, o.l1, o.l2, o.l2_shrinkage}, p, g, slots[0].second, slots[1].second);
  }
};
template class GroupedOptimizer<FtrlOptions>;

}  // namespace rill::optim
