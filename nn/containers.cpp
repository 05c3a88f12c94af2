#include <rill/nn/containers.h>

#include <algorithm>

#include "lib/core/check.h"
#include "nn/place.h"

namespace rill::nn {

namespace detail {
void throw_no_layer(const Module& m) { fail<FailedPrecondition>("AnyModule", "{} does not turn one tensor into one tensor; call it as .as<...>()(...)", class_name(m)); }
void throw_other_type(const Module& m, const std::type_info& wanted) { fail<ValueError>("as", "the module is {}, not {}", class_name(m), class_name(wanted)); }
}  // namespace detail

namespace {
/// Names become parts of the keys of files.
void check_name(const char* op, const std::string& name, bool taken) {
  check<ValueError>(!name.empty() && name.find('.') == std::string::npos, op, "\"{}\" is no name for a module; use one that is not empty and has no dot", name);
  check<ValueError>(!taken, op, "there is a module \"{}\" already; names must differ", name);
}
}  // namespace

// ---- list, sequence ----------------------------------------------------------------------------------------------------------------

void ModuleList::add(std::string name, AnyModule module) {
  check_name("push_back", name, std::find(names_.begin(), names_.end(), name) != names_.end());
  names_.push_back(std::move(name));
  modules_.push_back(std::move(module));
}
AnyModule& ModuleList::operator[](std::size_t i) {
  check<IndexError>(i < size(), class_name(*this), "index {} is outside of {} modules", i, size());
  return modules_[i];
}
void ModuleList::parts(Parts& p) {
  for (std::size_t i = 0; i < size(); ++i) p(names_[i], modules_[i].module());
}

Sequential::Sequential(NamedModules layers) {
  for (const auto& [name, layer] : layers) add(name, layer);
}
Tensor Sequential::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) {
    Tensor y = x;
    for (const AnyModule& layer : *this) y = layer(y);
    return y;
  });
}

// ---- dictionary --------------------------------------------------------------------------------------------------------------------

ModuleDict::ModuleDict(NamedModules modules) {
  for (const auto& [name, module] : modules) insert(name, module);
}
void ModuleDict::insert(std::string name, AnyModule module) {
  check_name("insert", name, contains(name));
  items_.emplace_back(std::move(name), std::move(module));
}
bool ModuleDict::contains(const std::string& name) const {
  return std::any_of(begin(), end(), [&](const auto& item) { return item.first == name; });
}
AnyModule& ModuleDict::operator[](const std::string& name) {
  std::string known;
  for (auto& [key, module] : items_) {
    if (key == name) return module;
    known += (known.empty() ? "" : ", ") + key;
  }
  fail<ValueError>(class_name(*this), "there is no module \"{}\"; there are: {}", name, known);
}
void ModuleDict::parts(Parts& p) {
  for (auto& [name, module] : items_) p(name, module.module());
}

}  // namespace rill::nn
