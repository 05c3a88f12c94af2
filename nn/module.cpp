#include <rill/nn/module.h>

#include <cxxabi.h>

#include <cstdlib>
#include <typeinfo>

#include <rill/autograd/grad_mode.h>

#include "lib/core/check.h"
#include "nn/place.h"

namespace rill::nn {

// ---- parameters --------------------------------------------------------------------------------------------------------------

thread_local long Owned::live_ = 0;

Tensor Owned::copy() const {
  if (!defined()) return {};
  Tensor values = detach().clone();
  if (requires_grad()) values.requires_grad_();
  if (!name().empty()) values.set_name(name());
  return values;
}

Owned& Owned::operator=(const Owned& other) {
  if (is_same(other)) return *this;
  if (defined() && other.defined() && is_leaf() && shape() == other.shape() && dtype() == other.dtype() && device() == other.device()) {
    const NoGrad off;
    copy_(other);
    if (is_floating_point()) requires_grad_(other.requires_grad());
  } else {
    Tensor::operator=(other.copy());
  }
  return *this;
}

Parameter::Parameter(const Tensor& value) : Owned(value.defined() ? value.detach() : Tensor()) {
  if (defined()) requires_grad_();
}

// ---- visiting -------------------------------------------------------------------------------------------------------------------

namespace {

/// Calls p(path, parameter), b(path, buffer) and t(path, transient buffer) for the parts that are present.
template <class P, class B, class T> class Visit final : public Parts {
 public:
  Visit(P p, B b, T t) : p_(std::move(p)), b_(std::move(b)), t_(std::move(t)) {}

 private:
  void parameter(const std::string& path, Parameter& p) override { if (p.defined()) p_(path, p); }
  void buffer(const std::string& path, Buffer& b) override { if (b.defined()) b_(path, b); }
  void transient_buffer(const std::string& path, Buffer& b) override { if (b.defined()) t_(path, b); }
  P p_;
  B b_;
  T t_;
};
constexpr auto kSkip = [](const std::string&, Owned&) {};
/// Looking at the parts changes nothing, though `parts` is not const so that one function serves readers and writers.
template <class P, class B, class T = decltype(kSkip)> void visit(const Module& m, P p, B b, T t = kSkip) {
  Visit<P, B, T> v(std::move(p), std::move(b), std::move(t));
  const_cast<Module&>(m).parts(v);
}

}  // namespace

NamedTensors Module::named_parameters() const {
  NamedTensors list;
  const auto add = [&](const std::string& path, Parameter& p) {
    for (const auto& entry : list)
      if (entry.second.is_same(p)) return;
    list.emplace_back(path, p);
  };
  visit(*this, add, kSkip);
  return list;
}
std::vector<Tensor> Module::parameters() const {
  std::vector<Tensor> list;
  for (auto& entry : named_parameters()) list.push_back(std::move(entry.second));
  return list;
}
NamedTensors Module::named_buffers() const {
  NamedTensors list;
  const auto add = [&](const std::string& path, Buffer& b) { list.emplace_back(path, b); };
  visit(*this, kSkip, add, add);
  return list;
}
NamedTensors Module::state() const {
  NamedTensors list;
  const auto add = [&](const std::string& path, Owned& t) { list.emplace_back(path, t.detach()); };
  visit(*this, add, add);
  return list;
}

std::vector<std::pair<std::string, Module*>> Module::named_modules() {
  class List final : public Parts {
   public:
    std::vector<std::pair<std::string, Module*>> found;

   private:
    void module(const std::string& path, Module& m) override { found.emplace_back(path, &m); }
  } list;
  list.found.emplace_back("", this);
  parts(list);
  return std::move(list.found);
}

void Module::apply(const std::function<void(Module&)>& f) {
  const auto modules = named_modules();
  const auto inside = [&](std::size_t outer, std::size_t inner) { return outer == 0 || modules[inner].first.starts_with(modules[outer].first + "."); };
  std::vector<std::size_t> open;  // modules whose parts are being visited
  for (std::size_t i = 0; i <= modules.size(); ++i) {
    while (!open.empty() && (i == modules.size() || !inside(open.back(), i))) {
      f(*modules[open.back()].second);
      open.pop_back();
    }
    open.push_back(i);
  }
}

std::string class_name(const Module& m) { return class_name(typeid(m)); }
std::string class_name(const std::type_info& type) {
  int status = 0;
  char* text = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string name = status == 0 ? text : type.name();
  std::free(text);
  name = name.substr(0, name.find('<'));
  const auto colon = name.rfind("::");
  return colon == std::string::npos ? name : name.substr(colon + 2);
}
std::string Module::describe() const { return class_name(*this) + "()"; }

LoadResult Module::load(const NamedTensors& given, const LoadOptions& options) {
  const NamedTensors own = state();
  const std::vector<Tensor> values = match("load", own, given, options);
  LoadResult result;
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (values[i].defined()) own[i].second.copy_(values[i]);
    else result.missing.push_back(own[i].first);
  }
  for (const auto& [name, tensor] : given)
    if (!find(own, name).defined()) result.unexpected.push_back(name);
  return result;
}

void Module::train(bool on) {
  class SetMode final : public Parts {
   public:
    explicit SetMode(bool on) : on_(on) {}
    Parts& mode(bool& training) override { return training = on_, *this; }

   private:
    bool on_;
  } set(on);
  parts(set);
}
void Module::zero_grad() {
  visit(*this, [](const std::string&, Parameter& p) { if (p.requires_grad()) p.set_grad({}); }, kSkip);  // a frozen one has none
}
void Module::requires_grad_(bool on) {
  visit(*this, [on](const std::string&, Parameter& p) { p.Tensor::requires_grad_(on); }, kSkip);
}
void Module::to(const Options& options) {
  std::vector<std::pair<Tensor, Tensor>> moved;  // tied tensors stay tied
  const auto move = [&](const std::string&, Owned& t) {
    if (!t.is_floating_point() && options.dtype) return t.reset(t.Tensor::to(options.device));
    for (const auto& [from, to] : moved)
      if (from.is_same(t)) return t.reset(to);
    const Tensor before = t;
    Tensor after = t.detach().to(options);
    if (t.requires_grad()) after.requires_grad_();
    moved.emplace_back(before, after);
    t.reset(std::move(after));
  };
  visit(*this, move, move, move);
}
std::int64_t Module::parameter_count() const {
  std::int64_t count = 0;
  for (const auto& entry : named_parameters()) count += entry.second.numel();
  return count;
}

}  // namespace rill::nn
