#include <rill/optim/sgd.h>

#include "optim/rule.h"

namespace rill::optim {

template <> struct Rule<SgdOptions> {
  static constexpr const char* name = "Sgd";
  static constexpr bool counts_for_itself = true;
  static void check(const SgdOptions& o) {
    check_at_least(name, "momentum", o.momentum, 0);
    check_at_least(name, "weight_decay", o.weight_decay, 0);
    check_share(name, "dampening", o.dampening);
    rill::check<ValueError>(!o.nesterov || (o.momentum > 0 && o.dampening == 0), name, "nesterov needs momentum > 0 and dampening 0, they are {} and {}",
                            o.momentum, o.dampening);
  }
  static void options(auto& visit, auto& o) {
    visit("momentum", o.momentum), visit("dampening", o.dampening), visit("weight_decay", o.weight_decay), visit("nesterov", o.nesterov),
        visit("maximize", o.maximize), visit("decoupled_weight_decay", o.decoupled_weight_decay);
  }
  static NamedTensors slots(const SgdOptions& o, const Tensor& p) {
    NamedTensors list;
    if (o.momentum > 0) list.emplace_back("momentum_buffer", slot(p));
    if (o.momentum > 0 && o.dampening > 0) list.emplace_back("step", counter());
    return list;
  }
  static void update(UpdateList& list, const SgdOptions& o, double lr, const Tensor& p, const Tensor& g, const NamedTensors& slots) {
    const fn::Prologue first = prologue(lr, o.weight_decay, o.decoupled_weight_decay, o.maximize);
    if (o.momentum == 0) return list.add(fn::SgdUpdate{first, lr}, p, g);
    const double inflow = o.dampening > 0 && advance(slots[1].second) > 1 ? 1 - o.dampening : 1;
    list.add(fn::MomentumUpdate{first, lr, o.momentum, inflow, o.nesterov}, p, g, slots[0].second);
  }
  static double* momentum(SgdOptions& o) { return &o.momentum; }
};
template class GroupedOptimizer<SgdOptions>;

}  // namespace rill::optim
