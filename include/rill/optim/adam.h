// Adam and its relatives: steps from moving averages m of the gradient and v of its square, corrected for their start at 0.
#pragma once

#include <array>

#include <rill/optim/optimizer.h>

namespace rill::optim {

struct AdamOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};  ///< of m and v
  double eps = 1e-8;
  double weight_decay = 0;  ///< added to the gradient: g + weight_decay p
  bool amsgrad = false;     ///< divide by the largest v so far (Reddi et al. 2018)
  bool maximize = false;
  bool decoupled_weight_decay = false;  ///< p *= 1 - lr weight_decay instead: AdamW
  bool eps_hat = false;                 ///< eps is added to the root of the uncorrected v, as TensorFlow does; matters for an eps like 0.1
};
extern template class GroupedOptimizer<AdamOptions>;

/// p -= lr m' / (sqrt(v') + eps) with m' = m / (1 - beta1^t), v' = v / (1 - beta2^t) (Kingma and Ba 2015); with eps_hat
/// p -= lr sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + eps). State: "exp_avg", "exp_avg_sq", with amsgrad "max_exp_avg_sq", "step".
class Adam final : public GroupedOptimizer<AdamOptions> {
 public:
  using GroupedOptimizer::GroupedOptimizer;
};

struct AdamWOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 1e-2;  ///< decoupled: p *= 1 - lr weight_decay
  bool amsgrad = false;
  bool maximize = false;
};
extern template class GroupedOptimizer<AdamWOptions>;

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019). State as Adam.
class AdamW final : public GroupedOptimizer<AdamWOptions> {
 public:
  using GroupedOptimizer::GroupedOptimizer;
};

struct AdamaxOptions {
  double lr = 2e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  bool maximize = false;
};
extern template class GroupedOptimizer<AdamaxOptions>;

/// u = max(beta2 u, |g| + eps); p -= lr / (1 - beta1^t) m / u (Kingma and Ba 2015, section 7). State: "exp_avg", "exp_inf", "step".
class Adamax final : public GroupedOptimizer<AdamaxOptions> {
 public:
  using GroupedOptimizer::GroupedOptimizer;
};

struct NAdamOptions {
  double lr = 2e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum_decay = 4e-3;  ///< mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2)
  bool decoupled_weight_decay = false;
  bool maximize = false;
};
extern template class GroupedOptimizer<NAdamOptions>;

/// Adam with Nesterov's momentum (Dozat 2016): with P the product of mu_1 to mu_t,
/// p -= lr ((1 - mu_t) / (1 - P) g + mu_{t+1} / (1 - P mu_{t+1}) m) / (sqrt(v') + eps). State: "exp_avg", "exp_avg_sq", "step", "mu_product".
class NAdam final : public GroupedOptimizer<NAdamOptions> {
 public:
  using GroupedOptimizer::GroupedOptimizer;
};

struct RAdamOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  bool decoupled_weight_decay = false;
  bool maximize = false;
};
extern template class GroupedOptimizer<RAdamOptions>;

/// Adam whose adaptive rate starts when its variance has become small (Liu et al. 2020): with rho = 2 / (1 - beta2) - 1 and
/// rho_t = rho - 2 t beta2^t / (1 - beta2^t), p -= lr m' while rho_t <= 5, then p -= lr r_t m' sqrt(1 - beta2^t) / (sqrt(v) + eps),
/// r_t^2 = (rho_t - 4) (rho_t - 2) rho / ((rho - 4) (rho - 2) rho_t). State: "exp_avg", "exp_avg_sq", "step".
class RAdam final : public GroupedOptimizer<RAdamOptions> {
 public:
  using GroupedOptimizer::GroupedOptimizer;
};

struct AdaBeliefOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-16;       ///< 1e-8 where Sgd does better than Adam, say the authors
  double weight_decay = 0;
  bool decoupled_weight_decay = true;
  bool maximize = false;
};
extern template class GroupedOptimizer<AdaBeliefOptions>;

/// Adam with v = beta2 v + (1 - beta2) (g - m)^2 + eps: long steps where the gradient is as expected (Zhuang et al. 2020, without rectification).
/// State: "exp_avg", "exp_avg_var", "step".
class AdaBelief final : public GroupedOptimizer<AdaBeliefOptions> {
 public:
  using GroupedOptimizer::GroupedOptimizer;
};

}  // namespace rill::optim
