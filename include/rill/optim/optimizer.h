// What all optimizers share.
#pragma once

#include <string>
#include <vector>

#include <rill/core/named_tensors.h>

namespace rill::optim {

/// Holds the parameters (as handles: the model keeps them too), a learning rate and the state of the method. `step` reads gradients
/// and never writes to them; a parameter without a gradient is left alone.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One update of every parameter from its gradient.
  virtual void step() = 0;
  /// Drops all gradients.
  void zero_grad();
  double lr() const { return lr_; }
  /// ValueError unless finite and not negative.
  void set_lr(double lr);
  const NamedTensors& parameters() const { return parameters_; }

  /// State tensors as "<parameter>.<slot>", empty while the method has none. They share memory with the optimizer.
  virtual NamedTensors state() const { return {}; }
  /// Continues with a saved state. ValueError lists every tensor that is missing, unexpected or of another shape.
  virtual void load(const NamedTensors& state);

 protected:
  /// ValueError when there are no parameters, one is undefined or appears twice; GradError when one is not a leaf that requires grad.
  Optimizer(NamedTensors parameters, double lr);
  double lr_ = 0;
  NamedTensors parameters_;
};

/// Names "0", "1", ... for parameters that have none.
NamedTensors numbered(const std::vector<Tensor>& parameters);

}  // namespace rill::optim
