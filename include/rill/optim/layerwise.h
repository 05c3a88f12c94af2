// Methods for large batches: the rate of every tensor is scaled by a trust ratio, the norm of the tensor over that of its update. Each tensor
// counts as a layer. Biases and scales of normalisations usually go without: put them in a group with `adapt = false`.
#pragma once

#include <array>

#include <rill/optim/optimizer.h>

namespace rill::optim {

struct LarsOptions {
  double lr = 1;
  double momentum = 0.9;
  double weight_decay = 0;           ///< added to the gradient: g + weight_decay p
  double trust_coefficient = 1e-3;
  double eps = 1e-8;
  bool adapt = true;                 ///< off: the ratio is 1, as in Sgd
  bool maximize = false;
};
extern template class GroupedOptimizer<LarsOptions>;

/// Sgd with the gradient, decay included, times trust_coefficient |p| / (|g| + weight_decay |p| + eps), which is 1 where a norm is 0 (You, Gitman,
/// Ginsburg 2017). The rate stands outside of the buffer, as in Sgd. State: "momentum_buffer" with momentum.
class Lars final : public GroupedOptimizer<LarsOptions> {
 public:
  using GroupedOptimizer::GroupedOptimizer;
};

struct LambOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-6;
  double weight_decay = 1e-2;
  bool adapt = true;
  bool maximize = false;
};
extern template class GroupedOptimizer<LambOptions>;

/// d = m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay p; p -= lr |p| / |d| d, the ratio 1 where a norm is 0 (You et al., "Large batch
/// optimization for deep learning", 2020). State: "exp_avg", "exp_avg_sq", "step".
class Lamb final : public GroupedOptimizer<LambOptions> {
 public:
  using GroupedOptimizer::GroupedOptimizer;
};

}  // namespace rill::optim
