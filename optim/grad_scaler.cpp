#include <rill/optim/grad_scaler.h>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>

#include "optim/hyper.h"

namespace rill::amp {

using optim::Optimizer;

GradScaler::GradScaler(const GradScalerOptions& o) : options_(o), scale_(full({}, o.init_scale, {.dtype = float32})), tracker_(zeros({}, {.dtype = float32})) {
  constexpr const char* op = "GradScaler";
  optim::check_above(op, "init_scale", o.init_scale, 0);
  optim::check_above(op, "growth_factor", o.growth_factor, 1);
  check<ValueError>(o.backoff_factor > 0 && o.backoff_factor < 1, op, "backoff_factor is {}; expected a number between 0 and 1", o.backoff_factor);
  check<ValueError>(o.growth_interval >= 1, op, "growth_interval is {}; expected at least 1", o.growth_interval);
}

void GradScaler::move_to(Device device) { scale_ = scale_.to(device), tracker_ = tracker_.to(device); }

Tensor GradScaler::scale(const Tensor& loss) {
  if (!options_.enabled) return loss;
  check<ValueError>(loss.defined(), "GradScaler", "the loss is undefined; pass a tensor with values");
  if (passes_.empty()) move_to(loss.device());
  return loss * scale_.to(loss.device());
}

GradScaler::Pass& GradScaler::pass_of(const char* op, const Optimizer& optimizer) {
  for (Pass& p : passes_)
    if (p.optimizer == &optimizer) {
      check<FailedPrecondition>(!p.stepped, op, "step() has been called on this optimizer since the last update(); call update() once per step of the loop");
      return p;
    }
  return passes_.emplace_back(Pass{&optimizer, {}});
}

void GradScaler::unscale_(Optimizer& optimizer) {
  constexpr const char* op = "unscale_";
  if (!options_.enabled) return;
  Pass& pass = pass_of(op, optimizer);
  check<FailedPrecondition>(!pass.found.defined(), op, "the gradients of this optimizer have been divided since the last update()");
  for (const auto& [name, p] : optimizer.parameters())
    check<DtypeError>(!p.grad().defined() || p.grad().dtype() != float16, op, "the gradient of \"{}\" is float16, which has no range left; keep parameters in float32 and use amp::autocast", name);
  const NoGrad off;
  const Tensor inverse = reciprocal(scale_.to(float64)).to(float32);
  for (const auto& entry : optimizer.parameters()) {
    const Tensor& p = entry.second;
    const Tensor g = p.grad();
    if (!g.defined()) continue;
    g.mul_(inverse.to(g.device()));
    const Tensor bad = any(logical_not(isfinite(g))).to(float32);
    pass.found = pass.found.defined() ? maximum(pass.found, bad.to(pass.found.device())) : bad;
  }
}

void GradScaler::step(Optimizer& optimizer) {
  if (!options_.enabled) return optimizer.step();
  if (!pass_of("step", optimizer).found.defined()) unscale_(optimizer);
  Pass& pass = pass_of("step", optimizer);
  check<FailedPrecondition>(pass.found.defined(), "step", "no parameter of this optimizer has a gradient; call backward() on the scaled loss first");
  pass.stepped = true;
  optimizer.step_unless(pass.found);
}

void GradScaler::update() {
  if (!options_.enabled) return;
  Tensor found;
  for (const Pass& p : passes_)
    if (p.found.defined()) found = found.defined() ? maximum(found, p.found.to(scale_.device())) : p.found.to(scale_.device());
  check<FailedPrecondition>(found.defined(), "update", "no gradients were looked at since the last update(); call step() or unscale_() first");
  const NoGrad off;
  const Tensor bad = ne(found, 0), count = tracker_ + 1, due = eq(count, options_.growth_interval), grown = scale_ * options_.growth_factor;
  scale_.copy_(where(bad, scale_ * options_.backoff_factor, where(logical_and(due, isfinite(grown)), grown, scale_)));  // in place, for captured steps
  tracker_.copy_(where(logical_or(bad, due), 0, count));
  passes_.clear();
}
void GradScaler::update(double new_scale) {
  if (!options_.enabled) return;
  optim::check_above("update", "new_scale", new_scale, 0);
  scale_ = full({}, new_scale, {.dtype = float32, .device = scale_.device()});
  passes_.clear();
}

double GradScaler::get_scale() const { return options_.enabled ? scale_.item<double>() : 1; }

NamedTensors GradScaler::state_dict() const {
  if (!options_.enabled) return {};
  const auto number = [](double v) { return full({}, v, {.dtype = float64}); };
  const auto whole = [](std::int64_t v) { return full({}, v, {.dtype = int64}); };
  return {{"scale", number(get_scale())}, {"growth_factor", number(options_.growth_factor)}, {"backoff_factor", number(options_.backoff_factor)},
          {"growth_interval", whole(options_.growth_interval)}, {"_growth_tracker", whole(tracker_.item<std::int64_t>())}};
}
void GradScaler::load_state_dict(const NamedTensors& state) {
  if (!options_.enabled) return;
  const auto read = [&](const char* name) {
    const Tensor t = find(state, name);
    check<ValueError>(t.defined() && t.numel() == 1, "GradScaler", "the state has no number \"{}\"{}", name, state.empty() ? "; it comes from a scaler that was not enabled" : "");
    return t.item<double>();
  };
  GradScalerOptions o = options_;
  o.init_scale = read("scale"), o.growth_factor = read("growth_factor"), o.backoff_factor = read("backoff_factor"), o.growth_interval = static_cast<std::int64_t>(read("growth_interval"));
  const double tracker = read("_growth_tracker");
  GradScaler loaded(o);
  loaded.tracker_.fill_(tracker);
  loaded.options_.init_scale = options_.init_scale;
  loaded.move_to(scale_.device());
  *this = std::move(loaded);
}

}  // namespace rill::amp
