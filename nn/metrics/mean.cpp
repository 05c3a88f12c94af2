#include <rill/metrics/mean.h>

#include <cmath>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

#include "nn/metrics/arguments.h"

namespace rill::metrics {
namespace {

Tensor wide(const Tensor& x) { return x.detach().to(float64); }
Tensor difference(const char* op, const Tensor& p, const Tensor& t) {
  check_same_shape(op, "predictions", p, "targets", t);
  return wide(p) - wide(t);
}

}  // namespace

Tensor broadcast_weights(const char* op, const Tensor& weights, const Shape& shape) {
  if (!weights.defined()) return {};
  bool fits = weights.dim() <= shape.rank();
  for (int k = 1; fits && k <= weights.shape().rank(); ++k) {
    const auto own = weights.shape()[weights.shape().rank() - k];
    fits = own == 1 || own == shape[shape.rank() - k];
  }
  check<ShapeError>(fits, op, "weights of shape {} do not broadcast to values of shape {}", weights.shape(), shape);
  return weights.detach().to(float64).expand(shape);
}

void Mean::update(const Tensor& values, const Tensor& weights) {
  const char* op = "Mean";
  check_defined(op, values, "values");
  const NoGrad off;
  const Tensor x = wide(values), w = broadcast_weights(op, weights, values.shape());
  total_ += sum(w.defined() ? where(eq(w, 0), 0, x * w) : x).item<double>();
  weight_ += w.defined() ? sum(w).item<double>() : static_cast<double>(x.numel());
}

void MeanSquaredError::update(const Tensor& p, const Tensor& t, const Tensor& w) {
  const NoGrad off;
  mean_.update(square(difference("MeanSquaredError", p, t)), w);
}
void RootMeanSquaredError::update(const Tensor& p, const Tensor& t, const Tensor& w) {
  const NoGrad off;
  mean_.update(square(difference("RootMeanSquaredError", p, t)), w);
}
double RootMeanSquaredError::value() const { return std::sqrt(mean_.value()); }
void MeanAbsoluteError::update(const Tensor& p, const Tensor& t, const Tensor& w) {
  const NoGrad off;
  mean_.update(abs(difference("MeanAbsoluteError", p, t)), w);
}
void MeanRelativeError::update(const Tensor& p, const Tensor& t, const Tensor& normalizer, const Tensor& w) {
  check_defined("MeanRelativeError", normalizer, "the normalizer");
  const NoGrad off;
  const Tensor d = abs(difference("MeanRelativeError", p, t)), n = wide(normalizer).expand(t.shape()), none = eq(n, 0);
  mean_.update(where(none, 0, d / where(none, 1, n)), w);
}
void MeanCosineDistance::update(const Tensor& p, const Tensor& t, const Tensor& w) {
  check_same_shape("MeanCosineDistance", "predictions", p, "targets", t);
  const NoGrad off;
  mean_.update(sum(wide(p) * wide(t), {axis_}), w);
}
void PercentageBelow::update(const Tensor& values, const Tensor& weights) {
  check_defined("PercentageBelow", values, "values");
  const NoGrad off;
  mean_.update(lt(wide(values), threshold_), weights);
}

}  // namespace rill::metrics
