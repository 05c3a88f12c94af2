// PyTorch's learning rate schedulers as functions of the number of steps (or epochs) done: `optimizer.set_lr(rate(epoch))` takes the place of
// `scheduler.step()`, and there is no state to save. `base` is the rate that a PyTorch optimizer starts with. With the default base 1 they
// give factors: `optimizer.scale_lr(rate(epoch))` multiplies the rate that each group was given, as PyTorch's schedulers do.
//
//   StepLR             StepLr             LambdaLR           LambdaLr             CosineAnnealingWarmRestarts  the same
//   MultiStepLR        MultiStepLr        MultiplicativeLR   MultiplicativeLr     OneCycleLR                   OneCycleLr
//   ExponentialLR      ExponentialLr      LinearLR           LinearLr             CyclicLR                     CyclicLr
//   CosineAnnealingLR  CosineAnnealingLr  ConstantLR         ConstantLr           SequentialLR                 SequentialLr
//   PolynomialLR       PolynomialLr       SWALR              SwaLr                ChainedScheduler             ChainedScheduler
//   ReduceLROnPlateau  ReduceLrOnPlateau, which has state (reduce_lr_on_plateau.h)
//
// All throw ValueError for a negative step and for numbers that make no sense; the sentence names the legal range.
#pragma once

#include <rill/optim/schedule.h>

namespace rill::optim {

/// base gamma^floor(step / step_size).
struct StepLr {
  double base = 1;
  std::int64_t step_size;
  double gamma = 0.1;
  double operator()(std::int64_t step) const;
};
/// base gamma^(number of milestones <= step); a repeated milestone counts again.
struct MultiStepLr {
  double base = 1;
  std::vector<std::int64_t> milestones;
  double gamma = 0.1;
  double operator()(std::int64_t step) const;
};
/// base gamma^step.
struct ExponentialLr {
  double base = 1;
  double gamma;
  double operator()(std::int64_t step) const;
};
/// eta_min + (base - eta_min) (1 + cos(pi step / T_max)) / 2, also after T_max: it climbs back and goes on swinging.
struct CosineAnnealingLr {
  double base = 1;
  std::int64_t T_max;
  double eta_min = 0;
  double operator()(std::int64_t step) const;
};
/// The same with restarts: a period takes T_0 steps, each further one T_mult times as many (Loshchilov and Hutter, "SGDR", 2017).
struct CosineAnnealingWarmRestarts {
  double base = 1;
  std::int64_t T_0;
  std::int64_t T_mult = 1;
  double eta_min = 0;
  double operator()(std::int64_t step) const;
};
/// base f(step).
struct LambdaLr {
  double base = 1;
  Schedule lr_lambda;
  double operator()(std::int64_t step) const;
};
/// base f(1) f(2) ... f(step); calls f `step` times.
struct MultiplicativeLr {
  double base = 1;
  Schedule lr_lambda;
  double operator()(std::int64_t step) const;
};
/// From base start_factor to base end_factor in total_iters steps, along a line.
struct LinearLr {
  double base = 1;
  double start_factor = 1.0 / 3;  ///< in (0, 1]
  double end_factor = 1;          ///< in [0, 1]
  std::int64_t total_iters = 5;
  double operator()(std::int64_t step) const;
};
/// base factor until total_iters, then base.
struct ConstantLr {
  double base = 1;
  double factor = 1.0 / 3;  ///< in [0, 1]
  std::int64_t total_iters = 5;
  double operator()(std::int64_t step) const;
};
/// base (1 - step / total_iters)^power, 0 from total_iters on.
struct PolynomialLr {
  double base = 1;
  std::int64_t total_iters = 5;
  double power = 1;
  double operator()(std::int64_t step) const;
};

enum class AnnealStrategy : std::uint8_t { cos, linear };

/// Up from max_lr / div_factor to max_lr in the first pct_start of the steps, then down to max_lr / div_factor / final_div_factor in the others; with
/// three_phase down to the start in as many steps as up, then to the end. Smith and Topin, "Super-convergence" (2018). ValueError for a step outside
/// [0, total_steps).
struct OneCycleLr {
  double max_lr;
  std::int64_t total_steps;
  double pct_start = 0.3;  ///< in [0, 1]
  AnnealStrategy anneal_strategy = AnnealStrategy::cos;
  double base_momentum = 0.85;
  double max_momentum = 0.95;
  double div_factor = 25;
  double final_div_factor = 1e4;
  bool three_phase = false;
  double operator()(std::int64_t step) const;
  /// For `optimizer.set_momentum`: the mirror image, from max_momentum to base_momentum and back.
  double momentum(std::int64_t step) const;
};

enum class CyclicMode : std::uint8_t { triangular, triangular2, exp_range };

/// Triangles between base_lr and max_lr: up in step_size_up steps, down in step_size_down. `triangular2` halves the height after each of them,
/// `exp_range` multiplies it by gamma^step. Smith, "Cyclical learning rates" (2017).
struct CyclicLr {
  double base_lr;
  double max_lr;
  std::int64_t step_size_up = 2000;
  std::int64_t step_size_down = 0;  ///< 0: as step_size_up
  CyclicMode mode = CyclicMode::triangular;
  double gamma = 1;
  double base_momentum = 0.8;
  double max_momentum = 0.9;
  double operator()(std::int64_t step) const;
  /// For `optimizer.set_momentum`: the mirror image, from max_momentum down to base_momentum.
  double momentum(std::int64_t step) const;
};

/// From base to swa_lr in anneal_epochs steps, then swa_lr: for SwaAverage.
struct SwaLr {
  double base = 1;
  double swa_lr;
  std::int64_t anneal_epochs = 10;
  AnnealStrategy anneal_strategy = AnnealStrategy::cos;
  double operator()(std::int64_t step) const;
};

/// schedules[0] up to milestones[0], from there schedules[1], and so on; each starts at its own step 0. Milestones increase, and there is one schedule more.
struct SequentialLr {
  std::vector<Schedule> schedules;
  std::vector<std::int64_t> milestones;
  double operator()(std::int64_t step) const;
};
/// base times the product of the schedules, which are made with base 1. PyTorch's chain gives the same where its schedulers multiply the present rate,
/// which LambdaLR and a cosine with eta_min above 0 do not.
struct ChainedScheduler {
  double base = 1;
  std::vector<Schedule> schedules;
  double operator()(std::int64_t step) const;
};

}  // namespace rill::optim
