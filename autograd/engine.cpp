// The backward pass: one loop on the calling thread.
#include <algorithm>

#include <rill/autograd/backward.h>
#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>

#include "autograd/anomaly.h"
#include "autograd/autocast.h"
#include "autograd/node.h"
#include "autograd/recorded_gradients.h"
#include "autograd/saved.h"
#include "autograd/saved_hooks.h"
#include "lib/core/check.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

constinit thread_local Node* t_running = nullptr;  // named in errors about saved tensors

/// Nobody else can see it, and its elements lie without gaps.
bool owned_alone(const Tensor& t) {
  const auto& i = impl(t);
  return i.references.load(std::memory_order_acquire) == 1 && i.storage->references.load(std::memory_order_acquire) == 1 && !i.base.defined() &&
         (!i.storage->deleter || i.storage->deleter == Storage::on_device()) && (i.contiguous || t.is_contiguous(MemoryFormat::channels_last));
}

/// sum += g, in place where nobody else can see it.
void accumulate(Tensor& sum, Tensor g, bool create_graph) {
  if (!sum.defined()) sum = std::move(g);
  else if (!create_graph && owned_alone(sum)) sum.add_(g);
  else sum = add(sum, g);
}

class Run final : public GradSink {
 public:
  Run(bool create_graph, bool retain) : GradSink({}), create_graph_(create_graph), retain_(retain) {}
  ~Run() {  // after an exception: leave no gradient behind
    for (Node* n : heap_)
      for (std::uint32_t s = 0; s < n->outputs; ++s) n->pending_slot(s) = {};
    for (auto& [leaf, g] : leaves_)
      if (leaf->owner.load(std::memory_order_relaxed) == this) leaf->owner.store(nullptr, std::memory_order_release);
  }
  Run(const Run&) = delete;

  // Note [Wanted nodes]: `grad(outputs, inputs)` and `backward(inputs=...)` run only nodes on a path to an input. They are found
  // by a depth-first walk with an explicit stack; a node that leads to an input carries this run's mark. Leaves carry none: graphs in
  // several threads may share them.
  struct Capture {
    Node* node;
    std::uint32_t slot;
    Tensor value;
    bool found = false;
  };
  std::vector<Capture> captures;
  bool capture_mode = false;
  bool stop_at_captures = false;  // their own inputs are not looked at: they may belong to a pass that is running

  void find_wanted(const std::vector<Edge>& roots) {
    static std::atomic<std::uint32_t> counter{0};
    mark_ = 2 * (counter.fetch_add(1) + 1);  // mark_: visited, mark_ + 1: leads to an input
    struct Frame {
      Node* node;
      std::uint32_t next;
    };
    std::vector<Frame> stack;
    captured_.reserve(captures.size());
    for (const auto& c : captures) captured_.push_back(c.node);
    std::sort(captured_.begin(), captured_.end());
    auto enter = [&](Node* n) {
      const bool end = captured(n);
      n->mark = end ? mark_ + 1 : mark_;
      stack.push_back({n, end && stop_at_captures ? n->inputs : 0});
    };
    for (const Edge& r : roots) {
      if (!r.node || r.node->leaf || r.node->mark == mark_ || r.node->mark == mark_ + 1) continue;
      enter(r.node.get());
      while (!stack.empty()) {
        auto& [node, next] = stack.back();
        if (next == node->inputs) {
          const bool leads = node->mark == mark_ + 1;
          stack.pop_back();
          if (leads && !stack.empty()) stack.back().node->mark = mark_ + 1;
          continue;
        }
        Node* child = node->edges[next++].node.get();
        if (!child) continue;
        if (child->leaf) {
          if (captured(child)) node->mark = mark_ + 1;
          continue;
        }
        if (child->mark == mark_ + 1) node->mark = mark_ + 1;
        else if (child->mark != mark_) enter(child);
      }
    }
  }

  void seed(const Edge& root, Tensor gradient) {
    if (root.node) push(root, std::move(gradient));
  }

