#include <rill/optim/optimizer.h>

#include <rill/autograd/grad_mode.h>

#include "optim/rule.h"

namespace rill::optim {
namespace {

void check_parameter(const char* op, const std::string& name, const Tensor& p) {
  check<ValueError>(p.defined(), op, "parameter \"{}\" is undefined", name);
  check<GradError>(p.is_leaf() && p.requires_grad(), op, "parameter \"{}\" is {}; expected a leaf that requires a gradient", name,
                   p.is_leaf() ? "a tensor without requires_grad" : "the result of an op");
  for (int a = 0; a < p.shape().rank(); ++a)
    check<ValueError>(p.strides()[a] != 0 || p.shape()[a] <= 1, op,
                      "parameter \"{}\" is expanded along axis {}: its elements share memory; clone() it first", name, a);
}

}  // namespace

void Optimizer::add_parameters(const NamedTensors& parameters, double lr, const std::function<NamedTensors(const Tensor&)>& slots) {
  NamedTensors all = parameters_;
  for (const auto& [name, p] : parameters) {
    check_parameter(name_, name, p);
    for (const auto& [other, q] : all) check<ValueError>(other != name && !q.is_same(p), name_, "parameter \"{}\" appears twice", name);
    all.emplace_back(name, p);
  }
  std::vector<NamedTensors> state;
  for (const auto& entry : parameters) state.push_back(slots(entry.second));
  rates_.push_back({lr, lr});
  parameters_ = std::move(all);
  group_of_.resize(parameters_.size(), rates_.size() - 1);
  for (auto& s : state) slots_.push_back(std::move(s));
}
void Optimizer::check_not_empty() const {
  check<ValueError>(!parameters_.empty(), name_, "there are no parameters; pass model.named_parameters()");
}

Tensor Optimizer::step(const std::function<Tensor()>& loss) {
  Tensor value;
  {
    const EnableGrad on;
    value = loss();
  }
  step();
  return value;
}
void Optimizer::step_unless(const Tensor& flag) {
  constexpr const char* op = "step_unless";
  check_defined(op, flag, "the flag");
  check<DtypeError>(flag.dtype() == float32 && flag.numel() == 1, op, "the flag is {}; expected one float32 number", describe(flag));
  for (const auto& entry : parameters_) check_same_device(op, entry.second, flag);
  if (flag.device().is_cpu()) {
    if (flag.item<float>() == 0) step();
    return;
  }
  const SkipIf scope(flag);
  step();
}
void Optimizer::zero_grad() {
  for (const auto& entry : parameters_) entry.second.set_grad({});
}

double Optimizer::lr(std::size_t group) const {
  check<IndexError>(group < rates_.size(), "lr", "there is no group {}; the optimizer has {}", group, rates_.size());
  return rates_[group].now;
}
void Optimizer::set_lr(double lr) {
  check_at_least("set_lr", "lr", lr, 0);
  for (Rate& r : rates_) r = {lr, lr};
}
void Optimizer::set_lr(double lr, std::size_t group) {
  check_at_least("set_lr", "lr", lr, 0);
  check<IndexError>(group < rates_.size(), "set_lr", "there is no group {}; the optimizer has {}", group, rates_.size());
  rates_[group] = {lr, lr};
}
void Optimizer::scale_lr(double factor) {
  check_at_least("scale_lr", "factor", factor, 0);
  for (Rate& r : rates_) r.now = r.given * factor;
}

NamedTensors Optimizer::state() const {
  NamedTensors list;
  for (std::size_t i = 0; i < slots_.size(); ++i)
    for (const auto& [slot, value] : slots_[i]) list.emplace_back(parameters_[i].first + "." + slot, value);
  return list;
}
void Optimizer::load(const NamedTensors& given) { load_into(state(), given); }

Tensor slot(const Tensor& p, double value) {
  const Tensor t = make_like(p, wide_dtype(p.dtype()));
  t.fill_(value);
  return t;
}

NamedTensors numbered(const std::vector<Tensor>& parameters, std::size_t first) {
  NamedTensors list;
  for (const Tensor& p : parameters) list.emplace_back(std::to_string(first + list.size()), p);
  return list;
}

Partition partition(const NamedTensors& parameters, const std::function<bool(const std::string&, const Tensor&)>& choose) {
  Partition halves;
  for (const auto& entry : parameters) (choose(entry.first, entry.second) ? halves.chosen : halves.others).push_back(entry);
  return halves;
}
bool is_weight(const std::string&, const Tensor& parameter) { return parameter.dim() >= 2; }

}  // namespace rill::optim
