#include <rill/optim/rms_prop.h>

#include "optim/rule.h"

namespace rill::optim {

template <> struct Rule<RmsPropOptions> {
  static constexpr const char* name = "RmsProp";
  static void check(const RmsPropOptions& o) {
    check_share(name, "alpha", o.alpha);
    check_at_least(name, "eps", o.eps, 0);
    check_at_least(name, "weight_decay", o.weight_decay, 0);
    check_at_least(name, "momentum", o.momentum, 0);
    check_at_least(name, "initial_mean_square", o.initial_mean_square, 0);
  }
  static void options(auto& visit, auto& o) {
    visit("alpha", o.alpha), visit("eps", o.eps), visit("weight_decay", o.weight_decay), visit("momentum", o.momentum), visit("centered", o.centered),
        visit("maximize", o.maximize), visit("initial_mean_square", o.initial_mean_square), visit("eps_inside_root", o.eps_inside_root),
        visit("lr_in_buffer", o.lr_in_buffer);
  }
  static NamedTensors slots(const RmsPropOptions& o, const Tensor& p) {
    NamedTensors list{{"square_avg", slot(p, o.initial_mean_square)}};
    if (o.centered) list.emplace_back("grad_avg", slot(p));
    if (o.momentum > 0) list.emplace_back("momentum_buffer", slot(p));
    list.emplace_back("step", counter());
    return list;
  }
  template <bool centered, bool with_momentum> static auto update_of(const RmsPropOptions& o, double lr) {
    return fn::RmsPropUpdate<centered, with_momentum>{prologue(lr, o.weight_decay, false, o.maximize), o.alpha, o.eps, o.momentum,
                                                      o.lr_in_buffer ? lr : 1, o.lr_in_buffer ? 1 : lr, o.eps_inside_root};
  }
  static void update(UpdateList& list, const RmsPropOptions& o, double lr, const Tensor& p, const Tensor& g, const NamedTensors& s) {
    advance(s.back().second);
    if (o.centered && o.momentum > 0) list.add(update_of<true, true>(o, lr), p, g, s[0].second, s[1].second, s[2].second);
    else if (o.centered) list.add(update_of<true, false>(o, lr), p, g, s[0].second, s[1].second);
    else if (o.momentum > 0) list.add(update_of<false, true>(o, lr), p, g, s[0].second, s[1].second);
    else list.add(update_of<false, false>(o, lr), p, g, s[0].second);
  }
  static double* momentum(RmsPropOptions& o) { return &o.momentum; }
};
template class GroupedOptimizer<RmsPropOptions>;

}  // namespace rill::optim
