// The losses and reductions of tf.losses, where every element has a weight. Losses of rill/ops/loss.h take part with Reduction::none:
// `weighted_loss(mse_loss(p, y, Reduction::none), w)` is tf.losses.mean_squared_error. Differentiable any number of times.
#pragma once

#include <rill/ops/loss.h>

namespace rill {

enum class WeightedReduction : std::uint8_t {
  none,                 ///< w l
  sum,                  ///< sum(w l)
  mean,                 ///< sum(w l) / count of l (SUM_OVER_BATCH_SIZE)
  mean_nonzero_weight,  ///< sum(w l) / count of w that are not 0, after broadcasting (SUM_BY_NONZERO_WEIGHTS, the default)
  weighted_mean,        ///< sum(w l) / sum(w) (MEAN)
};
/// Losses of single elements, weighted and reduced. The weight broadcasts to the losses (ShapeError), none is 1; a division by 0 gives 0.
Tensor weighted_loss(const Tensor& losses, const Tensor& weight = {}, WeightedReduction reduction = WeightedReduction::mean_nonzero_weight);

/// max(0, 1 - (2 y - 1) x) for logits x and y = 0 or 1.
Tensor hinge_loss(const Tensor& logits, const Tensor& target, Reduction reduction = Reduction::mean);
/// -y log(x + eps) - (1 - y) log(1 - x + eps) for probabilities x.
Tensor log_loss(const Tensor& input, const Tensor& target, double eps = 1e-7, Reduction reduction = Reduction::mean);
/// 1 - sum(a b) along an axis, which stays with size 1; a and b are expected to have length 1.
Tensor cosine_distance(const Tensor& a, const Tensor& b, std::int64_t axis = -1, Reduction reduction = Reduction::mean);
/// The mean of ((x_i - x_j) - (y_i - y_j))^2 over all pairs of elements of a sample (axis 0), 0 for a single element; one value per sample.
Tensor mean_pairwise_squared_error(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::sum);

}  // namespace rill
