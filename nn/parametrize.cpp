#include <rill/nn/parametrize.h>

#include <rill/autograd/grad_mode.h>

#include "lib/core/check.h"
#include "nn/parametrization_list.h"

namespace rill::nn {

// ---- the list and its owner ----------------------------------------------------------------------------------------------------------

Tensor ParametrizationList::make() const {
  Tensor value = steps.front()->make({originals.begin(), originals.end()});
  for (std::size_t i = 1; i < steps.size(); ++i) value = steps[i]->make({value});
  return value;
}
void ParametrizationList::parts(Parts& p) {
  if (originals.size() == 1) p("original", originals[0]);
  else
    for (std::size_t i = 0; i < originals.size(); ++i) p("original" + std::to_string(i), originals[i]);
  for (std::size_t i = 0; i < steps.size(); ++i) p(std::to_string(i), steps[i]->module());
}

namespace detail {

ParametrizationHandle::ParametrizationHandle(const ParametrizationHandle& other) : list_(other.list_ ? new ParametrizationList(*other.list_) : nullptr) {}
ParametrizationHandle& ParametrizationHandle::operator=(const ParametrizationHandle& other) {
  if (list_ && other.list_ && list_->originals.size() == other.list_->originals.size()) {
    if (this == &other) return *this;
    list_->originals = other.list_->originals;  // writes into the tensors that optimizers hold
    ParametrizationList copy(*other.list_);
    list_->steps = std::move(copy.steps);
  } else {
    reset(other.list_ ? new ParametrizationList(*other.list_) : nullptr);
  }
  return *this;
}
void ParametrizationHandle::reset(ParametrizationList* list) noexcept { delete std::exchange(list_, list); }

struct ParametrizationAccess {
  static void set(Module& module, bool parametrized) { module.state_.parametrized = parametrized; }
};

namespace {

/// Calls f(name, parameter) for the parameters of a module itself. Those of modules in it have names that begin with the module's.
template <class F> class OwnParameters final : public Parts {
 public:
  explicit OwnParameters(F f) : f_(std::move(f)) {}

 private:
  void module(const std::string& path, Module&) override { inner_ = path + "."; }
  void parameter(const std::string& path, Parameter& p) override { visit(path, p); }
  void parametrized(const std::string& name, Parameter& p) override { visit(name, p); }
  void visit(const std::string& path, Parameter& p) {
    if (inner_.empty() || !path.starts_with(inner_)) f_(path, p);
  }
  F f_;
  std::string inner_;
};
template <class F> void each_own_parameter(const Module& module, F f) {
  OwnParameters<F> visitor(std::move(f));
  const_cast<Module&>(module).parts(visitor);
}

}  // namespace

Parameter& own_parameter(const char* op, const Module& module, const std::string& name) {
  Parameter* found = nullptr;
  std::string known;
  each_own_parameter(module, [&](const std::string& own, Parameter& p) {
    if (!p.defined()) return;
    if (own == name) found = &p;
    known += (known.empty() ? "" : ", ") + own;
  });
  check<ValueError>(found, op, "the module itself has no parameter \"{}\"; it has: {}", name, known.empty() ? "none" : known);
  return *found;
}

void make_parametrized(const Module& module) {
  each_own_parameter(module, [](const std::string&, Parameter& p) {
    if (p.parametrization()) p.reset(p.parametrization()->make());
  });
}

void add_parametrization(Module& module, const std::string& name, std::unique_ptr<ParametrizationBox> step) {
  constexpr const char* kOp = "register_parametrization";
  Parameter& p = own_parameter(kOp, module, name);
  std::unique_ptr<ParametrizationList> fresh;
  ParametrizationList* list = p.parametrization();
  const NoGrad off;
  const std::vector<Tensor> originals = step->right_inverse(p.detach());
  if (list) {
    check<ValueError>(originals.size() == 1, kOp, "\"{}\" has a parametrization already, and this one needs {} originals; register it first", name, originals.size());
  } else {
    fresh = std::make_unique<ParametrizationList>();
    list = fresh.get();
    for (const Tensor& original : originals) {
      list->originals.emplace_back(original.clone());
      list->originals.back().Tensor::requires_grad_(p.requires_grad());
    }
  }
  list->steps.push_back(std::move(step));
  Tensor value;
  try {
    const EnableGrad on;
    value = list->make();
    check<ShapeError>(value.shape() == p.shape(), kOp, "the parametrization of \"{}\" gives shape {}; the parameter has {}", name, value.shape(), p.shape());
    check<DtypeError>(value.dtype() == p.dtype(), kOp, "the parametrization of \"{}\" gives {}; the parameter is {}", name, value.dtype(), p.dtype());
  } catch (...) {
    list->steps.pop_back();
    throw;
  }
  if (fresh) p.set_parametrization(fresh.release());
  p.reset(std::move(value));
  ParametrizationAccess::set(module, true);
}

}  // namespace detail

void remove_parametrizations(Module& module, const std::string& name) {
  Parameter& p = detail::own_parameter("remove_parametrizations", module, name);
  check<ValueError>(p.parametrization(), "remove_parametrizations", "the parameter \"{}\" has no parametrization", name);
  const bool trained = p.parametrization()->originals.front().requires_grad();
  p = Parameter(p.detach().clone());
  p.Tensor::requires_grad_(trained);
  bool left = false;
  detail::each_own_parameter(module, [&](const std::string&, Parameter& other) { left = left || other.parametrization(); });
  detail::ParametrizationAccess::set(module, left);
}

bool is_parametrized(const Module& module, const std::string& name) { return detail::own_parameter("is_parametrized", module, name).parametrization(); }

NamedTensors with_parametrization_names(const NamedTensors& state) {
  NamedTensors result = state;
  const auto has = [&](const std::string& name) { return find(state, name).defined(); };
  for (auto& entry : result) {
    const std::string old = entry.first;
    const auto underscore = old.rfind('_');
    if (underscore == std::string::npos) continue;
    const std::string parameter = old.substr(0, underscore), kind = old.substr(underscore + 1);
    const auto dot = parameter.rfind('.');
    const std::size_t at = dot == std::string::npos ? 0 : dot + 1;
    const std::string now = parameter.substr(0, at) + "parametrizations." + parameter.substr(at);
    if (has(parameter + "_orig") && has(parameter + "_u")) {
      if (kind == "orig") entry.first = now + ".original";
      if (kind == "u" || kind == "v") entry.first = now + ".0._" + kind;
    } else if (has(parameter + "_g") && has(parameter + "_v")) {
      if (kind == "g") entry.first = now + ".original0";
      if (kind == "v") entry.first = now + ".original1";
    }
  }
  return result;
}

}  // namespace rill::nn
