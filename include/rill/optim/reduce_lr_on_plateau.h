// The one scheduler that looks at results.
#pragma once

#include <cstdint>

#include <rill/core/named_tensors.h>

namespace rill::optim {

enum class PlateauMode : std::uint8_t { min, max };           ///< what is better: less or more
enum class PlateauThreshold : std::uint8_t { relative, absolute };

struct ReduceLrOnPlateauOptions {
  double base = 1;  ///< the rate to start with; 1 gives factors for `optimizer.scale_lr`
  PlateauMode mode = PlateauMode::min;
  double factor = 0.1;         ///< in [0, 1)
  std::int64_t patience = 10;  ///< how many epochs in a row may be no better
  double threshold = 1e-4;     ///< better is below best (1 - threshold), or below best - threshold; for `max` above with +
  PlateauThreshold threshold_mode = PlateauThreshold::relative;
  std::int64_t cooldown = 0;   ///< epochs after a reduction that do not count as bad
  double min_lr = 0;
  double eps = 1e-8;           ///< a smaller change is not made
};

/// Multiplies the rate by `factor` when a metric has not got better for more than `patience` epochs: `optimizer.set_lr(plateau.step(loss))` after each
/// epoch. NaN is never better.
class ReduceLrOnPlateau {
 public:
  /// ValueError for an illegal option; the sentence names the legal range.
  explicit ReduceLrOnPlateau(ReduceLrOnPlateauOptions options = {});
  /// Takes the metric of an epoch and returns the rate for the next one.
  double step(double metric);
  double lr() const { return lr_; }
  double best() const { return best_; }
  std::int64_t num_bad_epochs() const { return bad_epochs_; }

  /// "plateau": rate, best, bad epochs and cooldown left (float64).
  NamedTensors state() const;
  /// ValueError lists what is missing, unexpected or of another shape or dtype.
  void load(const NamedTensors& state);

 private:
  bool better(double metric) const;
  ReduceLrOnPlateauOptions options_;
  double lr_, best_;
  std::int64_t bad_epochs_ = 0, cooldown_left_ = 0;
};

}  // namespace rill::optim
