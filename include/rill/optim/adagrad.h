// Adagrad and Adadelta: every weight has a rate of its own, from the squares of its past gradients.
#pragma once

#include <rill/optim/optimizer.h>

namespace rill::optim {

/// TensorFlow's Adagrad is `{.initial_accumulator_value = 0.1, .eps = 0}`.
struct AdagradOptions {
  double lr = 1e-2;
  double lr_decay = 0;      ///< the rate of update t is lr / (1 + (t - 1) lr_decay)
  double weight_decay = 0;  ///< added to the gradient: g + weight_decay p
  double initial_accumulator_value = 0;
  double eps = 1e-10;
  bool maximize = false;
};
extern template class GroupedOptimizer<AdagradOptions>;

/// s += g^2; p -= lr g / (sqrt(s) + eps) (Duchi et al. 2011). State: "sum", "step".
class Adagrad final : public GroupedOptimizer<AdagradOptions> {
 public:
  using GroupedOptimizer::GroupedOptimizer;
};

/// TensorFlow's defaults for the same rule are lr 0.001, rho 0.95 and eps 1e-8.
struct AdadeltaOptions {
  double lr = 1;
  double rho = 0.9;
  double eps = 1e-6;
  double weight_decay = 0;  ///< added to the gradient: g + weight_decay p
  bool maximize = false;
};
extern template class GroupedOptimizer<AdadeltaOptions>;

/// v = rho v + (1 - rho) g^2; d = sqrt(u + eps) / sqrt(v + eps) g; p -= lr d; u = rho u + (1 - rho) d^2 (Zeiler 2012).
/// State: "square_avg" (v), "acc_delta" (u), "step".
class Adadelta final : public GroupedOptimizer<AdadeltaOptions> {
 public:
  using GroupedOptimizer::GroupedOptimizer;
};

}  // namespace rill::optim
