// Online methods that solve the penalties l1 |w| and l2 w^2 in closed form, so that weights become exactly 0: TensorFlow's proximal and
// follow-the-leader family. They have no PyTorch counterpart.
#pragma once

#include <rill/optim/optimizer.h>

namespace rill::optim {

struct ProximalSgdOptions {
  double lr = 1e-3;
  double l1 = 0, l2 = 0;
};
extern template class GroupedOptimizer<ProximalSgdOptions>;

/// v = p - lr g; p = sign(v) max(|v| - lr l1, 0) / (1 + lr l2) (Duchi and Singer 2009). No state.
class ProximalSgd final : public GroupedOptimizer<ProximalSgdOptions> {
 public:
  using GroupedOptimizer::GroupedOptimizer;
};

struct ProximalAdagradOptions {
  double lr = 1e-3;
  double initial_accumulator_value = 0.1;  ///< above 0
  double l1 = 0, l2 = 0;
};
extern template class GroupedOptimizer<ProximalAdagradOptions>;

/// s += g^2; e = lr / sqrt(s); v = p - e g; p = sign(v) max(|v| - e l1, 0) / (1 + e l2). State: "sum".
class ProximalAdagrad final : public GroupedOptimizer<ProximalAdagradOptions> {
 public:
  using GroupedOptimizer::GroupedOptimizer;
};

struct AdagradDaOptions {
  double lr = 1e-3;
  double initial_gradient_squared_accumulator_value = 0.1;  ///< above 0
  double l1 = 0, l2 = 0;
};
extern template class GroupedOptimizer<AdagradDaOptions>;

/// Adagrad with dual averaging (Duchi et al. 2011): G += g; S += g^2; in update T p = -lr sign(G) max(|G| - l1 T, 0) / (l2 T lr + sqrt(S)).
/// The start values of the parameters play no part: the first step jumps. State: "gradient_accumulator", "gradient_squared_accumulator", "step".
class AdagradDa final : public GroupedOptimizer<AdagradDaOptions> {
 public:
  using GroupedOptimizer::GroupedOptimizer;
};

struct FtrlOptions {
  double lr = 1e-3;        ///< above 0
  double lr_power = -0.5;  ///< at most 0
  double initial_accumulator_value = 0.1;
  double l1 = 0, l2 = 0;
  double l2_shrinkage = 0;  ///< adds 2 l2_shrinkage p to the gradient, but not to its square
};
extern template class GroupedOptimizer<FtrlOptions>;

/// Follow the regularised leader (McMahan et al., "Ad click prediction: a view from the trenches", 2013): n' = n + g^2; s = (n'^-lr_power - n^-lr_power) / lr;
/// z += g + 2 l2_shrinkage p - s p; p = (sign(z) l1 - z) / (n'^-lr_power / lr + 2 l2) where |z| > l1, else 0. The start values of the
/// parameters enter through z only: the first step jumps. State: "accum" (n), "linear" (z).
class Ftrl final : public GroupedOptimizer<FtrlOptions> {
 public:
  using GroupedOptimizer::GroupedOptimizer;
};

}  // namespace rill::optim
