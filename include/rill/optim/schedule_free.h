// Methods that need no schedule of the rate (Defazio et al., "The road less scheduled", 2024). Three points take the place of the parameters:
// z, which descends; x, the average of all z so far; y = (1 - beta) z + beta x, where gradients are taken. In training the parameters hold y.
// What predicts is x: evaluate and save the model inside of `const auto scope = optimizer.swap_in();`. A training that goes on later
// saves y (the model's state outside of a scope) and the optimizer's state.
#pragma once

#include <array>
#include <vector>

#include <rill/optim/optimizer.h>

namespace rill::optim {

template <class Options> class ScheduleFree : public GroupedOptimizer<Options> {
 public:
  using GroupedOptimizer<Options>::GroupedOptimizer;
  using Optimizer::step;
  /// FailedPrecondition while the averages are in.
  void step() override;
  /// FailedPrecondition: x and z are found from y with the beta that made it.
  [[noreturn]] void set_momentum(double momentum) override;

  /// While it lives, the parameters hold x; afterwards they hold y again, bit for bit. Not to be nested.
  class Scope {
   public:
    explicit Scope(ScheduleFree& method) : method_(&method) { method_->swap_in_averages(); }
    ~Scope() { method_->swap_out(); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    ScheduleFree* method_;
  };
  /// FailedPrecondition when the averages are in already.
  [[nodiscard]] Scope swap_in() { return Scope(*this); }

 private:
  void swap_in_averages();
  void swap_out() noexcept;
  std::vector<Tensor> trained_;  // while the averages are in
};

struct ScheduleFreeSgdOptions {
  double lr = 1;
  double momentum = 0.9;        ///< the beta above; in (0, 1)
  double weight_decay = 0;      ///< added to the gradient: g + weight_decay y
  std::int64_t warmup_steps = 0;  ///< the rate of update t is lr min(1, t / warmup_steps)
  double r = 0;                 ///< z after update t has the weight t^r (largest rate so far)^weight_lr_power in x
  double weight_lr_power = 2;
  bool maximize = false;
};
extern template class ScheduleFree<ScheduleFreeSgdOptions>;

/// z -= lr g. State: "z", "step", "weight_sum", "lr_max".
class ScheduleFreeSgd final : public ScheduleFree<ScheduleFreeSgdOptions> {
 public:
  using ScheduleFree::ScheduleFree;
};

struct ScheduleFreeAdamWOptions {
  double lr = 2.5e-3;
  std::array<double, 2> betas = {0.9, 0.999};  ///< betas[0] is the beta above; in (0, 1)
  double eps = 1e-8;
  double weight_decay = 0;                     ///< decoupled: z -= lr weight_decay y
  std::int64_t warmup_steps = 0;
  double r = 0;
  double weight_lr_power = 2;
  bool maximize = false;
};
extern template class ScheduleFree<ScheduleFreeAdamWOptions>;

/// z -= lr (g / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay y), v as in Adam. State: "z", "exp_avg_sq", "step", "weight_sum", "lr_max".
class ScheduleFreeAdamW final : public ScheduleFree<ScheduleFreeAdamWOptions> {
 public:
  using ScheduleFree::ScheduleFree;
};

}  // namespace rill::optim
