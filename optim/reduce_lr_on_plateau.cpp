#include <rill/optim/reduce_lr_on_plateau.h>

#include <algorithm>
#include <limits>

#include "optim/hyper.h"
#include "optim/state.h"

namespace rill::optim {

ReduceLrOnPlateau::ReduceLrOnPlateau(ReduceLrOnPlateauOptions options)
    : options_(options), lr_(options.base), best_(std::numeric_limits<double>::infinity()) {
  if (options.mode == PlateauMode::max) best_ = -best_;
  const char* op = "ReduceLrOnPlateau";
  check_at_least(op, "base", options.base, 0);
  check_below_one(op, "factor", options.factor);
  check<ValueError>(options.patience >= 0, op, "patience is {}; expected at least 0", options.patience);
  check<ValueError>(options.cooldown >= 0, op, "cooldown is {}; expected at least 0", options.cooldown);
  check_at_least(op, "threshold", options.threshold, 0);
  check_at_least(op, "min_lr", options.min_lr, 0);
  check_at_least(op, "eps", options.eps, 0);
}

bool ReduceLrOnPlateau::better(double metric) const {
  const double sign = options_.mode == PlateauMode::min ? -1 : 1;
  const double limit = options_.threshold_mode == PlateauThreshold::relative ? best_ * (1 + sign * options_.threshold) : best_ + sign * options_.threshold;
  return options_.mode == PlateauMode::min ? metric < limit : metric > limit;
}

double ReduceLrOnPlateau::step(double metric) {
  if (better(metric)) best_ = metric, bad_epochs_ = 0;
  else ++bad_epochs_;
  if (cooldown_left_ > 0) --cooldown_left_, bad_epochs_ = 0;
  if (bad_epochs_ > options_.patience) {
    const double reduced = std::max(lr_ * options_.factor, options_.min_lr);
    if (lr_ - reduced > options_.eps) lr_ = reduced;
    cooldown_left_ = options_.cooldown;
    bad_epochs_ = 0;
  }
  return lr_;
}

NamedTensors ReduceLrOnPlateau::state() const {
  return {{"plateau", tensor({lr_, best_, static_cast<double>(bad_epochs_), static_cast<double>(cooldown_left_)}, {.dtype = float64})}};
}
void ReduceLrOnPlateau::load(const NamedTensors& given) {
  const auto v = match("load", state(), given)[0].to_vector<double>();
  lr_ = v[0], best_ = v[1];
  bad_epochs_ = static_cast<std::int64_t>(v[2]), cooldown_left_ = static_cast<std::int64_t>(v[3]);
}

}  // namespace rill::optim
