#include <rill/metrics/binary.h>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

#include "nn/metrics/arguments.h"

namespace rill::metrics {

void BinaryCounts::update(const Tensor& predictions, const Tensor& labels, const Tensor& weights) {
  const char* op = "BinaryCounts";
  check_same_shape(op, "predictions", predictions, "labels", labels);
  const NoGrad off;
  const Tensor p = ne(predictions.detach(), 0), l = ne(labels.detach(), 0), w = broadcast_weights(op, weights, labels.shape());
  const auto total = [&](const Tensor& chosen) { return w.defined() ? sum(where(chosen, w, 0)).item<double>() : sum(chosen).item<double>(); };
  const Tensor not_p = logical_not(p), not_l = logical_not(l);
  true_positives += total(logical_and(p, l)), false_positives += total(logical_and(p, not_l));
  true_negatives += total(logical_and(not_p, not_l)), false_negatives += total(logical_and(not_p, l));
}
void BinaryCounts::merge(const BinaryCounts& other) {
  true_positives += other.true_positives, false_positives += other.false_positives;
  true_negatives += other.true_negatives, false_negatives += other.false_negatives;
}

}  // namespace rill::metrics
