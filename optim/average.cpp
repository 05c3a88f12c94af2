#include <rill/optim/average.h>

#include <rill/autograd/grad_mode.h>

#include "lib/core/check.h"
#include "optim/update_list.h"

namespace rill::optim {

Average::Average(const char* op, NamedTensors parameters, ShadowNames names) : names_(std::move(names)), parameters_(std::move(parameters)) {
  for (const auto& [name, p] : parameters_) {
    check_defined(op, p, "parameter " + name);
    check<DtypeError>(p.is_floating_point(), op, "parameter \"{}\" is {}; expected a floating dtype", name, p.dtype());
  }
  for (const auto& entry : parameters_) {
    const Tensor p = entry.second.detach();
    shadows_.push_back(size_of(p.dtype()) < 4 ? p.to(float32) : p.clone());
  }
}

void Average::approach(double share) {
  UpdateList list;
  for (std::size_t i = 0; i < shadows_.size(); ++i) list.add(fn::ApproachUpdate{share}, shadows_[i], parameters_[i].second);
  list.run();
}

Tensor Average::average(const std::string& parameter) const { return find(shadows(), names_.of(parameter)); }
NamedTensors Average::shadows() const {
  NamedTensors list;
  for (std::size_t i = 0; i < shadows_.size(); ++i) list.emplace_back(names_.of(parameters_[i].first), shadows_[i]);
  return list;
}

void Average::swap_in_values() {
  check<FailedPrecondition>(trained_.empty(), "swap_in", "the averages are in the parameters already; end the first scope before");
  std::vector<Tensor> trained;
  for (const auto& entry : parameters_) trained.push_back(entry.second.detach().clone());
  const NoGrad off;
  for (std::size_t i = 0; i < shadows_.size(); ++i) parameters_[i].second.copy_(shadows_[i]);
  trained_ = std::move(trained);
}
void Average::swap_out() noexcept {
  const NoGrad off;
  for (std::size_t i = 0; i < trained_.size(); ++i) parameters_[i].second.copy_(trained_[i]);
  trained_.clear();
}

namespace {
bool is_shadow(const std::string& name, const ShadowNames& names) {
  return name.size() >= names.prefix.size() + names.suffix.size() && name.starts_with(names.prefix) && name.ends_with(names.suffix);
}
NamedTensors select(const NamedTensors& state, const ShadowNames& names, bool averages) {
  check<ValueError>(!names.prefix.empty() || !names.suffix.empty(), "ShadowNames", "prefix and suffix are both empty; shadows need names of their own");
  NamedTensors list;
  for (const auto& entry : state)
    if (is_shadow(entry.first, names) == averages) list.push_back(entry);
  return list;
}
}  // namespace
NamedTensors only_averages(const NamedTensors& state, const ShadowNames& names) { return select(state, names, true); }
NamedTensors without_averages(const NamedTensors& state, const ShadowNames& names) { return select(state, names, false); }

NamedTensors averaged(const NamedTensors& state, const ShadowNames& names) {
  NamedTensors list = without_averages(state, names);
  for (auto& [name, value] : list)
    if (const Tensor average = find(state, names.of(name)); average.defined()) value = average.to(value.dtype());
  return list;
}

}  // namespace rill::optim
