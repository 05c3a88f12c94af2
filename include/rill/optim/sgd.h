// Gradient descent.
#pragma once

#include <rill/optim/optimizer.h>

namespace rill::optim {

struct SgdOptions {
  double lr = 0.01;
  double momentum = 0;    ///< v = momentum v + g; p -= lr v
  bool nesterov = false;  ///< p -= lr (g + momentum v) instead
};

/// p -= lr g, or with momentum (Polyak 1964; Nesterov's form after Sutskever et al. 2013). State: "<parameter>.momentum".
class Sgd : public Optimizer {
 public:
  /// ValueError for a negative momentum, or nesterov without momentum.
  explicit Sgd(NamedTensors parameters, SgdOptions options = {});
  explicit Sgd(const std::vector<Tensor>& parameters, SgdOptions options = {}) : Sgd(numbered(parameters), options) {}
  void step() override;
  NamedTensors state() const override;
  void load(const NamedTensors& state) override;

 private:
  SgdOptions options_;
  std::vector<Tensor> velocity_;
};

}  // namespace rill::optim
