// A module is a struct of its parts: parameters, buffers and modules as ordinary members, and one function that names them.
//
//   struct Mlp : nn::Module {
//     nn::Linear fc1{784, 128}, fc2{128, 10};
//     Tensor operator()(const Tensor& x) const { return fc2(relu(fc1(x))); }
//     void parts(nn::Parts& p) override { p("fc1", fc1)("fc2", fc2); }
//   };
//
// `parts` is asked each time, so copies, moves and reassignments need no care. The names are spelled out because they are a file
// format: they are the keys of every checkpoint ("fc1.weight").
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <rill/core/named_tensors.h>
#include <rill/nn/parameter.h>

namespace rill::nn {

class Module;

/// What `Module::parts` hands its members to. Names of nested parts are joined with dots; items of a vector are numbered from 0.
class Parts {
 public:
  Parts& operator()(const std::string& name, Parameter& p) { return parameter(prefix_ + name, p), *this; }
  Parts& operator()(const std::string& name, Buffer& b) { return buffer(prefix_ + name, b), *this; }
  Parts& operator()(const std::string& name, Module& m);
  template <class T> Parts& operator()(const std::string& name, std::optional<T>& part) { return part ? (*this)(name, *part) : *this; }
  template <class T> Parts& operator()(const std::string& name, std::vector<T>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) (*this)(name + "." + std::to_string(i), parts[i]);
    return *this;
  }
  /// The flag of a module that works differently in training (dropout, say); train() and eval() set it.
  virtual Parts& mode(bool& /*training*/) { return *this; }

 protected:
  virtual ~Parts() = default;
  virtual void parameter(const std::string& /*path*/, Parameter&) {}
  virtual void buffer(const std::string& /*path*/, Buffer&) {}

 private:
  std::string prefix_;
};

/// Base of every module. It holds no data; copying a module copies its weights.
class Module {
 public:
  virtual ~Module() = default;
  /// Names every part, in the order in which lists and files shall have them.
  virtual void parts(Parts& p) = 0;

  /// Every parameter once, in the order of parts; tied ones under their first name, absent ones not at all.
  NamedTensors named_parameters() const;
  std::vector<Tensor> parameters() const;
  NamedTensors named_buffers() const;
  /// Parameters and buffers under all their names: what a file holds. The tensors share memory with the module.
  NamedTensors state() const;
  /// Copies values into the parameters and buffers. ValueError lists at once every tensor that is missing, unexpected or of another
  /// shape or dtype, and then nothing has been changed. With `allow_unexpected` the input may hold more.
  void load(const NamedTensors& state, bool allow_unexpected = false);

  void train(bool on = true);
  void eval() { train(false); }
  void zero_grad();
  /// Frozen parameters (off) get no gradient.
  void requires_grad_(bool on = true);
  /// Floating parameters and buffers become tensors of that dtype or device. Make optimizers afterwards: they hold the tensors.
  void to(const Options& options);
  /// Number of elements of all parameters.
  std::int64_t parameter_count() const;

 protected:
  Module() = default;
  Module(const Module&) = default;
  Module(Module&&) = default;
  Module& operator=(const Module&) = default;
  Module& operator=(Module&&) = default;
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
