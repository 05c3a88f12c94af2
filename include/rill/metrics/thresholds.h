// Two classes predicted by scores: what happens at every threshold. Metrics as described in rill/metrics/mean.h.
#pragma once

#include <vector>

#include <rill/core/tensor.h>

namespace rill::metrics {

/// Weights of the four cases at each threshold; a score above the threshold is positive. Scores and thresholds are compared in float32.
struct ThresholdCounts {
  std::vector<double> true_positives, false_positives, true_negatives, false_negatives;
};

/// What metrics with thresholds share.
class ThresholdMetric {
 public:
  /// Scores in [0, 1]; labels count as true where they are not 0. ShapeError when shapes differ or weights do not broadcast, ValueError for a score
  /// outside [0, 1] or NaN.
  void update(const Tensor& scores, const Tensor& labels, const Tensor& weights = {});
  void reset();
  ThresholdCounts counts() const;

 protected:
  /// In increasing order; ValueError when there are none or they do not increase.
  ThresholdMetric(const char* op, std::vector<double> thresholds);
  ~ThresholdMetric() = default;
  /// ValueError when the thresholds differ.
  void add(const ThresholdMetric& other);

 private:
  const char* op_;
  std::vector<float> thresholds_;
  std::vector<double> positives_, negatives_;  // weight of the labels whose score lies above exactly i thresholds
};

/// tp / (tp + fp + 1e-7) at each threshold.
class PrecisionAtThresholds : public ThresholdMetric {
 public:
  explicit PrecisionAtThresholds(std::vector<double> thresholds) : ThresholdMetric("PrecisionAtThresholds", std::move(thresholds)) {}
  std::vector<double> value() const;
  void merge(const PrecisionAtThresholds& other) { add(other); }
};
/// tp / (tp + fn + 1e-7) at each threshold.
class RecallAtThresholds : public ThresholdMetric {
 public:
  explicit RecallAtThresholds(std::vector<double> thresholds) : ThresholdMetric("RecallAtThresholds", std::move(thresholds)) {}
  std::vector<double> value() const;
  void merge(const RecallAtThresholds& other) { add(other); }
};

enum class Curve : std::uint8_t {
  roc,  ///< recall over the share of false positives fp / (fp + tn)
  pr    ///< precision over recall
};
enum class Summation : std::uint8_t {
  trapezoidal,           ///< biased upwards for Curve::pr
  careful_interpolation  ///< Davis and Goadrich 2006: true positives grow linearly between thresholds; for Curve::pr only
};
struct AucOptions {
  std::int64_t num_thresholds = 200;  ///< evenly spaced over [0, 1]; at least 2
  Curve curve = Curve::roc;
  Summation summation = Summation::trapezoidal;
};

/// The area under a curve through the points of all thresholds, as TensorFlow approximates it. roc_auc is exact.
class Auc : public ThresholdMetric {
 public:
  /// ValueError for less than two thresholds, or careful interpolation of another curve.
  explicit Auc(AucOptions options = {});
  double value() const;
  void merge(const Auc& other) { add(other); }

 private:
  AucOptions options_;
};

/// The exact area under the ROC curve: the probability that a positive example scores higher than a negative one, ties counting half (Mann and Whitney 1947).
/// Any finite scores. ShapeError when shapes differ, ValueError for NaN or when a class is missing.
double roc_auc(const Tensor& scores, const Tensor& labels);

}  // namespace rill::metrics
