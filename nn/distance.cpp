#include <rill/nn/distance.h>

#include <rill/ops/loss.h>

namespace rill::nn {

Tensor CosineSimilarity::operator()(const Tensor& a, const Tensor& b) const {
  return call(a, [&](const Tensor& a) { return cosine_similarity(a, b, options.axis, options.eps); });
}
Tensor PairwiseDistance::operator()(const Tensor& a, const Tensor& b) const {
  return call(a, [&](const Tensor& a) { return pairwise_distance(a, b, options.p, options.eps, options.keepdim); });
}

}  // namespace rill::nn
