// Learning rates as functions of the number of steps done: `optimizer.set_lr(rate(step))` before `optimizer.step()`.
#pragma once

#include <cstdint>

namespace rill::optim {

/// base * decay^(step / steps); with `staircase` the exponent is rounded down, so that the rate falls once every `steps` steps.
struct ExponentialDecay {
  double base;
  std::int64_t steps;
  double decay;
  bool staircase = false;
  /// ValueError for steps < 1 or a negative step.
  double operator()(std::int64_t step) const;
};

}  // namespace rill::optim
