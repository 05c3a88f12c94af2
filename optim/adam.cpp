#include <rill/optim/adam.h>

#include <cmath>

#include "optim/rule.h"

namespace rill::optim {
namespace {

template <class O> void check_common(const char* name, const O& o) {
  check_below_one(name, "betas[0]", o.betas[0]);
  check_below_one(name, "betas[1]", o.betas[1]);
  check_at_least(name, "eps", o.eps, 0);
  check_at_least(name, "weight_decay", o.weight_decay, 0);
}
NamedTensors moments(const Tensor& p, const char* second = "exp_avg_sq") { return {{"exp_avg", slot(p)}, {second, slot(p)}, {"step", counter()}}; }

NamedTensors adam_slots(bool amsgrad, const Tensor& p) {
  NamedTensors list = moments(p);
  if (amsgrad) list.emplace_back("max_exp_avg_sq", slot(p));
  return list;
}
template <class O>
void adam_update(UpdateList& list, const O& o, const fn::Prologue& first, bool eps_hat, double lr, const Tensor& p, const Tensor& g, const NamedTensors& slots) {
  const auto t = static_cast<double>(advance(slots[2].second));
  const double c1 = correction(o.betas[0], t), root = std::sqrt(correction(o.betas[1], t));
  const double on_m = eps_hat ? lr * root / c1 : lr / c1, on_root = eps_hat ? 1 : 1 / root;
  const Tensor &m = slots[0].second, &v = slots[1].second;
  if (o.amsgrad) list.add(fn::AmsgradUpdate{first, o.betas[0], o.betas[1], 0, on_m, on_root, o.eps}, p, g, m, v, slots[3].second);
  else list.add(fn::AdamUpdate{first, o.betas[0], o.betas[1], 0, on_m, on_root, o.eps}, p, g, m, v);
}

}  // namespace

template <> struct Rule<AdamOptions> {
  static constexpr const char* name = "Adam";
  static void check(const AdamOptions& o) { check_common(name, o); }
  static void options(auto& visit, auto& o) {
    visit("betas", o.betas), visit("eps", o.eps), visit("weight_decay", o.weight_decay), visit("amsgrad", o.amsgrad), visit("maximize", o.maximize),
        visit("decoupled_weight_decay", o.decoupled_weight_decay), visit("eps_hat", o.eps_hat);
  }
  static NamedTensors slots(const AdamOptions& o, const Tensor& p) { return adam_slots(o.amsgrad, p); }
  static void update(UpdateList& list, const AdamOptions& o, double lr, const Tensor& p, const Tensor& g, const NamedTensors& slots) {
    adam_update(list, o, prologue(lr, o.weight_decay, o.decoupled_weight_decay, o.maximize), o.eps_hat, lr, p, g, slots);
  }
  static double* momentum(AdamOptions& o) { return &o.betas[0]; }
};
template class GroupedOptimizer<AdamOptions>;

template <> struct Rule<AdamWOptions> {
  static constexpr const char* name = "AdamW";
  static void check(const AdamWOptions& o) { check_common(name, o); }
  static void options(auto& visit, auto& o) {
    visit("betas", o.betas), visit("eps", o.eps), visit("weight_decay", o.weight_decay), visit("amsgrad", o.amsgrad), visit("maximize", o.maximize),
        visit.fixed("decoupled_weight_decay", true);
  }
  static NamedTensors slots(const AdamWOptions& o, const Tensor& p) { return adam_slots(o.amsgrad, p); }
  static void update(UpdateList& list, const AdamWOptions& o, double lr, const Tensor& p, const Tensor& g, const NamedTensors& slots) {
    adam_update(list, o, prologue(lr, o.weight_decay, true, o.maximize), false, lr, p, g, slots);
  }
  static double* momentum(AdamWOptions& o) { return &o.betas[0]; }
};
template class GroupedOptimizer<AdamWOptions>;

template <> struct Rule<AdamaxOptions> {
  static constexpr const char* name = "Adamax";
  static void check(const AdamaxOptions& o) { check_common(name, o); }
  static void options(auto& visit, auto& o) {
    visit("betas", o.betas), visit("eps", o.eps), visit("weight_decay", o.weight_decay), visit("maximize", o.maximize);
  }
  static NamedTensors slots(const AdamaxOptions&, const Tensor& p) { return moments(p, "exp_inf"); }
  static void update(UpdateList& list, const AdamaxOptions& o, double lr, const Tensor& p, const Tensor& g, const NamedTensors& slots) {
    const auto t = static_cast<double>(advance(slots[2].second));
    const double on_m = lr / correction(o.betas[0], t);
    list.add(fn::AdamaxUpdate{prologue(lr, o.weight_decay, false, o.maximize), o.betas[0], o.betas[1], on_m, o.eps}, p, g, slots[0].second, slots[1].second);
  }
  static double* momentum(AdamaxOptions& o) { return &o.betas[0]; }
};
template class GroupedOptimizer<AdamaxOptions>;

template <> struct Rule<NAdamOptions> {
  static constexpr const char* name = "NAdam";
  static void check(const NAdamOptions& o) {
    check_common(name, o);
    check_at_least(name, "momentum_decay", o.momentum_decay, 0);
  }
  static void options(auto& visit, auto& o) {
    visit("betas", o.betas), visit("eps", o.eps), visit("weight_decay", o.weight_decay), visit("momentum_decay", o.momentum_decay),
        visit("decoupled_weight_decay", o.decoupled_weight_decay), visit("maximize", o.maximize);
  }
  static NamedTensors slots(const NAdamOptions&, const Tensor& p) {
    NamedTensors list = moments(p);
    list.emplace_back("mu_product", number(1));
    return list;
  }
  static void update(UpdateList& list, const NAdamOptions& o, double lr, const Tensor& p, const Tensor& g, const NamedTensors& slots) {
    const auto t = static_cast<double>(advance(slots[2].second));
    const auto mu = [&](double step) { return o.betas[0] * (1 - 0.5 * std::pow(0.96, step * o.momentum_decay)); };
    const double product = multiply(slots[3].second, mu(t));
    const double on_g = lr * (1 - mu(t)) / (1 - product), on_m = lr * mu(t + 1) / (1 - product * mu(t + 1));
    const double on_root = 1 / std::sqrt(correction(o.betas[1], t));
    list.add(fn::AdamUpdate{prologue(lr, o.weight_decay, o.decoupled_weight_decay, o.maximize), o.betas[0], o.betas[1], on_g, on_m, on_root, o.eps}, p, g,
             slots[0].second, slots[1].second);
  }
  static double* momentum(NAdamOptions& o) { return &o.betas[0]; }
};
template class GroupedOptimizer<NAdamOptions>;

template <> struct Rule<RAdamOptions> {
  static constexpr const char* name = "RAdam";
  static void check(const RAdamOptions& o) { check_common(name, o); }
  static void options(auto& visit, auto& o) {
    visit("betas", o.betas), visit("eps", o.eps), visit("weight_decay", o.weight_decay), visit("decoupled_weight_decay", o.decoupled_weight_decay),
        visit("maximize", o.maximize);
  }
  static NamedTensors slots(const RAdamOptions&, const Tensor& p) { return moments(p); }
  static void update(UpdateList& list, const RAdamOptions& o, double lr, const Tensor& p, const Tensor& g, const NamedTensors& slots) {
    const auto t = static_cast<double>(advance(slots[2].second));
    const double beta2 = o.betas[1], c2 = correction(beta2, t);
    const double limit = 2 / (1 - beta2) - 1, rho = limit - 2 * t * std::pow(beta2, t) / c2;
    double on_m = lr / correction(o.betas[0], t);
    if (rho > 5) on_m *= std::sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho) * c2);
    list.add(fn::AdamUpdate{prologue(lr, o.weight_decay, o.decoupled_weight_decay, o.maximize), o.betas[0], beta2, 0, on_m, 1, o.eps, rho <= 5}, p, g,
             slots[0].second, slots[1].second);
  }
  static double* momentum(RAdamOptions& o) { return &o.betas[0]; }
};
template class GroupedOptimizer<RAdamOptions>;