  void run() {
    std::vector<Tensor> grads;
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), older);
      Node* node = heap_.back();
      heap_.pop_back();
      grads.clear();
      for (std::uint32_t s = 0; s < node->outputs; ++s) grads.push_back(std::exchange(node->pending_slot(s), {}));
      apply_hooks(node, grads);
      take_captures(node, grads);
      if (capture_mode && !leads_on(node)) continue;  // an input asked for: what lies behind it stays for another pass
      check<GradError>(!node->released, node->op, "backward() runs a second time through a graph whose saved tensors were freed; "
                       "pass retain_graph = true the first time");
      edges_ = node->edge_list();
      struct Running {
        Node* before = t_running;
        ~Running() { t_running = before; }
      } running;
      t_running = node;
      if (thread_state.noted) [[unlikely]] apply_noted(node, grads);
      else node->apply(grads, *this);
      if (!retain_) {
        node->release_saved();
        node->released = true;
      }
    }
    grads.clear();
    finish_leaves();
  }

  void add(std::size_t input, Tensor gradient) override {
    if (!gradient.defined()) return;
    if (thread_state.anomaly) [[unlikely]] produced_.push_back(gradient);
    push(edges_[input], std::move(gradient));
  }

 private:
  /// In anomaly mode or with a profile running.
  [[gnu::cold, gnu::noinline]] void apply_noted(Node* node, std::span<Tensor> grads) {
    const OpRange here(profiler::Kind::backward, node->op, node->extras ? node->extras->module : nullptr);
    node->apply(grads, *this);
    if (thread_state.anomaly) check_anomaly();
  }
  static bool older(const Node* a, const Node* b) { return a->depth < b->depth; }
  bool captured(const Node* n) const { return std::binary_search(captured_.begin(), captured_.end(), n); }
  bool wants_node(const Edge& e) const override { return !capture_mode || (e.node->leaf ? captured(e.node.get()) : e.node->mark == mark_ + 1); }

  bool leads_on(const Node* n) const {
    return std::any_of(n->edges, n->edges + n->inputs, [this](const Edge& e) { return e.node && wants_node(e); });
  }

  void push(const Edge& e, Tensor g) {
    Node* n = e.node.get();
    if (!wants_node(e)) return;
    if (n->leaf) return push_leaf(static_cast<LeafNode*>(n), std::move(g));
    bool queued = false;
    for (std::uint32_t s = 0; s < n->outputs; ++s) queued |= n->pending_slot(s).defined();
    accumulate(n->pending_slot(e.slot), std::move(g), create_graph_);
    if (queued) return;
    heap_.push_back(n);
    std::push_heap(heap_.begin(), heap_.end(), older);
  }

  void push_leaf(LeafNode* leaf, Tensor g) {
    check<GradError>(impl(g).shape == leaf->shape, t_running ? t_running->op : "backward", "the gradient of a leaf of shape {} has shape {}",
                     leaf->shape, impl(g).shape);
    if (impl(g).dtype != leaf->dtype) g = g.to(leaf->dtype);
    void* nobody = nullptr;
    if (leaf->owner.load(std::memory_order_relaxed) == this) return accumulate(leaves_[leaf->position].second, std::move(g), create_graph_);
    if (contested_) [[unlikely]]
      for (auto& [l, sum] : leaves_)
        if (l == leaf) return accumulate(sum, std::move(g), create_graph_);
    if (leaf->owner.compare_exchange_strong(nobody, this, std::memory_order_acq_rel)) leaf->position = leaves_.size();
    else contested_ = true;  // another thread works on this leaf: from now on leaves without an owner are looked up in our own list
    leaves_.emplace_back(leaf, std::move(g));
  }

  void finish_leaves() {
    for (auto& [leaf, g] : leaves_) {
      if (leaf->owner.load(std::memory_order_relaxed) == this) leaf->owner.store(nullptr, std::memory_order_release);
      std::vector<Tensor> one;
      one.push_back(std::move(g));
      apply_hooks(leaf, one);
      if (capture_mode) {
        take_captures(leaf, one);
        if (!leaf_accumulates_) continue;
      }
      {
        std::lock_guard lock(leaf->mutex);
        Tensor& sum = leaf->grad;
        if (create_graph_) sum = sum.defined() ? rill::add(sum, one[0]) : one[0];
        else if (sum.defined()) {
          if (impl(sum).node) sum = sum.detach();
          sum.add_(one[0]);
        } else sum = owned_alone(one[0]) && one[0].is_contiguous(leaf->format) ? std::move(one[0]) : one[0].detach().clone(leaf->format);
      }
      for (std::size_t i = 0; i < leaf->post_hooks.size(); ++i) leaf->post_hooks[i].second(leaf->grad);
    }
    leaves_.clear();
  }

  void apply_hooks(Node* node, std::vector<Tensor>& grads) {
    if (!node->extras) return;
    const auto hooks = node->extras->hooks;  // a copy: a hook may remove itself
    for (const auto& h : hooks) {
      if (!grads[h.slot].defined()) continue;
      if (Tensor changed = h.call(grads[h.slot]); changed.defined()) {
        check<GradError>(changed.shape() == grads[h.slot].shape(), node->op, "a hook returned a gradient of shape {} for one of shape {}", changed.shape(),
                         grads[h.slot].shape());
        grads[h.slot] = std::move(changed);
      }
    }
    if (capture_mode) return;
    for (auto& [slot, kept] : node->extras->retained)
      if (grads[slot].defined()) *kept = kept->defined() ? rill::add(*kept, grads[slot]) : grads[slot];
  }

  void take_captures(Node* node, const std::vector<Tensor>& grads) {
    if (!capture_mode) return;
    for (auto& c : captures)
      if (c.node == node && grads[c.slot].defined()) c.value = grads[c.slot], c.found = true;
  }

  void check_anomaly() {
    for (const Tensor& g : produced_) throw_if_nan(*t_running, g);
    produced_.clear();
  }

  std::vector<Node*> heap_;
  std::vector<const Node*> captured_;  // the nodes of `captures`, sorted
  std::vector<std::pair<LeafNode*, Tensor>> leaves_;
  std::vector<Tensor> produced_;
  bool create_graph_, retain_;
  bool contested_ = false;
  std::uint32_t mark_ = 0;

 public:
  bool leaf_accumulates_ = true;
};

