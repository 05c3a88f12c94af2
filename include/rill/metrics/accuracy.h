// How often the predicted class is right. Metrics as described in rill/metrics/mean.h.
#pragma once

#include <rill/metrics/mean.h>

namespace rill::metrics {

/// The share of right predictions: classes of the shape of the labels, or scores with one axis more, whose largest value counts (the first of several).
/// ShapeError for other shapes.
double accuracy(const Tensor& predictions, const Tensor& labels);
/// For each row of scores [N, C] whether fewer than k classes score strictly more than the target class (classes that tie are inside). False when the target
/// is outside 0..C-1 or a score of the row is not finite. bool [N]. ShapeError, and ValueError unless k >= 1.
Tensor in_top_k(const Tensor& scores, const Tensor& targets, std::int64_t k);
/// The share of rows for which it holds.
double top_k_accuracy(const Tensor& scores, const Tensor& targets, std::int64_t k);

/// accuracy() over many batches.
class Accuracy : public MeanOf<Accuracy> {
 public:
  void update(const Tensor& predictions, const Tensor& labels, const Tensor& weights = {});
};
/// top_k_accuracy() over many batches.
class TopKAccuracy : public MeanOf<TopKAccuracy> {
 public:
  explicit TopKAccuracy(std::int64_t k = 5) : k_(k) {}
  void update(const Tensor& scores, const Tensor& targets, const Tensor& weights = {});

 private:
  std::int64_t k_;
};

}  // namespace rill::metrics
