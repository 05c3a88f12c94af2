#include <rill/optim/sign.h>

#include "optim/rule.h"

namespace rill::optim {

template <> struct Rule<RpropOptions> {
  static constexpr const char* name = "Rprop";
  static void check(const RpropOptions& o) {
    const auto [minus, plus] = o.etas;
    const auto [smallest, largest] = o.step_sizes;
    rill::check<ValueError>(minus > 0 && minus < 1 && plus > 1 && std::isfinite(plus), name,
                            "etas are {} and {}; expected 0 < etas[0] < 1 < etas[1]", minus, plus);
    rill::check<ValueError>(smallest >= 0 && smallest <= largest && std::isfinite(largest), name,
                            "step_sizes are {} and {}; expected 0 <= step_sizes[0] <= step_sizes[1]", smallest, largest);
  }
  static void options(auto& visit, auto& o) {
    visit("etas", o.etas), visit("step_sizes", o.step_sizes), visit("maximize", o.maximize);
  }
  static NamedTensors slots(const RpropOptions&, const Tensor& p) { return {{"prev", slot(p)}, {"step_size", slot(p)}, {"step", counter()}}; }
  static void update(UpdateList& list, const RpropOptions& o, double lr, const Tensor& p, const Tensor& g, const NamedTensors& slots) {
    if (advance(slots[2].second) == 1) slots[1].second.fill_(lr);
    list.add(fn::RpropUpdate{{.negate = o.maximize}, o.etas[0], o.etas[1], o.step_sizes[0], o.step_sizes[1]}, p, g, slots[0].second, slots[1].second);
  }
};
template class GroupedOptimizer<RpropOptions>;

template <> struct Rule<LionOptions> {
  static constexpr const char* name = "Lion";
  static void check(const LionOptions& o) {
    check_below_one(name, "betas[0]", o.betas[0]);
    check_below_one(name, "betas[1]", o.betas[1]);
    check_at_least(name, "weight_decay", o.weight_decay, 0);
  }
  static void options(auto& visit, auto& o) {
    visit("betas", o.betas), visit("weight_decay", o.weight_decay), visit("maximize", o.maximize);
  }
  static NamedTensors slots(const LionOptions&, const Tensor& p) { return {{"exp_avg", slot(p)}}; }
  static void update(UpdateList& list, const LionOptions& o, double lr, const Tensor& p, const Tensor& g, const NamedTensors& slots) {
    list.add(fn::LionUpdate{prologue(lr, o.weight_decay, true, o.maximize), lr, o.betas[0], o.betas[1]}, p, g, slots[0].second);
  }
  static double* momentum(LionOptions& o) { return &o.betas[0]; }
};
template class GroupedOptimizer<LionOptions>;

}  // namespace rill::optim
