// How alike two batches of vectors are; the functions are in rill/ops/loss.h.
#pragma once

#include <rill/nn/module.h>

namespace rill::nn {

/// a b / (|a| |b|) along an axis, the norms limited from below by eps.
struct CosineSimilarityOptions {
  std::int64_t axis = 1;
  double eps = 1e-8;
};
class CosineSimilarity : public Module {
 public:
  explicit CosineSimilarity(const CosineSimilarityOptions& options = {}) : options(options) {}
  Tensor operator()(const Tensor& a, const Tensor& b) const;
  void parts(Parts&) override {}

  CosineSimilarityOptions options;
};

/// p-norm of a - b + eps along the last axis.
struct PairwiseDistanceOptions {
  double p = 2, eps = 1e-6;
  bool keepdim = false;
};
class PairwiseDistance : public Module {
 public:
  explicit PairwiseDistance(const PairwiseDistanceOptions& options = {}) : options(options) {}
  Tensor operator()(const Tensor& a, const Tensor& b) const;
  void parts(Parts&) override {}

  PairwiseDistanceOptions options;
};

}  // namespace rill::nn
