#include <rill/metrics/thresholds.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <rill/ops/elementwise.h>

#include "nn/metrics/arguments.h"

namespace rill::metrics {

ThresholdMetric::ThresholdMetric(const char* op, std::vector<double> thresholds) : op_(op), thresholds_(thresholds.begin(), thresholds.end()) {
  check<ValueError>(!thresholds_.empty(), op, "there are no thresholds");
  const auto stuck = std::adjacent_find(thresholds_.begin(), thresholds_.end(), [](float a, float b) { return !(a < b); });
  check<ValueError>(stuck == thresholds_.end(), op, "the thresholds do not increase");
  reset();
}
void ThresholdMetric::reset() {
  positives_.assign(thresholds_.size() + 1, 0);
  negatives_.assign(thresholds_.size() + 1, 0);
}

void ThresholdMetric::update(const Tensor& scores, const Tensor& labels, const Tensor& weights) {
  check_same_shape(op_, "scores", scores, "labels", labels);
  const Tensor w = broadcast_weights(op_, weights, scores.shape());
  const auto s = scores.to_vector<float>();
  const auto l = ne(labels.detach(), 0).to_vector<bool>();
  const auto weight = w.defined() ? w.to_vector<double>() : std::vector<double>();
  for (std::size_t i = 0; i < s.size(); ++i)
    check<ValueError>(s[i] >= 0 && s[i] <= 1, op_, "score {} is {}; expected a number in [0, 1], as sigmoid gives", i, s[i]);
  for (std::size_t i = 0; i < s.size(); ++i) {
    const auto below = std::lower_bound(thresholds_.begin(), thresholds_.end(), s[i]) - thresholds_.begin();
    (l[i] ? positives_ : negatives_)[static_cast<std::size_t>(below)] += weight.empty() ? 1 : weight[i];
  }
}
void ThresholdMetric::add(const ThresholdMetric& other) {
  check<ValueError>(thresholds_ == other.thresholds_, op_, "metrics with different thresholds cannot be merged");
  for (std::size_t i = 0; i < positives_.size(); ++i) positives_[i] += other.positives_[i], negatives_[i] += other.negatives_[i];
}

ThresholdCounts ThresholdMetric::counts() const {
  // Above threshold i are the scores above more than i thresholds.
  const auto above = [](const std::vector<double>& by_place) {
    std::vector<double> sums(by_place.size() - 1);
    double sum = 0;
    for (std::size_t i = sums.size(); i-- > 0;) sums[i] = sum += by_place[i + 1];
    return sums;
  };
  const auto below = [](const std::vector<double>& by_place) {
    std::vector<double> sums(by_place.size() - 1);
    std::partial_sum(by_place.begin(), by_place.end() - 1, sums.begin());
    return sums;
  };
  return {above(positives_), above(negatives_), below(negatives_), below(positives_)};
}

namespace {
/// a / (a + b + eps), with eps also in the numerator for the curves.
std::vector<double> shares(const std::vector<double>& a, const std::vector<double>& b, double eps, double above = 0) {
  std::vector<double> r(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) r[i] = (a[i] + above) / (a[i] + b[i] + eps);
  return r;
}
/// The integral of precision over recall where true positives are a linear function of all positives between two thresholds.
double interpolated(const ThresholdCounts& c) {
  double area = 0;
  const auto positive = [](double x) { return std::max(x, 0.0); };
  const auto ratio = [](double a, double b) { return b > 0 ? a / b : 0; };
  for (std::size_t i = 0; i + 1 < c.true_positives.size(); ++i) {
    const double tp = c.true_positives[i + 1], gain = c.true_positives[i] - tp;
    const double all = tp + c.false_positives[i + 1], more = c.true_positives[i] + c.false_positives[i];
    const double slope = ratio(gain, positive(more - all)), start = tp - slope * all;
    const double growth = more > 0 && all > 0 ? std::log(more / all) : 0;
    area += ratio(slope * (gain + start * growth), positive(tp + c.false_negatives[i + 1]));
  }
  return area;
}
}  // namespace

std::vector<double> PrecisionAtThresholds::value() const {
  const ThresholdCounts c = counts();
  return shares(c.true_positives, c.false_positives, 1e-7);
}
std::vector<double> RecallAtThresholds::value() const {
  const ThresholdCounts c = counts();
  return shares(c.true_positives, c.false_negatives, 1e-7);
}

namespace {
std::vector<double> even_thresholds(std::int64_t n) {
  check<ValueError>(n >= 2, "Auc", "num_thresholds is {}; expected at least 2", n);
  std::vector<double> t{-1e-7};  // so that every score is above the first and none above the last
  for (std::int64_t i = 1; i + 1 < n; ++i) t.push_back(static_cast<double>(i) / static_cast<double>(n - 1));
  t.push_back(1 + 1e-7);
  return t;
}
}  // namespace

Auc::Auc(AucOptions options) : ThresholdMetric("Auc", even_thresholds(options.num_thresholds)), options_(options) {
  check<ValueError>(options.summation == Summation::trapezoidal || options.curve == Curve::pr, "Auc", "careful_interpolation is for Curve::pr; use trapezoidal");
}
double Auc::value() const {
  const ThresholdCounts c = counts();
  if (options_.summation == Summation::careful_interpolation) return interpolated(c);
  constexpr double eps = 1e-6;
  const auto recall = shares(c.true_positives, c.false_negatives, eps, eps);
  const bool roc = options_.curve == Curve::roc;
  const auto x = roc ? shares(c.false_positives, c.true_negatives, eps) : recall;
  const auto y = roc ? recall : shares(c.true_positives, c.false_positives, eps, eps);
  double area = 0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) area += (x[i] - x[i + 1]) * (y[i] + y[i + 1]) / 2;
  return area;
}

double roc_auc(const Tensor& scores, const Tensor& labels) {
  const char* op = "roc_auc";
  check_same_shape(op, "scores", scores, "labels", labels);
  const auto s = scores.to_vector<double>();
  const auto l = ne(labels.detach(), 0).to_vector<bool>();
  for (std::size_t i = 0; i < s.size(); ++i) check<ValueError>(!std::isnan(s[i]), op, "score {} is NaN", i);
  std::vector<std::size_t> order(s.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return s[a] < s[b]; });
  double positives = 0, negatives = 0, pairs = 0;  // pairs: positives above negatives
  for (std::size_t i = 0; i < order.size();) {
    double equal_positives = 0, equal_negatives = 0;
    for (const double score = s[order[i]]; i < order.size() && s[order[i]] == score; ++i) ++(l[order[i]] ? equal_positives : equal_negatives);
    pairs += equal_positives * (negatives + equal_negatives / 2);
    positives += equal_positives, negatives += equal_negatives;
  }
  check<ValueError>(positives > 0 && negatives > 0, op, "there are {} positive and {} negative labels; both classes are needed", positives, negatives);
  return pairs / (positives * negatives);
}

}  // namespace rill::metrics
