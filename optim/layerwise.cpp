#include <rill/optim/layerwise.h>

#include <cmath>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>

#include "optim/rule.h"

namespace rill::optim {
namespace {

/// The Euclidean norm, summed in the order of the elements whatever their strides.
Tensor norm_of(const Tensor& x) { return norm(widened(x.detach()).contiguous()); }
double length(const Tensor& x) { return norm_of(x).item<double>(); }

/// The host does not wait for norms of a device: the ratio stays there, and the gradient is multiplied by it before the update reads it.
bool keeps_ratio(bool adapt, const Tensor& p) { return adapt && !p.device().is_cpu(); }
/// factor |w| / (|h| + decay |w| + eps), or 1 where a norm is 0.
Tensor ratio(const Tensor& w, const Tensor& h, double factor, double decay, double eps) {
  const Tensor a = norm_of(w), b = norm_of(h);
  return where(logical_and(a > 0, b > 0), a * factor / (b + a * decay + eps), ones_like(a));
}

}  // namespace

template <> struct Rule<LarsOptions> {
  static constexpr const char* name = "Lars";
  static void check(const LarsOptions& o) {
    check_at_least(name, "momentum", o.momentum, 0);
    check_at_least(name, "weight_decay", o.weight_decay, 0);
    check_above(name, "trust_coefficient", o.trust_coefficient, 0);
    check_at_least(name, "eps", o.eps, 0);
  }
  static void options(auto& visit, auto& o) {
    visit("momentum", o.momentum), visit("weight_decay", o.weight_decay), visit("trust_coefficient", o.trust_coefficient), visit("eps", o.eps),
        visit("adapt", o.adapt), visit("maximize", o.maximize);
  }
  static NamedTensors slots(const LarsOptions& o, const Tensor& p) { return o.momentum > 0 ? NamedTensors{{"momentum_buffer", slot(p)}} : NamedTensors{}; }
  static void update(UpdateList& list, const LarsOptions& o, double lr, const Tensor& p, const Tensor& g, const NamedTensors& slots) {
    if (keeps_ratio(o.adapt, p)) {
      Tensor d = g;  // before a replay any tensor will do
      if (launches_now()) {
        const NoGrad off;
        d = o.maximize ? -widened(g) : widened(g);
        if (o.weight_decay != 0) d = d + widened(p) * o.weight_decay;
        d = d * ratio(p, g, o.trust_coefficient, o.weight_decay, o.eps);
      }
      if (o.momentum == 0) return list.add(fn::SgdUpdate{{}, lr}, p, d);
      return list.add(fn::MomentumUpdate{{}, lr, o.momentum, 1, false}, p, d, slots[0].second);
    }
    double trust = 1;
    if (o.adapt)
      if (const double w = length(p), h = length(g); w > 0 && h > 0) trust = o.trust_coefficient * w / (h + o.weight_decay * w + o.eps);
    const fn::Prologue first = prologue(lr, o.weight_decay, false, o.maximize);
    if (o.momentum == 0) return list.add(fn::SgdUpdate{first, lr * trust}, p, g);
    list.add(fn::MomentumUpdate{first, lr, o.momentum, trust, false}, p, g, slots[0].second);
  }
  static double* momentum(LarsOptions& o) { return &o.momentum; }
};
template class GroupedOptimizer<LarsOptions>;

template <> struct Rule<LambOptions> {
  static constexpr const char* name = "Lamb";
  static void check(const LambOptions& o) {
    check_below_one(name, "betas[0]", o.betas[0]);
    check_below_one(name, "betas[1]", o.betas[1]);
    check_at_least(name, "eps", o.eps, 0);
    check_at_least(name, "weight_decay", o.weight_decay, 0);
  }
  static void options(auto& visit, auto& o) {
    visit("betas", o.betas), visit("eps", o.eps), visit("weight_decay", o.weight_decay), visit("adapt", o.adapt), visit("maximize", o.maximize);
  }
  static NamedTensors slots(const LambOptions&, const Tensor& p) { return {{"exp_avg", slot(p)}, {"exp_avg_sq", slot(p)}, {"step", counter()}}; }
  static void update(UpdateList& list, const LambOptions& o, double lr, const Tensor& p, const Tensor& g, const NamedTensors& slots) {
    const auto t = static_cast<double>(advance(slots[2].second));
    const double on_m = 1 / correction(o.betas[0], t), on_root = 1 / std::sqrt(correction(o.betas[1], t));
    Tensor d = launches_now() ? slot(p) : p;
    {
      UpdateList first;
      first.add(fn::LambDirection{o.maximize, o.betas[0], o.betas[1], on_m, on_root, o.eps, o.weight_decay}, d, g, slots[0].second, slots[1].second, p);
      first.run();
    }
    double trust = 1;
    if (keeps_ratio(o.adapt, p)) {
      const NoGrad off;
      if (launches_now()) d = d * ratio(p, d, 1, 0, 0);
    } else if (o.adapt) {
      if (const double w = length(p), h = length(d); w > 0 && h > 0) trust = w / h;
    }
    list.add(fn::SgdUpdate{{}, lr * trust}, p, d);
  }
  static double* momentum(LambOptions& o) { return &o.betas[0]; }
};
template class GroupedOptimizer<LambOptions>;

}  // namespace rill::optim
