// Ops with a gradient of your own.
//
//   struct Cube {
//     static Tensor forward(Context& c, const Tensor& x, double scale) {
//       c.save_for_backward({x});
//       c.set("scale", scale);
//       return x * x * x * scale;
//     }
//     static std::vector<Tensor> backward(Context& c, const Tensor& g) {
//       const Tensor x = c.saved()[0];
//       return {g * (3 * c.get<double>("scale")) * x * x, {}};  // one for each argument of forward; none for numbers
//     }
//   };
//   Tensor y = custom_op<Cube>(x, 2.0);
#pragma once

#include <any>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <rill/core/tensor.h>

namespace rill {

/// What forward leaves for backward. Forward runs without recording; backward records when create_graph is set, so it can be
/// differentiated again if it is made of differentiable ops.
class Context {
 public:
  Context();
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// Keeps tensors; inputs and outputs of the op must go this way (an output kept elsewhere would never be freed). In backward
  /// GradError when one was written in place since.
  void save_for_backward(std::vector<Tensor> tensors);
  std::vector<Tensor> saved() const;
  /// Anything else.
  template <class T> void set(const std::string& key, T value) { values_[key] = std::move(value); }
  template <class T> T get(const std::string& key) const { return std::any_cast<T>(value(key)); }

  /// Does argument i of forward want a gradient?
  bool needs_input_grad(std::size_t argument) const;
  /// Forward wrote this input in place and returns it.
  void mark_dirty(const Tensor& input);
  /// This output is a constant for autograd.
  void mark_non_differentiable(const Tensor& output);
  /// Off: an output that received no gradient gives an undefined tensor instead of zeros.
  void set_materialize_grads(bool on);
  /// Backward may not be differentiated: GradError with create_graph.
  void mark_once_differentiable();

  struct State;
  State& state() const { return *state_; }

 private:
  const std::any& value(const std::string& key) const;
  std::map<std::string, std::any> values_;
  std::unique_ptr<State> state_;
};

namespace detail {
struct CustomCall {
  const char* name;
  std::size_t arguments;
  std::vector<Tensor> tensors;
  std::vector<std::size_t> argument_of;  // position of tensors[k] among the arguments
  std::function<std::vector<Tensor>(Context&)> forward;
  std::vector<Tensor> (*backward)(Context&, const std::vector<Tensor>&);
};
std::vector<Tensor> run_custom(CustomCall call);

template <class Op> constexpr const char* custom_name() {
  if constexpr (requires { Op::name; }) return Op::name;
  else return "custom_op";
}
}  // namespace detail

/// Runs Op::forward(context, arguments...) and puts its result on the tape with Op::backward, which takes the gradient of the
/// output (`const Tensor&`, or `const std::vector<Tensor>&` for several) and returns one gradient per argument. `Op::name` is
/// used in errors. GradError in backward when the count or a shape is wrong.
template <class Op, class... A> auto custom_op(const A&... arguments) {
  using Result = decltype(Op::forward(std::declval<Context&>(), arguments...));
  detail::CustomCall call{detail::custom_name<Op>(), sizeof...(A), {}, {}, {}, {}};
  std::size_t position = 0;
  auto note = [&]<class T>(const T& a) {
    if constexpr (std::is_base_of_v<Tensor, T>) call.tensors.push_back(a), call.argument_of.push_back(position);
    ++position;
  };
  (..., note(arguments));
  call.forward = [&](Context& c) {
    if constexpr (std::is_convertible_v<Result, Tensor>) return std::vector<Tensor>{Op::forward(c, arguments...)};
    else return std::vector<Tensor>(Op::forward(c, arguments...));
  };
  call.backward = [](Context& c, const std::vector<Tensor>& g) {
    if constexpr (std::is_invocable_v<decltype(&Op::backward), Context&, const std::vector<Tensor>&>) return std::vector<Tensor>(Op::backward(c, g));
    else return std::vector<Tensor>(Op::backward(c, g[0]));
  };
  if constexpr (std::is_convertible_v<Result, Tensor>) return Tensor(std::move(detail::run_custom(std::move(call))[0]));
  else return detail::run_custom(std::move(call));
}

}  // namespace rill
