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

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <rill/core/named_tensors.h>
#include <rill/core/profiler.h>
#include <rill/nn/parts.h>

namespace rill::nn {

/// Runs before a module: receives its (first) input; a defined result replaces it.
using ForwardPreHook = std::function<Tensor(const Module&, const Tensor& input)>;
/// Runs after a module: receives its (first) input and output; a defined result replaces the output.
using ForwardHook = std::function<Tensor(const Module&, const Tensor& input, const Tensor& output)>;
/// Runs in a backward pass when the gradients of the module's (first) input and output are known; a defined result replaces the
/// gradient of the input. That is undefined when the input needs no gradient.
using BackwardHook = std::function<Tensor(const Module&, const Tensor& grad_input, const Tensor& grad_output)>;

namespace detail {

struct ModuleHooks;

struct ParametrizationAccess;

/// What a module carries beside its parts: its hooks and its place in the model. A copy of a module has copies of the hooks;
/// assigning to a module changes neither.
class ModuleState {
 public:
  ModuleState() = default;
  ModuleState(const ModuleState& other);
  ModuleState(ModuleState&& other) noexcept : hooks(std::move(other.hooks)), place(other.place.load()), parametrized(other.parametrized) {}
  ModuleState& operator=(const ModuleState& other) noexcept { return parametrized = other.parametrized, *this; }
  ModuleState& operator=(ModuleState&& other) noexcept { return parametrized = other.parametrized, *this; }

  std::shared_ptr<ModuleHooks> hooks;               // null without hooks
  std::atomic<const std::string*> place{nullptr};   // one of a set of strings that lives as long as the program
  bool parametrized = false;                        // parameters have to be made before the module runs
};

/// The tensor of a result that hooks see: itself, its member `output` or `values`, or its first element.
template <class R> Tensor& first_output(R& result) {
  if constexpr (std::is_same_v<R, Tensor>) return result;
  else if constexpr (requires { result.output; }) return result.output;
  else if constexpr (requires { result.values; }) return result.values;
  else return std::get<0>(result);
}

}  // namespace detail

/// Base of every module; copying a module copies its weights.
class Module {
 public:
  virtual ~Module() = default;
  /// Names every part, in the order in which lists and files shall have them.
  virtual void parts(Parts& p) = 0;
  /// One line for prints: the name of the class, with the arguments that matter: "Linear(in_features=784, out_features=10, bias=True)",
  /// spelled as PyTorch's, so that prints of ported models can be compared.
  virtual std::string describe() const;
  /// Multiplications and additions of the matrix products and convolutions (other work is not counted) that this module itself, without
  /// its parts, did to turn its (first) input into its output.
  virtual std::int64_t flops(const Tensor& /*x*/, const Tensor& /*y*/) const { return 0; }
  /// Where the module stands in its model ("layer3.conv2"), known once the model's parts have been listed (parameters(), state(), ...).
  /// Errors raised inside the module name it.
  const std::string& path() const;

  /// Every parameter once, in the order of parts; tied ones under their first name, absent ones not at all.
  NamedTensors named_parameters() const;
  std::vector<Tensor> parameters() const;
  NamedTensors named_buffers() const;
  /// Parameters and buffers under all their names: what a file holds. The tensors share memory with the module.
  NamedTensors state() const;
  /// This module ("") and every module in it with its path, in the order of parts.
  std::vector<std::pair<std::string, Module*>> named_modules();
  /// Calls f for every module in this one, after those in it, and last for this one.
  void apply(const std::function<void(Module&)>& f);
  /// Copies values into the parameters and buffers. ValueError lists at once every tensor that is missing, unexpected or of another
  /// shape or dtype, and then nothing has been changed. Returns the names that the options let pass: missing tensors keep their values.
  LoadResult load(const NamedTensors& state, const LoadOptions& options = {});

  void train(bool on = true);
  void eval() { train(false); }
  void zero_grad();
  /// Frozen parameters (off) get no gradient.
  void requires_grad_(bool on = true);
  /// Floating parameters and buffers become tensors of that dtype or device. Make optimizers afterwards: they hold the tensors.
  void to(const Options& options);
  /// Number of elements of all parameters.
  std::int64_t parameter_count() const;

  HookHandle register_forward_pre_hook(ForwardPreHook hook);
  HookHandle register_forward_hook(ForwardHook hook);
  HookHandle register_full_backward_hook(BackwardHook hook);

 protected:
  /// Runs `forward(x)` as this module: with its hooks around it, and its path added to errors. Layers write
  /// `return call(x, [&](const Tensor& x) { return linear(x, weight, bias); });`. The result may be a tensor, a tuple whose first
  /// element is one, or a struct with a member `output` or `values`.
  template <class F> auto call(const Tensor& x, F&& forward) const {
    try {
      if (!state_.hooks && !state_.parametrized && !profiler::running()) [[likely]] return forward(x);
      const profiler::detail::ModuleRange range(profiled_as());
      const Tensor input = before(x);
      auto result = forward(input);
      Tensor& output = detail::first_output(result);
      output = after(input, output);
      return result;
    } catch (Error& e) {
      locate(e);
      throw;
    }
  }

  Module() = default;
  Module(const Module&) = default;
  Module(Module&&) = default;
  Module& operator=(const Module&) = default;
  Module& operator=(Module&&) = default;

 private:
  friend class Parts;
  friend struct detail::ParametrizationAccess;
  Tensor before(const Tensor& x) const;
  Tensor after(const Tensor& x, const Tensor& y) const;
  void locate(Error& e) const;
  const std::string* profiled_as() const;
  detail::ModuleState state_;
};

}  // namespace rill::nn
