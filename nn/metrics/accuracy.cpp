#include <rill/metrics/accuracy.h>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

#include "nn/metrics/arguments.h"

namespace rill::metrics {

Tensor class_ids(const char* op, const Tensor& predictions, const Tensor& labels) {
  check_defined(op, predictions, "predictions");
  check_defined(op, labels, "labels");
  const bool scores = predictions.dim() == labels.dim() + 1;
  bool fits = scores || predictions.dim() == labels.dim();
  for (int k = 0; fits && k < labels.shape().rank(); ++k) fits = predictions.shape()[k] == labels.shape()[k];
  check<ShapeError>(fits, op, "predictions have shape {}, labels {}; expected one shape, or scores with one axis more", predictions.shape(), labels.shape());
  return scores ? argmax(predictions.detach(), -1) : predictions.detach();
}

Tensor in_top_k(const Tensor& scores, const Tensor& targets, std::int64_t k) {
  const char* op = "in_top_k";
  check_defined(op, scores, "scores");
  check_defined(op, targets, "targets");
  check<ShapeError>(scores.dim() == 2 && targets.dim() == 1 && scores.size(0) == targets.size(0), op,
                    "scores have shape {}, targets {}; expected [N, C] and [N]", scores.shape(), targets.shape());
  check<ValueError>(k >= 1, op, "k is {}; expected at least 1", k);
  const NoGrad off;
  const std::int64_t classes = scores.size(1);
  const Tensor t = targets.to(int64), inside = logical_and(ge(t, 0), lt(t, classes));
  if (classes == 0) return inside;
  const Tensor x = scores.detach(), own = gather(x, 1, where(inside, t, 0).unsqueeze(1));
  return logical_and(logical_and(inside, all(isfinite(x), 1)), lt(sum(gt(x, own), {1}), k));
}

double accuracy(const Tensor& predictions, const Tensor& labels) {
  Accuracy a;
  a.update(predictions, labels);
  return a.value();
}
double top_k_accuracy(const Tensor& scores, const Tensor& targets, std::int64_t k) {
  TopKAccuracy a(k);
  a.update(scores, targets);
  return a.value();
}

void Accuracy::update(const Tensor& predictions, const Tensor& labels, const Tensor& weights) {
  const NoGrad off;
  mean_.update(eq(class_ids("Accuracy", predictions, labels), labels), weights);
}
void TopKAccuracy::update(const Tensor& scores, const Tensor& targets, const Tensor& weights) { mean_.update(in_top_k(scores, targets, k_), weights); }

}  // namespace rill::metrics
