// Exponential moving averages of parameters, which often predict better than the parameters themselves (Polyak and Juditsky 1992).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rill/core/named_tensors.h>

namespace rill::optim {

struct MovingAverageOptions {
  double decay = 0.999;
  /// Uses min(decay, (1 + n) / (10 + n)) in update n, so that early averages follow quickly (TensorFlow's num_updates).
  bool warmup = true;
};

/// Keeps a shadow of every parameter: shadow -= (1 - d) (shadow - parameter), in one pass. Shadows start as the parameters are now.
class MovingAverage {
 public:
  static constexpr const char* kSuffix = "/ExponentialMovingAverage";  ///< of the names in state()

  /// ValueError unless 0 <= decay <= 1; DtypeError for a parameter that is not floating point.
  explicit MovingAverage(NamedTensors parameters, MovingAverageOptions options = {});

  /// To be called after each optimizer step. `step` is the n of the warm-up (the number of steps done); without it, updates are counted.
  void update(std::int64_t step);
  void update() { update(updates_); }
  /// The d that update(step) uses; computed in float32 as TensorFlow does.
  double decay_at(std::int64_t step) const;
  std::int64_t updates() const { return updates_; }

  /// The average of a parameter given by name, or an undefined tensor.
  Tensor average(const std::string& name) const;
  /// Shadows as "<parameter>/ExponentialMovingAverage". They share memory with this object.
  NamedTensors state() const;
  /// Continues with saved shadows. ValueError lists what is missing, unexpected or of another shape.
  void load(const NamedTensors& state, std::int64_t updates);

  /// While it lives, the parameters hold the averages; afterwards they hold the trained values again. Not to be nested.
  class Scope {
   public:
    explicit Scope(MovingAverage& average) : average_(&average) { average_->swap(); }
    ~Scope() { average_->swap(); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    MovingAverage* average_;
  };
  [[nodiscard]] Scope swap_in() { return Scope(*this); }

 private:
  void swap();
  MovingAverageOptions options_;
  NamedTensors parameters_;
  std::vector<Tensor> shadows_;
  std::int64_t updates_ = 0;
};

/// What an evaluation loads from a file that holds both: each tensor under its own name, with the value of its average where there
/// is one (TensorFlow's variables_to_restore). Shadows themselves are dropped.
NamedTensors averaged(const NamedTensors& state);
/// The shadows of such a file alone, or everything else.
NamedTensors only_averages(const NamedTensors& state);
NamedTensors without_averages(const NamedTensors& state);

}  // namespace rill::optim
