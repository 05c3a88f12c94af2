// Gradient descent.
#pragma once

#include <rill/optim/optimizer.h>

namespace rill::optim {

struct SgdOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;     ///< the first update is not dampened
  double weight_decay = 0;  ///< added to the gradient: g + weight_decay p
  bool nesterov = false;
  bool maximize = false;
  bool decoupled_weight_decay = false;  ///< p *= 1 - lr weight_decay instead (Loshchilov and Hutter 2019)
};
extern template class GroupedOptimizer<SgdOptions>;

/// p -= lr g; with momentum v = momentum v + (1 - dampening) g and p -= lr v (Polyak 1964), or with nesterov p -= lr (g + momentum v)
/// (Sutskever et al. 2013). ValueError for nesterov without momentum or with dampening. State: "momentum_buffer" with momentum, and "step" with dampening.
class Sgd final : public GroupedOptimizer<SgdOptions> {
 public:
  using GroupedOptimizer::GroupedOptimizer;
};

}  // namespace rill::optim
