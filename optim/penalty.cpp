#include <rill/optim/penalty.h>

#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>

#include "lib/core/check.h"

namespace rill::optim {
namespace {

template <class F> Tensor penalty(const char* op, const std::vector<Tensor>& weights, double scale, F size) {
  check<ValueError>(!weights.empty(), op, "there are no weights");
  check<ValueError>(scale >= 0, op, "scale {} is negative", scale);
  Tensor total;
  for (const Tensor& w : weights) {
    check_defined(op, w, "a weight");
    total = total.defined() ? total + size(w) : size(w);
  }
  return total * scale;
}

}  // namespace

Tensor l2(const std::vector<Tensor>& weights, double scale) {
  return penalty("l2", weights, scale / 2, [](const Tensor& w) { return sum(square(w)); });
}
Tensor l1(const std::vector<Tensor>& weights, double scale) {
  return penalty("l1", weights, scale, [](const Tensor& w) { return sum(abs(w)); });
}
std::vector<Tensor> decayable(const NamedTensors& parameters) {
  std::vector<Tensor> list;
  for (const auto& entry : parameters)
    if (entry.second.dim() >= 2) list.push_back(entry.second);
  return list;
}

}  // namespace rill::optim
