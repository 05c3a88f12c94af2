// Streaming means over the batches of an evaluation. A mean over all elements is not the mean of batch means when the last batch is short.
//
// Every metric has update (one batch), value, reset and merge (the result of another part of the data). Values and targets may have any
// dtype and are taken off the tape. Sums run in double on the host. Weights broadcast to the values; a weight of 0 removes an element, whatever its value.
// Without any weight the value is 0.
#pragma once

#include <rill/core/tensor.h>

namespace rill::metrics {

/// sum(w x) / sum(w).
class Mean {
 public:
  /// ShapeError when the weights do not broadcast to the values; so below.
  void update(const Tensor& values, const Tensor& weights = {});
  double value() const { return weight_ == 0 ? 0 : total_ / weight_; }
  double total() const { return total_; }
  double weight() const { return weight_; }
  void reset() { *this = {}; }
  void merge(const Mean& other) { add(other.total_, other.weight_); }
  /// Sums that were formed elsewhere: of w x, and of w.
  void add(double total, double weight) { total_ += total, weight_ += weight; }

 private:
  double total_ = 0, weight_ = 0;
};

/// What metrics that are the mean of something share.
template <class Self> class MeanOf {
 public:
  double value() const { return mean_.value(); }
  void reset() { mean_.reset(); }
  void merge(const Self& other) { mean_.merge(static_cast<const MeanOf&>(other).mean_); }

 protected:
  Mean mean_;
};

/// Of (p - t)^2. ShapeError when predictions and targets have different shapes; so below.
class MeanSquaredError : public MeanOf<MeanSquaredError> {
 public:
  void update(const Tensor& predictions, const Tensor& targets, const Tensor& weights = {});
};
/// The root of it.
class RootMeanSquaredError : public MeanOf<RootMeanSquaredError> {
 public:
  void update(const Tensor& predictions, const Tensor& targets, const Tensor& weights = {});
  double value() const;
};
/// Of |p - t|.
class MeanAbsoluteError : public MeanOf<MeanAbsoluteError> {
 public:
  void update(const Tensor& predictions, const Tensor& targets, const Tensor& weights = {});
};
/// Of |p - t| / normalizer, 0 where the normalizer is 0; it broadcasts to the targets.
class MeanRelativeError : public MeanOf<MeanRelativeError> {
 public:
  void update(const Tensor& predictions, const Tensor& targets, const Tensor& normalizer, const Tensor& weights = {});
};
/// 1 - the mean of sum(p t) along an axis, for vectors of length 1. Weights have the shape without that axis.
class MeanCosineDistance : public MeanOf<MeanCosineDistance> {
 public:
  explicit MeanCosineDistance(std::int64_t axis = -1) : axis_(axis) {}
  void update(const Tensor& predictions, const Tensor& targets, const Tensor& weights = {});
  double value() const { return 1 - mean_.value(); }

 private:
  std::int64_t axis_;
};
/// The share of values below a threshold.
class PercentageBelow : public MeanOf<PercentageBelow> {
 public:
  explicit PercentageBelow(double threshold) : threshold_(threshold) {}
  void update(const Tensor& values, const Tensor& weights = {});

 private:
  double threshold_;
};

}  // namespace rill::metrics