template <> struct Rule<AdaBeliefOptions> {
  static constexpr const char* name = "AdaBelief";
  static void check(const AdaBeliefOptions& o) { check_common(name, o); }
  static void options(auto& visit, auto& o) {
    visit("betas", o.betas), visit("eps", o.eps), visit("weight_decay", o.weight_decay), visit("decoupled_weight_decay", o.decoupled_weight_decay),
        visit("maximize", o.maximize);
  }
  static NamedTensors slots(const AdaBeliefOptions&, const Tensor& p) { return moments(p, "exp_avg_var"); }
  static void update(UpdateList& list, const AdaBeliefOptions& o, double lr, const Tensor& p, const Tensor& g, const NamedTensors& slots) {
    const auto t = static_cast<double>(advance(slots[2].second));
    const double on_m = lr / correction(o.betas[0], t), on_root = 1 / std::sqrt(correction(o.betas[1], t));
    list.add(fn::AdaBeliefUpdate{prologue(lr, o.weight_decay, o.decoupled_weight_decay, o.maximize), o.betas[0], o.betas[1], on_m, on_root, o.eps}, p, g, slots[0].second,
             slots[1].second);
  }
  static double* momentum(AdaBeliefOptions& o) { return &o.betas[0]; }
};
template class GroupedOptimizer<AdaBeliefOptions>;

}  // namespace rill::optim
