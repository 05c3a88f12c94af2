// Exponential moving averages of parameters, which often predict better than the parameters themselves (Polyak and Juditsky 1992).
#pragma once

#include <cstdint>

#include <rill/optim/average.h>

namespace rill::optim {

struct MovingAverageOptions {
  double decay = 0.999;
  /// Uses min(decay, (1 + n) / (10 + n)) in update n, so that early averages follow quickly (TensorFlow's num_updates).
  bool warmup = true;
  /// The average of the values seen by update() alone, as if the shadow had started at 0 and been divided by 1 minus the product of all d: the
  /// first update copies. The state then also holds that product, "decay_product" under the names of shadows.
  bool zero_debias = false;
  /// The first update copies, whatever the parameters were at construction: PyTorch's AveragedModel, which also wants `.warmup = false`.
  bool copy_first = false;
  ShadowNames names = {};
};

/// shadow -= (1 - d) (shadow - parameter), from the values at construction. d is rounded to float32.
class MovingAverage : public Average {
 public:
  /// ValueError unless 0 <= decay <= 1, and what Average says.
  explicit MovingAverage(NamedTensors parameters, MovingAverageOptions options = {});

  /// To be called after each optimizer step. `step` is the n of the warm-up (the number of steps done); without it, updates are counted.
  /// Within a captured step (rill/cuda/graph.h) each launch counts on from it.
  void update(std::int64_t step);
  void update() { update(updates_); }
  /// The d that update(step) uses; computed in float32 as TensorFlow does.
  double decay_at(std::int64_t step) const;
  std::int64_t updates() const { return updates_; }

  /// Shadows under their names. They share memory with this object.
  NamedTensors state() const;
  /// Continues with saved shadows. ValueError lists what is missing, unexpected or of another shape or dtype.
  void load(const NamedTensors& state, std::int64_t updates);

 private:
  MovingAverageOptions options_;
  std::int64_t updates_ = 0;
  Tensor decay_product_;  // with zero_debias
};

}  // namespace rill::optim