struct Seeds {
  std::vector<Edge> edges;
  std::vector<Tensor> gradients;
};

Seeds make_seeds(const char* op, const std::vector<Tensor>& outputs, const std::vector<Tensor>& gradients) {
  check<ValueError>(!outputs.empty(), op, "there are no outputs; pass at least one tensor");
  check<ValueError>(gradients.empty() || gradients.size() == outputs.size(), op, "{} outputs need as many gradients, got {}", outputs.size(), gradients.size());
  Seeds s;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& y = outputs[i];
    check_defined(op, y, "an output");
    check<GradError>(y.requires_grad(), op, "output {} does not depend on a tensor that requires grad; call requires_grad_() on an input "
                     "and keep recording on", describe(y));
    Tensor g = gradients.empty() ? Tensor() : gradients[i];
    if (!g.defined()) {
      check<GradError>(y.numel() == 1, op, "the gradient may be omitted only for one element, the output is {}; pass a gradient or reduce "
                       "with sum() or mean()", describe(y));
      g = ones(y.shape(), {.dtype = y.dtype(), .device = y.device()});
    }
    check<ShapeError>(g.shape() == y.shape(), op, "the gradient has shape {}, the output {}", g.shape(), y.shape());
    if (g.dtype() != y.dtype()) g = g.to(y.dtype());
    s.edges.push_back(edge_to(y));
    s.gradients.push_back(std::move(g));
  }
  return s;
}

/// The state of the thread during a pass: gradients have the dtypes of what they belong to, so formulas run without autocast.
struct PassScope {
  bool before = thread_state.grad_enabled;
  amp::Under plain{{}};
  explicit PassScope(bool record) { thread_state.grad_enabled = record; }
  ~PassScope() { thread_state.grad_enabled = before; }
};

}  // namespace

