#include <rill/metrics/confusion.h>

#include <rill/ops/create.h>
#include <rill/ops/view.h>

#include "nn/metrics/arguments.h"

namespace rill::metrics {

ConfusionMatrix::ConfusionMatrix(std::int64_t classes) : classes_(classes) {
  check<ValueError>(classes >= 1, "ConfusionMatrix", "there are {} classes; expected at least 1", classes);
  reset();
}
void ConfusionMatrix::reset() { weight_.assign(static_cast<std::size_t>(classes_ * classes_), 0); }

void ConfusionMatrix::update(const Tensor& predictions, const Tensor& labels, const Tensor& weights) {
  const char* op = "ConfusionMatrix";
  const auto p = class_ids(op, predictions, labels).to_vector<std::int64_t>(), l = labels.to_vector<std::int64_t>();
  const Tensor w = broadcast_weights(op, weights, labels.shape());
  const auto weight = w.defined() ? w.to_vector<double>() : std::vector<double>();
  for (std::size_t i = 0; i < l.size(); ++i) {
    check<IndexError>(l[i] >= 0 && l[i] < classes_, op, "label {} is {}, classes are 0..{}", i, l[i], classes_ - 1);
    check<IndexError>(p[i] >= 0 && p[i] < classes_, op, "prediction {} is {}, classes are 0..{}", i, p[i], classes_ - 1);
  }
  for (std::size_t i = 0; i < l.size(); ++i) weight_[static_cast<std::size_t>(l[i] * classes_ + p[i])] += weight.empty() ? 1 : weight[i];
}
Tensor ConfusionMatrix::value() const { return tensor(weight_).reshape({classes_, classes_}); }
void ConfusionMatrix::merge(const ConfusionMatrix& other) {
  check<ValueError>(classes_ == other.classes_, "ConfusionMatrix", "matrices of {} and {} classes cannot be merged", classes_, other.classes_);
  for (std::size_t i = 0; i < weight_.size(); ++i) weight_[i] += other.weight_[i];
}
double ConfusionMatrix::row(std::int64_t label) const {
  double sum = 0;
  for (std::int64_t k = 0; k < classes_; ++k) sum += at(label, k);
  return sum;
}
double ConfusionMatrix::column(std::int64_t prediction) const {
  double sum = 0;
  for (std::int64_t k = 0; k < classes_; ++k) sum += at(k, prediction);
  return sum;
}

double MeanIou::value() const {
  double sum = 0, occurring = 0;
  for (std::int64_t k = 0; k < matrix_.classes_; ++k) {
    const double both = matrix_.at(k, k), either = matrix_.row(k) + matrix_.column(k) - both;
    if (either == 0) continue;
    sum += both / either;
    ++occurring;
  }
  return occurring == 0 ? 0 : sum / occurring;
}
double MeanPerClassAccuracy::value() const {
  double sum = 0;
  for (std::int64_t k = 0; k < matrix_.classes_; ++k)
    if (const double all = matrix_.row(k); all != 0) sum += matrix_.at(k, k) / all;
  return sum / static_cast<double>(matrix_.classes_);
}

}  // namespace rill::metrics
