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

Parts& Parts::operator()(const std::string& name, Module& m) {
  const std::size_t length = prefix_.size();
  prefix_ += name;
  detail::set_place(m.state_.place, prefix_);
  module(prefix_, m);
  prefix_ += ".";
  m.parts(*this);
  prefix_.resize(length);
  return *this;
}

namespace {

/// Calls p(path, parameter) and b(path, buffer) for the parts that are present.
template <class P, class B> class Visit final : public Parts {
 public:
  Visit(P p, B b) : p_(std::move(p)), b_(std::move(b)) {}

 private:
  void parameter(const std::string& path, Parameter& p) override { if (p.defined()) p_(path, p); }
  void buffer(const std::string& path, Buffer& b) override { if (b.defined()) b_(path, b); }
  P p_;
  B b_;
};
/// Looking at the parts changes nothing, though `parts` is not const so that one function serves readers and writers.
template <class P, class B> void visit(const Module& m, P p, B b) {
  Visit<P, B> v(std::move(p), std::move(b));
  const_cast<Module&>(m).parts(v);
}
constexpr auto kSkip = [](const std::string&, Owned&) {};

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
  visit(*this, kSkip, [&](const std::string& path, Buffer& b) { list.emplace_back(path, b); });
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

void Module::load(const NamedTensors& given, bool allow_unexpected) {
  const NamedTensors own = state();
  const std::vector<Tensor> values = match("load", own, given, allow_unexpected);
  for (std::size_t i = 0; i < own.size(); ++i) own[i].second.copy_(values[i]);
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
  visit(*this, [](const std::string&, Parameter& p) { p.set_grad({}); }, kSkip);
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
  visit(*this, move, move);
}
std::int64_t Module::parameter_count() const {
  std::int64_t count = 0;
  for (const auto& entry : named_parameters()) count += entry.second.numel();
  return count;
}

namespace detail {

long count_parts(const Module& m) {
  class Count final : public Parts {
   public:
    long found = 0;

   private:
    void parameter(const std::string&, Parameter&) override { ++found; }
    void buffer(const std::string&, Buffer&) override { ++found; }
  } count;
  const_cast<Module&>(m).parts(count);
  return count.found;
}
void throw_parts_forgotten(long held, long named) {
  fail<FailedPrecondition>("check_parts", "the module holds {} parameters and buffers, parts() names {}; name each of them once", held, named);
}

}  // namespace detail
}  // namespace rill::nn
