#include <rill/optim/sgd.h>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>

#include "lib/core/check.h"

namespace rill::optim {

Sgd::Sgd(NamedTensors parameters, SgdOptions options) : Optimizer(std::move(parameters), options.lr), options_(options) {
  check<ValueError>(options.momentum >= 0, "Sgd", "momentum {} is negative", options.momentum);
  check<ValueError>(!options.nesterov || options.momentum > 0, "Sgd", "nesterov needs a momentum above 0");
  if (options.momentum > 0)
    for (const auto& entry : parameters_) velocity_.push_back(zeros_like(entry.second));
}

void Sgd::step() {
  const NoGrad off;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& p = parameters_[i].second;
    const Tensor g = p.grad();
    if (!g.defined()) continue;
    if (options_.momentum == 0) {
      p.add_(g, -lr_);
      continue;
    }
    const Tensor& v = velocity_[i];
    v.mul_(options_.momentum).add_(g);
    if (options_.nesterov) p.add_(g, -lr_).add_(v, -lr_ * options_.momentum);
    else p.add_(v, -lr_);
  }
}

NamedTensors Sgd::state() const {
  NamedTensors list;
  for (std::size_t i = 0; i < velocity_.size(); ++i) list.emplace_back(parameters_[i].first + ".momentum", velocity_[i]);
  return list;
}
void Sgd::load(const NamedTensors& given) {
  const auto values = match("load", state(), given);
  for (std::size_t i = 0; i < velocity_.size(); ++i) velocity_[i].copy_(values[i]);
}

}  // namespace rill::optim
