// Of several right classes an example may have: how many are among the k largest scores. Metrics as described in rill/metrics/mean.h.
#pragma once

#include <rill/metrics/mean.h>

namespace rill::metrics {

/// What metrics of the k largest scores share. Scores [N, C] or any leading axes; labels are the right classes: the shape of the scores without
/// their last axis (one class each), or with a last axis of their own (sets; a class that occurs twice counts once). Classes outside of 0..C-1 are
/// never found, but count as labels of recall, as in TensorFlow. Of equal scores the first count. Weights have the shape without the last axis.
/// ShapeError for other shapes, ValueError unless 1 <= k <= C.
template <class Self> class TopKMetric : public MeanOf<Self> {
 public:
  explicit TopKMetric(std::int64_t k) : k_(k) {}

 protected:
  std::int64_t k_;
};

/// The share of labels that are among the k largest scores.
class RecallAtK : public TopKMetric<RecallAtK> {
 public:
  using TopKMetric::TopKMetric;
  void update(const Tensor& scores, const Tensor& labels, const Tensor& weights = {});
};
/// The share of the k largest scores whose class is a label.
class PrecisionAtK : public TopKMetric<PrecisionAtK> {
 public:
  using TopKMetric::TopKMetric;
  void update(const Tensor& scores, const Tensor& labels, const Tensor& weights = {});
};
/// The mean over examples of (sum over the places i = 1..k of a label: the precision at i) / min(k, labels that are classes); 0 for an example
/// without labels, where TensorFlow's is NaN. TensorFlow divides by a label that occurs twice as by two.
class AveragePrecisionAtK : public TopKMetric<AveragePrecisionAtK> {
 public:
  using TopKMetric::TopKMetric;
  void update(const Tensor& scores, const Tensor& labels, const Tensor& weights = {});
};

}  // namespace rill::metrics
