#include <rill/optim/optimizer.h>

#include <cmath>

#include "lib/core/check.h"

namespace rill::optim {

Optimizer::Optimizer(NamedTensors parameters, double lr) : parameters_(std::move(parameters)) {
  const char* op = "Optimizer";
  check<ValueError>(!parameters_.empty(), op, "there are no parameters; pass model.named_parameters()");
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto& [name, p] = parameters_[i];
    check<ValueError>(p.defined(), op, "parameter \"{}\" is undefined", name);
    check<GradError>(p.is_leaf() && p.requires_grad(), op, "parameter \"{}\" is {}; expected a leaf that requires a gradient", name,
                     p.is_leaf() ? "a tensor without requires_grad" : "the result of an op");
    for (std::size_t k = 0; k < i; ++k)
      check<ValueError>(parameters_[k].first != name && !parameters_[k].second.is_same(p), op, "parameter \"{}\" appears twice", name);
  }
  set_lr(lr);
}
void Optimizer::zero_grad() {
  for (const auto& entry : parameters_) entry.second.set_grad({});
}
void Optimizer::set_lr(double lr) {
  check<ValueError>(std::isfinite(lr) && lr >= 0, "set_lr", "the learning rate {} is not a finite number >= 0", lr);
  lr_ = lr;
}
void Optimizer::load(const NamedTensors& state) { match("load", {}, state); }

NamedTensors numbered(const std::vector<Tensor>& parameters) {
  NamedTensors list;
  for (const Tensor& p : parameters) list.emplace_back(std::to_string(list.size()), p);
  return list;
}

}  // namespace rill::optim
