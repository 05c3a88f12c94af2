// Learning rates as functions of the number of steps done, with TensorFlow's names: `optimizer.set_lr(rate(step))` before
// `optimizer.step()`. PyTorch's schedulers in the same form are in lr_scheduler.h. A schedule has no state: the step that a checkpoint
// holds is all it needs. With base = 1 a schedule gives factors for `optimizer.scale_lr`.
//
// All throw ValueError for a negative step and for numbers that make no sense; the sentence names the legal range.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace rill::optim {

/// Any schedule, or a lambda.
using Schedule = std::function<double(std::int64_t step)>;

/// base * decay^(step / steps); with `staircase` the exponent is rounded down, so that the rate falls once every `steps` steps.
struct ExponentialDecay {
  double base;
  std::int64_t steps;
  double decay;
  bool staircase = false;
  double operator()(std::int64_t step) const;
};
/// base * e^(-decay step / steps); `staircase` rounds step / steps down.
struct NaturalExpDecay {
  double base;
  std::int64_t steps;
  double decay;
  bool staircase = false;
  double operator()(std::int64_t step) const;
};
/// base / (1 + decay step / steps); `staircase` rounds step / steps down.
struct InverseTimeDecay {
  double base;
  std::int64_t steps;
  double decay;
  bool staircase = false;
  double operator()(std::int64_t step) const;
};
/// (base - end) (1 - step / steps)^power + end, from `steps` on: end. With `cycle`, `steps` grows to the next multiple that is not below step,
/// and the rate rises again after each of them.
struct PolynomialDecay {
  double base;
  std::int64_t steps;
  double end = 1e-4;
  double power = 1;
  bool cycle = false;
  double operator()(std::int64_t step) const;
};
/// values[0] up to and including step boundaries[0], values[1] up to boundaries[1], ..., the last one after that. Boundaries increase, and there is one
/// value more.
struct PiecewiseConstant {
  std::vector<std::int64_t> boundaries;
  std::vector<double> values;
  double operator()(std::int64_t step) const;
};
/// base ((1 - alpha) (1 + cos(pi step / steps)) / 2 + alpha), from `steps` on: base alpha (PyTorch's CosineAnnealingLr climbs again).
struct CosineDecay {
  double base;
  std::int64_t steps;
  double alpha = 0;
  double operator()(std::int64_t step) const;
};
/// Cosine decays one after the other (Loshchilov and Hutter, "SGDR", 2017): the first takes first_steps, each further one t_mul times as many and starts at
/// m_mul times the height. At the last step of one the next begins. t_mul >= 1.
struct CosineDecayRestarts {
  double base;
  std::int64_t first_steps;
  double t_mul = 2;
  double m_mul = 1;
  double alpha = 0;
  double operator()(std::int64_t step) const;
};
/// base ((alpha + 1 - s / steps) (1 + cos(2 pi periods s / steps)) / 2 + beta) with s = min(step, steps) (Bello et al. 2017).
struct LinearCosineDecay {
  double base;
  std::int64_t steps;
  double periods = 0.5;
  double alpha = 0;
  double beta = 1e-3;
  double operator()(std::int64_t step) const;
};
/// The same with noise from N(0, initial_variance / (1 + s)^variance_decay) added to alpha. The noise is a function of seed and step: a rate that
/// is read twice is the same (TensorFlow draws again). It may be negative early on.
struct NoisyLinearCosineDecay {
  double base;
  std::int64_t steps;
  double initial_variance = 1;
  double variance_decay = 0.55;
  double periods = 0.5;
  double alpha = 0;
  double beta = 1e-3;
  std::uint64_t seed = 0;
  double operator()(std::int64_t step) const;
};

}  // namespace rill::optim
