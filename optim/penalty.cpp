#include <rill/optim/penalty.h>

#include <rill/optim/optimizer.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/loss.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

#include "optim/hyper.h"

namespace rill::optim {
namespace {

/// scale * sum(size(w)).
template <class F> Tensor penalty(const char* op, const std::vector<Tensor>& weights, double scale, F size) {
  check<ValueError>(!weights.empty(), op, "there are no weights");
  check_at_least(op, "scale", scale, 0);
  Tensor total;
  for (const Tensor& w : weights) {
    check_defined(op, w, "a weight");
    total = total.defined() ? total + size(w) : size(w);
  }
  return total * scale;
}

Tensor sum_of(const char* what, const NamedTensors& first, const NamedTensors& second = {}) {
  Tensor total;
  for (const NamedTensors* list : {&first, &second})
    for (const auto& entry : *list) total = total.defined() ? total + entry.second : entry.second;
  check<FailedPrecondition>(total.defined(), "LossCollector", "there are no terms of the {}; add one before", what);
  return total;
}

}  // namespace

Tensor l2(const std::vector<Tensor>& weights, double scale) {
  return penalty("l2", weights, scale, [](const Tensor& w) { return l2_loss(w); });
}
Tensor l1(const std::vector<Tensor>& weights, double scale) {
  return penalty("l1", weights, scale, [](const Tensor& w) { return sum(abs(w)); });
}
Tensor elastic(const std::vector<Tensor>& weights, ElasticScales scales) {
  if (scales.l2 == 0) return l1(weights, scales.l1);
  if (scales.l1 == 0) return l2(weights, scales.l2);
  return l1(weights, scales.l1) + l2(weights, scales.l2);
}
std::vector<Tensor> decayable(const NamedTensors& parameters) {
  std::vector<Tensor> list;
  for (const auto& [name, p] : parameters)
    if (is_weight(name, p)) list.push_back(p);
  return list;
}

Tensor LossCollector::add(NamedTensors& to, const char* kind, const Tensor& term, const std::string& name) {
  check_defined("LossCollector", term, "a term");
  check<ShapeError>(term.numel() == 1, "LossCollector", "a term of the loss has shape {}; reduce it to one number", term.shape());
  const auto taken = [&](const std::string& n) { return find(losses_, n).defined() || find(regularizations_, n).defined(); };
  std::string own = name.empty() ? kind : name;
  check<ValueError>(name.empty() || !taken(own), "LossCollector", "there is already a term \"{}\"", name);
  for (int k = 1; taken(own); ++k) own = std::string(kind) + "_" + std::to_string(k);
  to.emplace_back(own, term.dim() == 0 ? term : term.reshape({}));
  return to.back().second;
}
Tensor LossCollector::add(const Tensor& loss, const std::string& name) { return add(losses_, "loss", loss, name); }
Tensor LossCollector::add_regularization(const Tensor& term, const std::string& name) { return add(regularizations_, "regularization", term, name); }
Tensor LossCollector::total() const { return sum_of("loss", losses_, regularizations_); }
Tensor LossCollector::loss() const { return sum_of("loss", losses_); }
Tensor LossCollector::regularization() const { return sum_of("regularization", regularizations_); }
void LossCollector::clear() { losses_.clear(), regularizations_.clear(); }

}  // namespace rill::optim
