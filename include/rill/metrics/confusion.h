// Which classes are taken for which. Metrics as described in rill/metrics/mean.h.
#pragma once

#include <vector>

#include <rill/core/tensor.h>

namespace rill::metrics {

/// Element [l, p] is the weight of the examples of class l that were predicted as class p.
class ConfusionMatrix {
 public:
  /// ValueError unless there is at least one class.
  explicit ConfusionMatrix(std::int64_t classes);
  /// Classes of the shape of the labels, or scores with one axis more, whose largest value counts. ShapeError for other shapes or weights that do not
  /// broadcast; IndexError for a class outside 0..C-1, and then nothing is counted.
  void update(const Tensor& predictions, const Tensor& labels, const Tensor& weights = {});
  Tensor value() const;  ///< float64 [C, C]
  void reset();
  /// ValueError when the numbers of classes differ.
  void merge(const ConfusionMatrix& other);

 private:
  friend class MeanIou;
  friend class MeanPerClassAccuracy;
  double at(std::int64_t label, std::int64_t prediction) const { return weight_[static_cast<std::size_t>(label * classes_ + prediction)]; }
  double row(std::int64_t label) const;
  double column(std::int64_t prediction) const;
  std::int64_t classes_;
  std::vector<double> weight_;
};

/// Intersection over union of each class, its diagonal over row + column - diagonal; the mean over the classes that occur among labels or predictions.
class MeanIou {
 public:
  explicit MeanIou(std::int64_t classes) : matrix_(classes) {}
  void update(const Tensor& predictions, const Tensor& labels, const Tensor& weights = {}) { matrix_.update(predictions, labels, weights); }
  double value() const;
  void reset() { matrix_.reset(); }
  void merge(const MeanIou& other) { matrix_.merge(other.matrix_); }
  const ConfusionMatrix& matrix() const { return matrix_; }

 private:
  ConfusionMatrix matrix_;
};

/// The recall of each class; the mean over all classes, absent ones counting 0.
class MeanPerClassAccuracy {
 public:
  explicit MeanPerClassAccuracy(std::int64_t classes) : matrix_(classes) {}
  void update(const Tensor& predictions, const Tensor& labels, const Tensor& weights = {}) { matrix_.update(predictions, labels, weights); }
  double value() const;
  void reset() { matrix_.reset(); }
  void merge(const MeanPerClassAccuracy& other) { matrix_.merge(other.matrix_); }
  const ConfusionMatrix& matrix() const { return matrix_; }

 private:
  ConfusionMatrix matrix_;
};

}  // namespace rill::metrics
