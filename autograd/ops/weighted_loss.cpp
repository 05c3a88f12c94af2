// tf.losses: weights per element and what is divided by.
#include <rill/ops/weighted_loss.h>

#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/view.h>

#include "autograd/autocast.h"
#include "autograd/loss.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

/// a / b, 0 where b is 0.
Tensor safe_quotient(const Tensor& a, const Tensor& b) {
  const Tensor zero = eq(b, 0);
  return where(zero, 0, a / where(zero, 1, b));
}

}  // namespace

Tensor weighted_loss(const Tensor& losses, const Tensor& weight, WeightedReduction reduction) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&weighted_loss, losses, weight, reduction);
  const OpRange here("weighted_loss", losses, weight);
  constexpr const char* op = "weighted_loss";
  const Tensor l = input_of(op, losses);
  const Tensor w = weight.defined() ? expand(weight_of(op, "the weight", weight, losses), l.shape()) : ones(l.shape(), {.dtype = l.dtype(), .device = l.device()});
  const Tensor weighted = l * w;
  if (reduction == WeightedReduction::none) return finish(weighted, Reduction::none, losses);
  const Tensor total = sum(weighted);
  Tensor divisor;
  if (reduction == WeightedReduction::mean) divisor = full({}, static_cast<double>(l.numel()), {.dtype = l.dtype(), .device = l.device()});
  if (reduction == WeightedReduction::mean_nonzero_weight) divisor = count_nonzero(w.detach()).to(l.dtype());
  if (reduction == WeightedReduction::weighted_mean) divisor = sum(w);
  return finish(divisor.defined() ? safe_quotient(total, divisor) : total, Reduction::none, losses);
}

Tensor hinge_loss(const Tensor& logits, const Tensor& target, Reduction reduction) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&hinge_loss, logits, target, reduction);
  const OpRange here("hinge_loss", logits, target);
  const Tensor x = input_of("hinge_loss", logits), y = target_of("hinge_loss", target, logits);
  return finish(relu(1 - (2 * y - 1) * x), reduction, logits);
}

Tensor log_loss(const Tensor& input, const Tensor& target, double eps, Reduction reduction) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&log_loss, input, target, eps, reduction);
  const OpRange here("log_loss", input, target);
  const Tensor x = input_of("log_loss", input), y = target_of("log_loss", target, input);
  return finish(-(y * log(x + eps)) - (1 - y) * log(1 - x + eps), reduction, input);
}

Tensor cosine_distance(const Tensor& a, const Tensor& b, std::int64_t axis, Reduction reduction) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&cosine_distance, a, b, axis, reduction);
  const OpRange here("cosine_distance", a, b);
  const Tensor x = input_of("cosine_distance", a), y = target_of("cosine_distance", b, a);
  return finish(1 - sum(x * y, {axis}, true), reduction, a);
}

Tensor mean_pairwise_squared_error(const Tensor& input, const Tensor& target, Reduction reduction) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&mean_pairwise_squared_error, input, target, reduction);
  const OpRange here("mean_pairwise_squared_error", input, target);
  constexpr const char* op = "mean_pairwise_squared_error";
  const Tensor x = input_of(op, input), y = target_of(op, target, input);
  check<ShapeError>(x.dim() >= 1, op, "the input is one number; expected [N, ...]");
  const std::int64_t samples = x.size(0);
  std::int64_t n = 1;
  for (std::int64_t a = 1; a < x.dim(); ++a) n *= x.size(a);
  // over the n (n - 1) ordered pairs: 2 sum(d^2) / (n - 1) - 2 sum(d)^2 / (n (n - 1))
  const Tensor d = reshape(x - y, {samples, n});
  if (n <= 1) return finish(sum(d, {1}) * 0, reduction, input);
  const Tensor centered = d - mean(d, {1}, true);  // the same without cancellation
  return finish(sum(square(centered), {1}) * (2 / static_cast<double>(n - 1)), reduction, input);
}

}  // namespace rill
