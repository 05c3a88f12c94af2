#include "autograd/autocast.h"

#include <unordered_map>
#include <utility>

#include <rill/autograd/autocast.h>
#include <rill/autograd/grad_mode.h>

#include "autograd/record.h"
#include "lib/core/check.h"

namespace rill::amp {
namespace {

constinit thread_local Dtype t_low[2] = {Dtype::float32, Dtype::float32};
constinit thread_local int t_depth = 0;

// Note [Copies of parameters]: only the values are kept, off the tape. Each use gets a step of its own, so that several backward passes
// may start in one scope, gradients of several uses are added in float32, and a copy made without recording serves with it.
struct Copy {
  Tensor parameter, low;
  std::uint32_t version;
};
std::unordered_map<const TensorImpl*, Copy>& copies() {
  thread_local std::unordered_map<const TensorImpl*, Copy> map;
  return map;
}

Tensor low_values(const Tensor& parameter, Dtype dtype) {
  Copy& c = copies()[&impl(parameter)];
  const std::uint32_t version = impl(parameter).storage->version.load(std::memory_order_relaxed);
  if (!c.low.defined() || c.version != version || c.low.dtype() != dtype) c = {parameter, parameter.detach().to(dtype), version};
  return make_detached(c.low);
}

}  // namespace

Choice choice() noexcept { return {{t_low[0], t_low[1]}}; }
void choose(const Choice& c) noexcept {
  t_low[0] = c.low[0], t_low[1] = c.low[1];
  thread_state.autocast = c.low[0] != Dtype::float32 || c.low[1] != Dtype::float32;
}

autocast::autocast(Dtype dtype, bool enabled) : autocast(Device::Kind::cpu, dtype, enabled) { choose({{t_low[0], t_low[0]}}); }

autocast::autocast(Device::Kind kind, Dtype dtype, bool enabled) : before_{t_low[0], t_low[1]} {
  check<DtypeError>(dtype == Dtype::float16 || dtype == Dtype::bfloat16, "autocast", "computes in float16 or bfloat16, got {}", dtype);
  Choice c = choice();
  c.low[static_cast<int>(kind)] = enabled ? dtype : Dtype::float32;
  choose(c);
  ++t_depth;
}
autocast::~autocast() {
  choose({{before_[0], before_[1]}});
  if (--t_depth == 0) copies().clear();
}

bool autocast_enabled(Device::Kind kind) noexcept { return t_low[static_cast<int>(kind)] != Dtype::float32; }

bool converts(const Tensor& x) noexcept {
  return x.defined() && is_floating(impl(x).dtype) && impl(x).dtype != Dtype::float64 && t_low[static_cast<int>(impl(x).device.kind())] != Dtype::float32;
}

Tensor to_low(const Tensor& x) {
  if (!converts(x)) return x;
  const Dtype low = t_low[static_cast<int>(impl(x).device.kind())];
  if (impl(x).dtype == low) return x;
  if (impl(x).dtype != Dtype::float32 || !x.is_leaf() || !x.requires_grad()) return x.to(low);
  return record("to", low_values(x, low), grad(x, [](const Tensor& g) { return g.to(Dtype::float32); }));
}
Tensor to_float32(const Tensor& x) { return converts(x) && impl(x).dtype != Dtype::float32 ? x.to(Dtype::float32) : x; }

}  // namespace rill::amp
