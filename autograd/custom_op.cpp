#include <rill/autograd/custom_op.h>

#include <algorithm>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>

#include "autograd/inplace.h"
#include "autograd/record.h"
#include "lib/core/check.h"
#include "lib/core/op_range.h"

namespace rill {

struct Context::State {
  struct Kept {
    Saved tensor;
    int output = -1;  // an output is kept without its history and gets it back when it is read
  };
  std::vector<Tensor> to_save, dirty, constants;
  std::vector<Kept> kept;
  std::vector<bool> needed;  // by argument
  Node* node = nullptr;      // the node owns this state
  bool materialize = true, once = false;
  struct Like {
    Shape shape;
    Dtype dtype;
    Device device;
  };
  std::vector<Like> outputs;
};

Context::Context() : state_(std::make_unique<State>()) {}
Context::~Context() = default;

void Context::save_for_backward(std::vector<Tensor> tensors) { state_->to_save = std::move(tensors); }
std::vector<Tensor> Context::saved() const {
  std::vector<Tensor> all;
  for (const auto& k : state_->kept) {
    Tensor t = k.tensor();
    if (k.output >= 0 && thread_state.grad_enabled && state_->node) {
      t = make_detached(t);
      set_history(t, Ref<Node>::share(state_->node), static_cast<std::uint32_t>(k.output));
    }
    all.push_back(std::move(t));
  }
  return all;
}
bool Context::needs_input_grad(std::size_t argument) const {
  check<IndexError>(argument < state_->needed.size(), "needs_input_grad", "argument {} does not exist; forward has {}", argument, state_->needed.size());
  return state_->needed[argument];
}
void Context::mark_dirty(const Tensor& input) { state_->dirty.push_back(input); }
void Context::mark_non_differentiable(const Tensor& output) { state_->constants.push_back(output); }
void Context::set_materialize_grads(bool on) { state_->materialize = on; }
void Context::mark_once_differentiable() { state_->once = true; }
const std::any& Context::value(const std::string& key) const {
  const auto it = values_.find(key);
  check<ValueError>(it != values_.end(), "Context::get", "nothing was set under \"{}\"", key);
  return it->second;
}

namespace {

int position_of(const std::vector<Tensor>& list, const Tensor& t) {
  for (std::size_t i = 0; i < list.size(); ++i)
    if (t.defined() && list[i].is_same(t)) return static_cast<int>(i);
  return -1;
}

std::vector<Tensor> run_backward(const detail::CustomCall& call, Context& context, std::span<Tensor> grads) {
  auto& s = context.state();
  std::vector<Tensor> g(grads.begin(), grads.end());
  for (std::size_t i = 0; i < g.size(); ++i)
    if (!g[i].defined() && s.materialize) g[i] = zeros(s.outputs[i].shape, {.dtype = s.outputs[i].dtype, .device = s.outputs[i].device});
  if (s.once)
    for (const Tensor& t : g) refuse_second_gradient(call.name, t);
  const std::vector<Tensor> all = call.backward(context, g);
  check<GradError>(all.size() == call.arguments, call.name, "backward returned {} gradients for {} arguments of forward; return an empty tensor for an argument without one", all.size(), call.arguments);
  std::vector<Tensor> result;
  for (std::size_t k = 0; k < call.argument_of.size(); ++k) result.push_back(all[call.argument_of[k]]);
  return result;
}

}  // namespace

std::vector<Tensor> detail::run_custom(CustomCall call) {
  const OpRange here(call.name);
  auto context = std::make_shared<Context>();
  auto& s = context->state();
  s.needed.resize(call.arguments);
  bool recorded = false;
  for (std::size_t k = 0; k < call.tensors.size(); ++k) recorded |= s.needed[call.argument_of[k]] = recording(call.tensors[k]);
  std::vector<Tensor> outputs;
  {
    NoGrad off;
    outputs = call.forward(*context);
  }
  call.forward = nullptr;
  for (const Tensor& d : s.dirty) {
    check<GradError>(position_of(call.tensors, d) >= 0 && position_of(outputs, d) >= 0, call.name, "{} was marked dirty, but it is not an input that forward returns", describe(d));
    check_in_place(call.name, d, impl(d).shape, impl(d).dtype);
  }
  if (!recorded) return outputs;

  // every output gets the node on a handle of its own; a dirty input then adopts that history
  std::vector<Tensor> fresh;
  std::vector<Shape> shapes;
  for (const Tensor& y : outputs) {
    check_defined(call.name, y, "an output of forward");
    fresh.push_back(make_detached(y));
    s.outputs.push_back({impl(y).shape, impl(y).dtype, impl(y).device});
  }
  for (const Tensor& x : call.tensors) shapes.push_back(x.defined() ? impl(x).shape : Shape{});
  const std::vector<Tensor> inputs = call.tensors;
  call.tensors.clear();
  record_many(call.name, inputs, fresh, [call, context, shapes](std::span<Tensor> grads, GradSink&) {
    std::vector<Tensor> result = run_backward(call, *context, grads);
    for (std::size_t k = 0; k < result.size(); ++k)
      if (result[k].defined())
        check<GradError>(impl(result[k]).shape == shapes[k], call.name, "backward returned a gradient of shape {} for argument {} of shape {}", impl(result[k]).shape, call.argument_of[k], shapes[k]);
    return result;
  });
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!s.node) s.node = node_of(impl(fresh[i]));
    if (position_of(s.constants, outputs[i]) >= 0) set_history(fresh[i], {});
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (position_of(s.dirty, outputs[i]) < 0) continue;
    adopt_history(outputs[i], fresh[i]);
    fresh[i] = outputs[i];
  }
  for (const Tensor& t : s.to_save) {
    const int output = position_of(outputs, t);
    s.kept.push_back({output >= 0 ? Saved(make_detached(t)) : Saved(t), output});
  }
  s.to_save.clear(), s.dirty.clear(), s.constants.clear();
  return fresh;
}

}  // namespace rill
