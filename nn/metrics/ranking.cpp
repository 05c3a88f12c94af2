#include <rill/metrics/ranking.h>

#include <algorithm>
#include <vector>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/sort.h>
#include <rill/ops/view.h>

#include "nn/metrics/arguments.h"

namespace rill::metrics {
namespace {

/// One example: its labels in order, and which of the k largest scores, from the top, belong to one.
struct Ranked {
  std::vector<std::int64_t> labels;
  std::vector<bool> right;
  double possible = 0;  // labels that are classes
  double found() const { return static_cast<double>(std::count(right.begin(), right.end(), true)); }
};

template <class F> void each_example(const char* op, std::int64_t k, const Tensor& scores, const Tensor& labels, const Tensor& weights, F f) {
  check_defined(op, scores, "scores");
  check_defined(op, labels, "labels");
  const Shape& s = scores.shape();
  const bool sets = labels.dim() == scores.dim();
  bool fits = scores.dim() >= 1 && (sets || labels.dim() == scores.dim() - 1);
  for (int a = 0; fits && a + 1 < s.rank(); ++a) fits = labels.shape()[a] == s[a];
  check<ShapeError>(fits, op, "scores have shape {}, labels {}; expected the shape of the scores without their last axis, or with one of another size", s, labels.shape());
  check<ValueError>(k >= 1 && k <= s.back(), op, "k is {}; expected 1 to {}, the number of classes", k, s.back());
  const NoGrad off;
  const Shape outer(std::span(s.data(), s.size() - 1));
  const Tensor w = broadcast_weights(op, weights, outer);
  const std::int64_t rows = scores.numel() / s.back(), each = sets ? labels.shape().back() : 1;
  const auto top = topk(scores.detach(), k, -1).indices.to_vector<std::int64_t>(), all = labels.detach().to_vector<std::int64_t>();
  const auto weight = w.defined() ? w.to_vector<double>() : std::vector<double>(static_cast<std::size_t>(rows), 1.0);
  Ranked example;
  for (std::int64_t i = 0; i < rows; ++i) {
    example.labels.assign(all.begin() + i * each, all.begin() + (i + 1) * each);
    std::sort(example.labels.begin(), example.labels.end());
    example.labels.erase(std::unique(example.labels.begin(), example.labels.end()), example.labels.end());
    example.possible = static_cast<double>(std::count_if(example.labels.begin(), example.labels.end(), [&](std::int64_t l) { return l >= 0 && l < s.back(); }));
    example.right.clear();
    for (std::int64_t j = 0; j < k; ++j) example.right.push_back(std::binary_search(example.labels.begin(), example.labels.end(), top[static_cast<std::size_t>(i * k + j)]));
    f(example, weight[static_cast<std::size_t>(i)]);
  }
}

}  // namespace

void RecallAtK::update(const Tensor& scores, const Tensor& labels, const Tensor& weights) {
  Mean batch;
  each_example("RecallAtK", k_, scores, labels, weights, [&](const Ranked& e, double w) { batch.add(w * e.found(), w * static_cast<double>(e.labels.size())); });
  mean_.merge(batch);
}
void PrecisionAtK::update(const Tensor& scores, const Tensor& labels, const Tensor& weights) {
  Mean batch;
  each_example("PrecisionAtK", k_, scores, labels, weights, [&](const Ranked& e, double w) { batch.add(w * e.found(), w * static_cast<double>(k_)); });
  mean_.merge(batch);
}
void AveragePrecisionAtK::update(const Tensor& scores, const Tensor& labels, const Tensor& weights) {
  Mean batch;
  each_example("AveragePrecisionAtK", k_, scores, labels, weights, [&](const Ranked& e, double w) {
    double sum = 0, found = 0;
    for (std::size_t i = 0; i < e.right.size(); ++i)
      if (e.right[i]) sum += ++found / static_cast<double>(i + 1);
    const double most = std::min(static_cast<double>(k_), e.possible);
    batch.add(most > 0 ? w * sum / most : 0, w);
  });
  mean_.merge(batch);
}

}  // namespace rill::metrics