void backward(const std::vector<Tensor>& outputs, const std::vector<Tensor>& gradients, const BackwardOptions& options, const std::vector<Tensor>& inputs) {
  const OpRange here("backward");
  Seeds seeds = make_seeds("backward", outputs, gradients);
  Run run(options.create_graph, options.retain_graph.value_or(options.create_graph));
  if (!inputs.empty()) {
    for (const Tensor& x : inputs) {
      check<GradError>(x.defined() && x.requires_grad() && x.is_leaf(), "backward", "input {} is not a leaf that requires grad", describe(x));
      run.captures.push_back({edge_to(x).node.get(), 0, {}});
    }
    run.capture_mode = true;
    run.find_wanted(seeds.edges);
  }
  PassScope scope(options.create_graph);
  for (std::size_t i = 0; i < seeds.edges.size(); ++i) run.seed(seeds.edges[i], std::move(seeds.gradients[i]));
  run.run();
}

namespace {

std::vector<Tensor> gradients_of(const char* op, const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs, const std::vector<Tensor>& gradients,
                                 const BackwardOptions& options, bool stop_at_inputs) {
  const OpRange here(op);
  Seeds seeds = make_seeds(op, outputs, gradients);
  Run run(options.create_graph, options.retain_graph.value_or(options.create_graph));
  run.capture_mode = true;
  run.stop_at_captures = stop_at_inputs;
  run.leaf_accumulates_ = false;
  std::vector<Ref<Node>> keep;
  for (const Tensor& x : inputs) {
    check<GradError>(x.defined() && x.requires_grad(), op, "input {} does not require grad", describe(x));
    Edge e = edge_to(x);
    run.captures.push_back({e.node.get(), e.slot, {}});
    keep.push_back(std::move(e.node));
  }
  run.find_wanted(seeds.edges);
  {
    PassScope scope(options.create_graph);
    for (std::size_t i = 0; i < seeds.edges.size(); ++i) run.seed(seeds.edges[i], std::move(seeds.gradients[i]));
    run.run();
  }
  std::vector<Tensor> result;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    check<GradError>(run.captures[i].found || options.allow_unused, op, "the outputs do not depend on input {} ({}); set allow_unused = true to get "
                     "an undefined gradient", i, describe(inputs[i]));
    result.push_back(std::move(run.captures[i].value));
  }
  return result;
}

}  // namespace

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs, const std::vector<Tensor>& gradients,
                         const BackwardOptions& options) {
  return gradients_of("grad", outputs, inputs, gradients, options, false);
}

std::vector<Tensor> recorded_gradients(const ListFunction& f, const std::vector<Tensor>& inputs, std::span<const Tensor> gradients) {
  std::vector<Tensor> aliases = inputs, wanted, outputs, incoming;
  for (Tensor& x : aliases)
    if (x.defined() && x.requires_grad()) wanted.push_back(x = x.view(x.shape()));
  const std::vector<Tensor> y = f(aliases);
  for (std::size_t i = 0; i < gradients.size(); ++i)
    if (gradients[i].defined() && y[i].requires_grad()) outputs.push_back(y[i]), incoming.push_back(gradients[i]);
  std::vector<Tensor> result(inputs.size());
  if (outputs.empty()) return result;
  std::vector<Tensor> found = gradients_of("grad", outputs, wanted, incoming, {.create_graph = true, .allow_unused = true}, true);
  for (std::size_t i = 0, k = 0; i < inputs.size(); ++i)
    if (inputs[i].defined() && inputs[i].requires_grad()) result[i] = std::move(found[k++]);
  return result;
}

const Tensor& unpack_saved(const Tensor& t, std::uint32_t saved_at) {
  if (const Tensor* unpacked = unpack_stand_in(t)) return *unpacked;
  fail<GradError>(t_running ? t_running->op : "backward", "its saved tensor {} was changed in place before backward() (version {}, saved at {}); clone it first",
                  describe(t), t.version(), saved_at);
}
void throw_saved_inference(const Tensor& t) {
  fail<GradError>("record", "{} was made in inference mode and cannot be saved for backward; make it outside or clone it", describe(t));
}
void no_second_gradient(const char* op) {
  fail<GradError>(op, "has no second derivative; call backward() without create_graph");
}

}  // namespace rill
