// How an op enters the tape: `record("mul", out, grad(a, formula), grad(b, formula))`. See Note [Formulas].
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <tuple>

#include "autograd/saved.h"

namespace rill {

// Note [Formulas]: a formula is `[saved...](const Tensor& g)` or `[saved...](const Tensor& g, const Tensor& y)` and returns the
// gradient of one input; y is the op's own output. It calls public ops, so it can itself be recorded (double backward). The
// formula of an input that needs no gradient is dropped at once with everything it saved; an op that saves a lot asks
// `recording(inputs...)` first.
template <class F> struct GradOf {
  const Tensor& input;
  F formula;
};
template <class F> GradOf<F> grad(const Tensor& input, F formula) { return {input, std::move(formula)}; }

namespace detail {

void note_forward_slow(const char* op, const Tensor& out);
/// Anomaly mode, name scopes and profiles: remembers where `out` was made, what it is called, and in which module.
inline void note_forward(const char* op, const Tensor& out) {
  if (thread_state.noted) [[unlikely]] note_forward_slow(op, out);
}

/// The output of the op that a node belongs to, held without its back edge so that no reference cycle appears.
class OwnOutput {
 public:
  void set(const Tensor& out) { saved_ = Saved(make_detached(out)); }
  /// With recording on, the returned tensor is attached to `node` again.
  Tensor get(Node* node) const {
    const Tensor& y = saved_();
    if (!thread_state.grad_enabled) return y;
    Tensor attached = make_detached(y);
    set_history(attached, Ref<Node>::share(node));
    return attached;
  }
  void reset() { saved_ = {}; }

 private:
  Saved saved_;
};

template <class F> inline constexpr bool reads_output = std::is_invocable_v<F&, const Tensor&, const Tensor&>;
struct Nothing {};  // stand-ins for members that are not needed; distinct types so that each takes no space
struct Missing {};
struct Absent {};

template <class... F> struct OpNode final : Node {
  static constexpr std::size_t kInputs = sizeof...(F);
  static constexpr bool kOutput = (... || reads_output<F>);
  std::array<Edge, kInputs> storage;
  std::tuple<std::optional<F>...> formulas;
  [[no_unique_address]] std::conditional_t<kOutput, OwnOutput, Nothing> own;

  OpNode(const char* op, const Tensor& out, GradOf<F>&... g) : Node(op) {
    edges = storage.data();
    inputs = kInputs;
    bool output_read = false;
    std::size_t i = 0;
    std::apply([&](auto&... slot) { (..., fill(slot, g, i++, output_read)); }, formulas);
    if constexpr (kOutput)
      if (output_read) own.set(out);
  }
  template <class G> void fill(std::optional<G>& slot, GradOf<G>& g, std::size_t i, bool& output_read) {
    storage[i] = edge_to(g.input);
    if (!storage[i].node) return;
    depth = std::max(depth, storage[i].node->depth + 1);
    slot.emplace(std::move(g.formula));
    output_read |= reads_output<G>;
  }
  void apply(std::span<Tensor> grads, GradSink& sink) override {
    const Tensor& g = grads[0];
    std::size_t i = 0;
    std::apply([&](auto&... f) { (..., run(f, g, sink, i++)); }, formulas);
  }
  template <class G> void run(std::optional<G>& f, const Tensor& g, GradSink& sink, std::size_t i) {
    if (!f || !sink.wants(i)) return;
    if constexpr (reads_output<G>) sink.add(i, (*f)(g, own.get(this)));
    else sink.add(i, (*f)(g));
  }
  void release_saved() override {
    std::apply([](auto&... f) { (..., f.reset()); }, formulas);
    if constexpr (kOutput) own.reset();
  }
};

/// A node with any number of inputs and outputs; the formula maps all output gradients to all input gradients.
template <class F> struct GeneralNode final : Node {
  std::vector<Edge> storage;
  std::vector<Tensor> slots;
  std::optional<F> formula;
  GeneralNode(const char* op, std::span<const Tensor> ins, std::size_t outs, F f) : Node(op), slots(outs), formula(std::move(f)) {
    storage.reserve(ins.size());
    for (const Tensor& t : ins) {
      storage.push_back(edge_to(t));
      if (storage.back().node) depth = std::max(depth, storage.back().node->depth + 1);
    }
    edges = storage.data();
    inputs = static_cast<std::uint32_t>(ins.size());
    outputs = static_cast<std::uint32_t>(outs);
  }
  Tensor& pending_slot(std::uint32_t slot) override { return slots[slot]; }
  void apply(std::span<Tensor> grads, GradSink& sink) override {
    std::vector<Tensor> result = (*formula)(grads, sink);
    for (std::size_t i = 0; i < result.size(); ++i)
      if (result[i].defined() && sink.wants(i)) sink.add(i, std::move(result[i]));
  }
  void release_saved() override { formula.reset(); }
};

}  // namespace detail

/// Puts `out` on the tape; for callers that have asked `recording` already.
template <class... F> Tensor record_known(const char* op, Tensor out, GradOf<F>... g) {
  set_history(out, Ref<Node>::adopt(new detail::OpNode<F...>(op, out, g...)));
  detail::note_forward(op, out);
  return out;
}

/// Puts `out` on the tape when the thread records and an input needs a gradient; returns `out`.
template <class... F> Tensor record(const char* op, Tensor out, GradOf<F>... g) {
  return recording(g.input...) ? record_known(op, std::move(out), std::move(g)...) : out;
}

/// `recording` for lists: the inputs of an op, or in its formula the inputs and the gradients, which must then be made of recorded ops.
inline bool recording_any(std::span<const Tensor> a, std::span<const Tensor> b = {}) {
  const auto records = [](const Tensor& t) { return recording(t); };
  return std::any_of(a.begin(), a.end(), records) || std::any_of(b.begin(), b.end(), records);
}

/// Several outputs or a list of inputs. `formula(std::span<Tensor> g, GradSink& sink) -> std::vector<Tensor>` returns one
/// gradient per input (undefined: none); g[i] is undefined when output i got no gradient; `sink.wants(k)` says what is needed.
template <class F> void record_many(const char* op, std::span<const Tensor> inputs, std::span<Tensor> outputs, F formula) {
  if (!recording_any(inputs)) return;
  auto node = Ref<Node>::adopt(new detail::GeneralNode<F>(op, inputs, outputs.size(), std::move(formula)));
  for (std::uint32_t i = 0; i < outputs.size(); ++i)
    if (outputs[i].defined() && is_floating(impl(outputs[i]).dtype)) set_history(outputs[i], Ref<Node>::share(node.get()), i);
  if (!outputs.empty()) detail::note_forward(op, outputs[0]);
}

/// For an op whose gradient cannot be differentiated again: throws GradError with its name instead of a silent zero.
[[noreturn]] void no_second_gradient(const char* op);
/// Throws no_second_gradient(op) when recording is on and an input needs a gradient.
template <class... T> void refuse_second_gradient(const char* op, const T&... inputs) {
  if (recording(inputs...)) no_second_gradient(op);
}

}  // namespace rill
