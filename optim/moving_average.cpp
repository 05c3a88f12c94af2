#include <rill/optim/moving_average.h>

#include <algorithm>
#include <array>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>

#include "backends/api/backend.h"
#include "lib/core/check.h"
#include "lib/core/promotion.h"

namespace rill::optim {
namespace {

/// shadow += weight (value - shadow), one pass in place.
void approach(const Tensor& shadow, const Tensor& value, double weight) {
  const Kernels& k = kernels(shadow);
  const Dtype compute = is_floating(shadow.dtype()) && size_of(shadow.dtype()) < 4 ? Dtype::float32 : shadow.dtype();
  const Tensor w = full({}, weight, {.dtype = compute, .device = shadow.device()});
  const fn::Lerp lerp;
  const std::array inputs{view(shadow), view(value), view(w)};
  k.map({&k.ternary[fn::Ternary::index<fn::Lerp>], &lerp, compute, compute, 1 << 15}, view(shadow), inputs);
  bump_version(shadow);
}

}  // namespace

MovingAverage::MovingAverage(NamedTensors parameters, MovingAverageOptions options) : options_(options), parameters_(std::move(parameters)) {
  const char* op = "MovingAverage";
  check<ValueError>(options.decay >= 0 && options.decay <= 1, op, "decay is {}; expected a number in [0, 1]", options.decay);
  for (const auto& [name, p] : parameters_) {
    check_defined(op, p, "parameter " + name);
    check<DtypeError>(p.is_floating_point(), op, "parameter \"{}\" is {}; expected a floating dtype", name, p.dtype());
    shadows_.push_back(p.detach().clone(MemoryFormat::contiguous));
  }
}

double MovingAverage::decay_at(std::int64_t step) const {
  const float decay = static_cast<float>(options_.decay), n = static_cast<float>(step);
  return options_.warmup ? std::min(decay, (1 + n) / (10 + n)) : decay;
}
void MovingAverage::update(std::int64_t step) {
  check<ValueError>(step >= 0, "update", "step {} is negative", step);
  const NoGrad off;
  const float weight = 1 - static_cast<float>(decay_at(step));
  for (std::size_t i = 0; i < shadows_.size(); ++i) approach(shadows_[i], parameters_[i].second, weight);
  ++updates_;
}
void MovingAverage::swap() {
  const NoGrad off;
  for (std::size_t i = 0; i < shadows_.size(); ++i) {
    const Tensor trained = parameters_[i].second.detach().clone();
    parameters_[i].second.copy_(shadows_[i]);
    shadows_[i].copy_(trained);
  }
}

Tensor MovingAverage::average(const std::string& name) const { return find(state(), name + kSuffix); }
NamedTensors MovingAverage::state() const {
  NamedTensors list;
  for (std::size_t i = 0; i < shadows_.size(); ++i) list.emplace_back(parameters_[i].first + kSuffix, shadows_[i]);
  return list;
}
void MovingAverage::load(const NamedTensors& given, std::int64_t updates) {
  const auto values = match("load", state(), given);
  for (std::size_t i = 0; i < shadows_.size(); ++i) shadows_[i].copy_(values[i]);
  updates_ = updates;
}

namespace {
NamedTensors select(const NamedTensors& state, bool averages) {
  NamedTensors list;
  for (const auto& entry : state)
    if (entry.first.ends_with(MovingAverage::kSuffix) == averages) list.push_back(entry);
  return list;
}
}  // namespace
NamedTensors only_averages(const NamedTensors& state) { return select(state, true); }
NamedTensors without_averages(const NamedTensors& state) { return select(state, false); }

NamedTensors averaged(const NamedTensors& state) {
  NamedTensors list = without_averages(state);
  for (auto& [name, value] : list)
    if (const Tensor average = find(state, name + MovingAverage::kSuffix); average.defined()) value = average;
  return list;
}

}  // namespace rill::optim
