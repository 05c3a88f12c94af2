// A quasi-Newton method for smooth problems whose loss is computed on all data.
#pragma once

#include <cstdint>
#include <vector>

#include <rill/optim/optimizer.h>

namespace rill::optim {

enum class LineSearch : std::uint8_t {
  none,         ///< every step has length lr
  strong_wolfe  ///< until loss and slope have fallen enough (Nocedal and Wright 2006, algorithms 3.5 and 3.6)
};

struct LbfgsOptions {
  double lr = 1;
  std::int64_t max_iter = 20;     ///< directions per step()
  std::int64_t max_eval = 0;      ///< evaluations of the loss per step() that start a direction, also the most of a line search; 0: 5/4 max_iter
  double tolerance_grad = 1e-7;   ///< stop when no |g| is larger
  double tolerance_change = 1e-9; ///< stop when loss or parameters change less
  std::int64_t history_size = 100;
  LineSearch line_search = LineSearch::none;
  bool maximize = false;
};

/// L-BFGS (Liu and Nocedal 1989): directions from the last differences of parameters and gradients, kept where y.s > 1e-10. The first
/// direction has length min(1, 1 / |g|_1) lr. One group; a parameter without a gradient counts as one with gradient 0. Flat vectors are
/// float64 if any parameter is, else float32.
class Lbfgs final : public Optimizer {
 public:
  /// ValueError for an illegal option; the sentence names the legal range.
  explicit Lbfgs(NamedTensors parameters, LbfgsOptions options = {});
  explicit Lbfgs(const std::vector<Tensor>& parameters, LbfgsOptions options = {}) : Lbfgs(numbered(parameters), options) {}

  /// Up to max_iter directions. `loss` must compute the loss and new gradients (zero_grad, backward); it is called once per evaluation.
  /// Returns the loss before the step.
  Tensor step(const std::function<Tensor()>& loss) override;
  /// FailedPrecondition: the method needs the loss.
  [[noreturn]] void step() override;
  [[noreturn]] void set_momentum(double momentum) override;

  /// "lbfgs.n_iter", "lbfgs.func_evals", "lbfgs.numbers" (step length, scale of the first Hessian, last loss), "lbfgs.d", "lbfgs.prev_flat_grad", and
  /// "lbfgs.old_dirs", "lbfgs.old_stps" with one row per remembered pair.
  NamedTensors state() const override;
  void load(const NamedTensors& state) override;
  [[noreturn]] StateDict state_dict() const override;
  [[noreturn]] void load_state_dict(const StateDict& saved) override;

 private:
  struct Pair { Tensor y, s; double rho; };  ///< differences of gradients and parameters, 1 / y.s
  Tensor flat(bool gradients) const;
  void place(const Tensor& x) const;
  void remember(const Tensor& g);
  Tensor direction(const Tensor& g) const;

  LbfgsOptions options_;
  Dtype dtype_ = Dtype::float32;
  std::int64_t size_ = 0, n_iter_ = 0, func_evals_ = 0;
  double length_ = 0, scale_ = 1, previous_loss_ = 0;
  Tensor d_, previous_grad_;
  std::vector<Pair> pairs_;
};

}  // namespace rill::optim
