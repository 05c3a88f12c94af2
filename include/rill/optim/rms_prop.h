// RMSProp.
#pragma once

#include <rill/optim/optimizer.h>

namespace rill::optim {

/// The last three options make the dialect of TensorFlow: `{.lr = 0.045, .alpha = 0.9, .eps = 1, .momentum = 0.9, .initial_mean_square = 1,
/// .eps_inside_root = true, .lr_in_buffer = true}` is what its recipe for Inception means. With other semantics such numbers give
/// steps of another order of magnitude.
struct RmsPropOptions {
  double lr = 1e-2;
  double alpha = 0.99;      ///< v = alpha v + (1 - alpha) g^2
  double eps = 1e-8;
  double weight_decay = 0;  ///< added to the gradient: g + weight_decay p
  double momentum = 0;
  bool centered = false;    ///< v minus the square of the mean gradient: an estimate of the variance (Graves 2013)
  bool maximize = false;
  double initial_mean_square = 0;
  bool eps_inside_root = false;  ///< d = g / sqrt(v + eps), not g / (sqrt(v) + eps)
  bool lr_in_buffer = false;     ///< b = momentum b + lr d; p -= b: a change of lr does not act on the past
};
extern template class GroupedOptimizer<RmsPropOptions>;

/// d = g / (sqrt(v) + eps); b = momentum b + d; p -= lr b (Tieleman and Hinton 2012). State: "square_avg", "grad_avg" when centered,
/// "momentum_buffer" with momentum, "step".
class RmsProp final : public GroupedOptimizer<RmsPropOptions> {
 public:
  using GroupedOptimizer::GroupedOptimizer;
};

}  // namespace rill::optim
