#include <rill/optim/adagrad.h>

#include "optim/rule.h"

namespace rill::optim {

template <> struct Rule<AdagradOptions> {
  static constexpr const char* name = "Adagrad";
  static constexpr bool starts_with_state = true;
  static void check(const AdagradOptions& o) {
    check_at_least(name, "lr_decay", o.lr_decay, 0);
    check_at_least(name, "weight_decay", o.weight_decay, 0);
    check_at_least(name, "initial_accumulator_value", o.initial_accumulator_value, 0);
    check_at_least(name, "eps", o.eps, 0);
  }
  static void options(auto& visit, auto& o) {
    visit("lr_decay", o.lr_decay), visit("weight_decay", o.weight_decay), visit("initial_accumulator_value", o.initial_accumulator_value),
        visit("eps", o.eps), visit("maximize", o.maximize);
  }
  static NamedTensors slots(const AdagradOptions& o, const Tensor& p) { return {{"sum", slot(p, o.initial_accumulator_value)}, {"step", counter()}}; }
  static void update(UpdateList& list, const AdagradOptions& o, double lr, const Tensor& p, const Tensor& g, const NamedTensors& slots) {
    const double rate = lr / (1 + static_cast<double>(advance(slots[1].second) - 1) * o.lr_decay);
    list.add(fn::AdagradUpdate{prologue(lr, o.weight_decay, false, o.maximize), rate, o.eps}, p, g, slots[0].second);
  }
};
template class GroupedOptimizer<AdagradOptions>;

template <> struct Rule<AdadeltaOptions> {
  static constexpr const char* name = "Adadelta";
  static void check(const AdadeltaOptions& o) {
    check_share(name, "rho", o.rho);
    check_at_least(name, "eps", o.eps, 0);
    check_at_least(name, "weight_decay", o.weight_decay, 0);
  }
  static void options(auto& visit, auto& o) {
    visit("rho", o.rho), visit("eps", o.eps), visit("weight_decay", o.weight_decay), visit("maximize", o.maximize);
  }
  static NamedTensors slots(const AdadeltaOptions&, const Tensor& p) { return {{"square_avg", slot(p)}, {"acc_delta", slot(p)}, {"step", counter()}}; }
  static void update(UpdateList& list, const AdadeltaOptions& o, double lr, const Tensor& p, const Tensor& g, const NamedTensors& slots) {
    advance(slots[2].second);
    list.add(fn::AdadeltaUpdate{prologue(lr, o.weight_decay, false, o.maximize), lr, o.rho, o.eps}, p, g, slots[0].second, slots[1].second);
  }
};
template class GroupedOptimizer<AdadeltaOptions>;

}  // namespace rill::optim
