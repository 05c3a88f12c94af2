#include <rill/autograd/checkpoint.h>

#include <rill/autograd/grad_mode.h>
#include <rill/autograd/saved_tensor_hooks.h>

#include "autograd/autocast.h"
#include "autograd/saved.h"
#include "autograd/saved_hooks.h"
#include "lib/core/check.h"

namespace rill {
namespace {

using Function = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;

struct SavedState {  // a generator and where it stood
  Generator generator;
  Tensor state;
  explicit SavedState(const Generator& g) : generator(g), state(g.state()) {}
};

/// One call of checkpoint(): what is needed to run the function again, and the tensors it saved once that has happened.
class Segment {
 public:
  Segment(Function f, const std::vector<Tensor>& inputs, const CheckpointOptions& options) : f_(std::move(f)) {
    for (const Tensor& x : inputs) {
      inputs_.push_back(save(x));
      requires_grad_.push_back(x.defined() && x.requires_grad());
    }
    if (options.preserve_rng) default_.emplace(default_generator());
    for (const Generator& g : options.generators) others_.emplace_back(g);
  }

  std::vector<Tensor> run(const std::vector<Tensor>& inputs) { return f_(inputs); }
  std::size_t note() { return expected_++; }

  Tensor get(std::size_t index) {
    if (!computed_) recompute();
    return collected_[index];
  }

 private:
  struct Restored {  // generators back to where they stood when the function ran first, and forward again at the end
    std::vector<SavedState> now;
    explicit Restored(const std::vector<SavedState>& then) {
      for (const auto& s : then) now.emplace_back(s.generator), s.generator.set_state(s.state);
    }
    ~Restored() {
      for (const auto& s : now) s.generator.set_state(s.state);
    }
  };

  void recompute() {
    std::vector<Tensor> inputs, saved;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      Tensor x = inputs_[i]();
      if (x.defined()) x = x.detach();  // only values are needed: the first run's history stays in force
      if (requires_grad_[i]) x.requires_grad_();
      inputs.push_back(std::move(x));
    }
    EnableGrad on;
    const amp::Under same_precision(autocast_);
    Restored restored(others_);
    std::optional<GeneratorScope> replay;
    if (default_) {
      Generator same = default_->generator.clone();
      same.set_state(default_->state);
      replay.emplace(same);
    }
    {
      SavedTensorHooks collect([&saved](const Tensor& t) { return saved.push_back(t), std::any(t); }, [](const std::any& a) { return std::any_cast<Tensor>(a); });
      f_(inputs);
    }
    check<GradError>(saved.size() == expected_, "checkpoint", "the function saved {} tensors when it ran first and {} now; it must do the same both times", expected_, saved.size());
    collected_ = std::move(saved);
    computed_ = true;
  }

  Function f_;
  amp::Choice autocast_ = amp::choice();  // of the first run
  std::vector<Saved> inputs_;
  std::vector<bool> requires_grad_;
  std::optional<SavedState> default_;
  std::vector<SavedState> others_;
  std::size_t expected_ = 0;
  bool computed_ = false;
  std::vector<Tensor> collected_;
};

}  // namespace

std::vector<Tensor> checkpoint(Function f, const std::vector<Tensor>& inputs, const CheckpointOptions& options) {
  if (!grad_enabled()) return f(inputs);
  auto segment = std::make_shared<Segment>(std::move(f), inputs, options);
  SavedTensorHooks forget([segment](const Tensor&) { return std::any(segment->note()); }, [segment](const std::any& index) { return segment->get(std::any_cast<std::size_t>(index)); });
  return segment->run(inputs);
}

Tensor checkpoint(std::function<Tensor(const Tensor&)> f, const Tensor& x, const CheckpointOptions& options) {
  return checkpoint(Function([f = std::move(f)](const std::vector<Tensor>& in) { return std::vector<Tensor>{f(in[0])}; }), std::vector<Tensor>{x}, options)[0];
}

Tensor checkpoint_sequential(std::vector<std::function<Tensor(const Tensor&)>> functions, std::int64_t segments, const Tensor& x, const CheckpointOptions& options) {
  const auto count = static_cast<std::int64_t>(functions.size());
  check<ValueError>(segments >= 1 && segments <= count, "checkpoint_sequential", "{} segments of {} functions make no sense; use 1 to {}", segments, count, count);
  Tensor y = x;
  for (std::int64_t s = 0; s < segments; ++s) {
    std::vector<std::function<Tensor(const Tensor&)>> part(functions.begin() + count * s / segments, functions.begin() + count * (s + 1) / segments);
    y = checkpoint(std::function<Tensor(const Tensor&)>([part = std::move(part)](const Tensor& in) {
                     Tensor t = in;
                     for (const auto& f : part) t = f(t);
                     return t;
                   }),
                   y, options);
  }
  return y;
}

}  // namespace rill
