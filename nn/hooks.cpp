// Hooks of modules, and the place of a module in its model.
#include <mutex>
#include <unordered_set>

#include <rill/nn/module.h>
#include <rill/ops/view.h>

#include "lib/core/check.h"
#include "nn/parametrization_list.h"
#include "nn/place.h"

namespace rill::nn {
namespace detail {

template <class F> struct HookList {
  std::vector<std::pair<std::uint64_t, F>> list;
  std::uint64_t next = 0;
};
struct ModuleHooks {
  HookList<ForwardPreHook> before;
  HookList<ForwardHook> after;
  HookList<BackwardHook> backward;
};

ModuleState::ModuleState(const ModuleState& other)
    : hooks(other.hooks ? std::make_shared<ModuleHooks>(*other.hooks) : nullptr), place(other.place.load()), parametrized(other.parametrized) {}

namespace {

/// The one string of the program with this text.
const std::string* lasting(const std::string& path) {
  static std::mutex mutex;
  static auto* paths = new std::unordered_set<std::string>;  // never destroyed: modules may outlive static destructors
  const std::lock_guard lock(mutex);
  return &*paths->insert(path).first;
}

template <class F> HookHandle add(std::shared_ptr<ModuleHooks>& hooks, HookList<F> ModuleHooks::*member, F hook, const char* op) {
  check<ValueError>(hook != nullptr, op, "the hook is empty");
  if (!hooks) hooks = std::make_shared<ModuleHooks>();
  HookList<F>& entries = (*hooks).*member;
  entries.list.emplace_back(entries.next, std::move(hook));
  return HookHandle([weak = std::weak_ptr(hooks), member, id = entries.next++] {
    if (const auto hooks = weak.lock()) std::erase_if(((*hooks).*member).list, [id](const auto& entry) { return entry.first == id; });
  });
}

}  // namespace

void set_place(std::atomic<const std::string*>& place, const std::string& path) {
  if (const std::string* known = place.load(); !known || *known != path) place.store(lasting(path));
}

}  // namespace detail

const std::string& Module::path() const {
  static const std::string none;
  const std::string* place = state_.place.load();
  return place ? *place : none;
}
void Module::locate(Error& e) const {
  const std::string& place = path();
  e.locate(place.empty() ? class_name(*this) : place);
}

/// The name of a running module in profiles: its path, or its class where that is not known.
const std::string* Module::profiled_as() const {
  const std::string* place = state_.place.load();
  return !profiler::running() ? nullptr : place && !place->empty() ? place : detail::lasting(class_name(*this));
}

HookHandle Module::register_forward_pre_hook(ForwardPreHook hook) {
  return detail::add(state_.hooks, &detail::ModuleHooks::before, std::move(hook), "register_forward_pre_hook");
}
HookHandle Module::register_forward_hook(ForwardHook hook) {
  return detail::add(state_.hooks, &detail::ModuleHooks::after, std::move(hook), "register_forward_hook");
}
HookHandle Module::register_full_backward_hook(BackwardHook hook) {
  return detail::add(state_.hooks, &detail::ModuleHooks::backward, std::move(hook), "register_full_backward_hook");
}

// A hook may remove itself or add others, so the lists are copied before they are run.
Tensor Module::before(const Tensor& x) const {
  if (state_.parametrized) detail::make_parametrized(*this);
  if (!state_.hooks) return x;
  Tensor input = x;
  const auto hooks = state_.hooks->before.list;
  for (const auto& entry : hooks)
    if (Tensor replaced = entry.second(*this, input); replaced.defined()) input = std::move(replaced);
  // an alias, so that a hook on it sees the gradient that comes out of this module alone
  return !state_.hooks->backward.list.empty() && input.requires_grad() ? input.view(input.shape()) : input;
}
Tensor Module::after(const Tensor& x, const Tensor& y) const {
  if (!state_.hooks) return y;
  Tensor output = y;
  const auto hooks = state_.hooks->after.list;
  for (const auto& entry : hooks)
    if (Tensor replaced = entry.second(*this, x, output); replaced.defined()) output = std::move(replaced);
  const auto backward = state_.hooks->backward.list;
  if (backward.empty() || !output.requires_grad()) return output;
  output = output.view(output.shape());
  const auto arrived = std::make_shared<Tensor>();
  const bool input_wanted = x.requires_grad();
  output.register_hook([this, arrived, backward, input_wanted](const Tensor& grad_output) {
    *arrived = grad_output;
    if (!input_wanted)
      for (const auto& entry : backward) entry.second(*this, {}, grad_output);
    return Tensor();
  });
  if (input_wanted)
    x.register_hook([this, arrived, backward](const Tensor& grad_input) {
      Tensor gradient = grad_input;
      for (const auto& entry : backward)
        if (Tensor replaced = entry.second(*this, gradient, *arrived); replaced.defined()) gradient = std::move(replaced);
      *arrived = {};
      return gradient;
    });
  return output;
}

}  // namespace rill::nn
