// Stochastic weight averaging.
#pragma once

#include <cstdint>

#include <rill/optim/average.h>

namespace rill::optim {

/// The mean of the parameters at every update, of which the first one copies: shadow += (parameter - shadow) / (n + 1). Usually updated once per epoch late
/// in training, with a rate that stays high (SwaLr). Izmailov et al., "Averaging weights leads to wider optima and better generalization" (2018).
class SwaAverage : public Average {
 public:
  /// Throws what Average says.
  explicit SwaAverage(NamedTensors parameters, ShadowNames names = {.prefix = "swa.", .suffix = ""});
  void update();
  std::int64_t n_averaged() const;

  /// Shadows and the count "n_averaged" under the names of shadows. They share memory with this object.
  NamedTensors state() const;
  /// ValueError lists what is missing, unexpected or of another shape or dtype.
  void load(const NamedTensors& state);

 private:
  Tensor n_averaged_;
};

}  // namespace rill::optim
