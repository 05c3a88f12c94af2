// Methods that use the sign of the gradient only: Rprop and Lion.
#pragma once

#include <array>

#include <rill/optim/optimizer.h>

namespace rill::optim {

struct RpropOptions {
  double lr = 1e-2;                            ///< the first step size; later changes have no effect
  std::array<double, 2> etas = {0.5, 1.2};     ///< what a step size is multiplied by when the sign changes, and when it stays
  std::array<double, 2> step_sizes = {1e-6, 50};  ///< the smallest and the largest
  bool maximize = false;
};
extern template class GroupedOptimizer<RpropOptions>;

/// Resilient backpropagation (Riedmiller and Braun 1993), for gradients of the whole data set: p -= size sign(g), with a size per weight. Where
/// the sign of g changed, the weight rests for one update. State: "prev", "step_size", "step".
class Rprop final : public GroupedOptimizer<RpropOptions> {
 public:
  using GroupedOptimizer::GroupedOptimizer;
};

struct LionOptions {
  double lr = 1e-4;
  std::array<double, 2> betas = {0.9, 0.99};
  double weight_decay = 0;  ///< decoupled: p *= 1 - lr weight_decay
  bool maximize = false;
};
extern template class GroupedOptimizer<LionOptions>;

/// p -= lr sign(beta1 m + (1 - beta1) g); m = beta2 m + (1 - beta2) g (Chen et al., "Symbolic discovery of optimization algorithms", 2023).
/// State: "exp_avg".
class Lion final : public GroupedOptimizer<LionOptions> {
 public:
  using GroupedOptimizer::GroupedOptimizer;
};

}  // namespace rill::optim
