// The visitor that a module hands its members to.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <rill/nn/parameter.h>

namespace rill::nn {

class Module;

/// What `Module::parts` hands its members to. Names of nested parts are joined with dots; items of a vector are numbered from 0,
/// or have the names that they are paired with.
class Parts {
 public:
  Parts& operator()(const std::string& name, Parameter& p) {
    if (p.parametrization()) [[unlikely]] parametrized(name, p);
    else parameter(prefix_ + name, p);
    return *this;
  }
  Parts& operator()(const std::string& name, Buffer& b) { return buffer(prefix_ + name, b), *this; }
  Parts& operator()(const std::string& name, Module& m);
  template <class T> Parts& operator()(const std::string& name, std::optional<T>& part) { return part ? (*this)(name, *part) : *this; }
  template <class T> Parts& operator()(const std::string& name, std::vector<T>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) (*this)(name + "." + std::to_string(i), parts[i]);
    return *this;
  }
  template <class T> Parts& operator()(const std::string& name, std::vector<std::pair<std::string, T>>& parts) {
    for (auto& [key, part] : parts) (*this)(name + "." + key, part);
    return *this;
  }
  /// State that follows the module to another dtype or device but is not saved: what can be computed again, as a mask.
  Parts& transient(const std::string& name, Buffer& b) { return transient_buffer(prefix_ + name, b), *this; }
  /// The flag of a module that works differently in training (dropout, say); train() and eval() set it.
  virtual Parts& mode(bool& /*training*/) { return *this; }

 protected:
  virtual ~Parts() = default;
  virtual void parameter(const std::string& /*path*/, Parameter&) {}
  /// A parameter that is made of others; lists those as "parametrizations.name.original".
  virtual void parametrized(const std::string& name, Parameter& p);
  virtual void buffer(const std::string& /*path*/, Buffer&) {}
  virtual void transient_buffer(const std::string& /*path*/, Buffer&) {}
  virtual void module(const std::string& /*path*/, Module&) {}  ///< before the parts of that module

 private:
  std::string prefix_;
};

namespace detail {
long count_parts(const Module& m);
[[noreturn]] void throw_parts_forgotten(long held, long named);
}  // namespace detail

/// Throws FailedPrecondition when the module holds a Parameter or Buffer that `parts` does not name. Copies the module to find out.
template <class M> void check_parts(const M& module) {
  const long before = Owned::live();
  const M copy = module;
  const long held = Owned::live() - before, named = detail::count_parts(copy);
  if (held != named) detail::throw_parts_forgotten(held, named);
}

}  // namespace rill::nn
