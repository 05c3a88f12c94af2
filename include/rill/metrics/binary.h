// Two classes: right and wrong positives. Metrics as described in rill/metrics/mean.h. Predictions and labels count as true where they are not 0.
#pragma once

#include <rill/core/tensor.h>

namespace rill::metrics {

/// Weights of the four cases.
struct BinaryCounts {
  double true_positives = 0, false_positives = 0, true_negatives = 0, false_negatives = 0;
  /// ShapeError when shapes differ or weights do not broadcast.
  void update(const Tensor& predictions, const Tensor& labels, const Tensor& weights = {});
  void merge(const BinaryCounts& other);
};

/// What metrics of the four cases share.
template <class Self> class BinaryMetric {
 public:
  void update(const Tensor& predictions, const Tensor& labels, const Tensor& weights = {}) { counts_.update(predictions, labels, weights); }
  void reset() { counts_ = {}; }
  void merge(const Self& other) { counts_.merge(static_cast<const BinaryMetric&>(other).counts_); }
  const BinaryCounts& counts() const { return counts_; }

 protected:
  static double ratio(double a, double b) { return b == 0 ? 0 : a / b; }
  BinaryCounts counts_;
};

/// How many of those predicted true are true: tp / (tp + fp).
class Precision : public BinaryMetric<Precision> {
 public:
  double value() const { return ratio(counts_.true_positives, counts_.true_positives + counts_.false_positives); }
};
/// How many of those that are true were predicted: tp / (tp + fn).
class Recall : public BinaryMetric<Recall> {
 public:
  double value() const { return ratio(counts_.true_positives, counts_.true_positives + counts_.false_negatives); }
};
/// The harmonic mean of both: 2 tp / (2 tp + fp + fn).
class F1 : public BinaryMetric<F1> {
 public:
  double value() const { return ratio(2 * counts_.true_positives, 2 * counts_.true_positives + counts_.false_positives + counts_.false_negatives); }
};

}  // namespace rill::metrics
