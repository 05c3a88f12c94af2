// A step of the tape: what an op leaves behind so that its inputs can receive gradients.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "lib/core/memory_pool.h"
#include "lib/core/tensor_impl.h"

namespace rill {

/// Where the gradient of one input goes: output `slot` of the node that made the input. A null node wants no gradient.
struct Edge {
  Ref<Node> node;
  std::uint32_t slot = 0;
};

/// Rarely used parts of a node: hooks, retained gradients, the place in the user's program (anomaly mode), the name in a scope.
struct NodeExtras {
  struct Hook {
    std::uint32_t slot;
    std::uint64_t id;
    std::function<Tensor(const Tensor&)> call;
  };
  std::vector<Hook> hooks;
  std::vector<std::pair<std::uint32_t, std::shared_ptr<Tensor>>> retained;  // slot -> the tensor's grad
  std::string trace, name;
  const std::string* module = nullptr;  // that ran when a profile saw the op
  ~NodeExtras();  // not inline: it would weigh on the destructor of every node
};

/// Receives the gradients that a node computes.
class GradSink {
 public:
  explicit GradSink(std::span<const Edge> edges) : edges_(edges) {}
  /// False: nobody needs the gradient of this input, skip its formula.
  bool wants(std::size_t input) const { return edges_[input].node.get() != nullptr && wants_node(edges_[input]); }
  virtual void add(std::size_t input, Tensor gradient) = 0;

 protected:
  ~GradSink() = default;
  virtual bool wants_node(const Edge&) const = 0;
  std::span<const Edge> edges_;
};

struct Node : GraphNode {
  const char* op;                       // appears in every error about this node
  std::uint64_t depth = 0;              // longest way to a leaf; the engine runs the largest first, so it needs no sort
  Edge* edges = nullptr;                // storage belongs to the derived node
  std::uint32_t inputs = 0, outputs = 1;
  bool released = false;                // saved tensors are gone
  bool leaf = false;
  std::uint32_t mark = 0;               // Note [Wanted nodes], autograd/engine.cpp
  Tensor pending;                       // gradient collected for output 0 while a backward pass runs
  std::unique_ptr<NodeExtras> extras;

  explicit Node(const char* op) : op(op) { pool::count_node(1); }
  virtual ~Node() { pool::count_node(-1); }
  /// Computes the gradients of the inputs. `grads` has one entry per output; an undefined one means zero.
  virtual void apply(std::span<Tensor> grads, GradSink& sink) = 0;
  /// Drops saved tensors.
  virtual void release_saved() {}
  /// The collecting slot of one output.
  virtual Tensor& pending_slot(std::uint32_t) { return pending; }

  std::span<const Edge> edge_list() const { return {edges, inputs}; }
  NodeExtras& extra() { return extras ? *extras : *(extras = std::make_unique<NodeExtras>()); }

  static void* operator new(std::size_t bytes) { return pool::allocate(bytes); }
  static void operator delete(void* p, std::size_t bytes) noexcept { pool::release(p, bytes); }
};

/// The end of the tape: holds `.grad` of a leaf. Shared by the leaf's handle and by every node that used the leaf.
struct LeafNode final : Node {
  std::mutex mutex;                     // graphs that share a leaf may run backward in several threads
  Tensor grad;
  Shape shape;
  Dtype dtype;
  Device device;
  MemoryFormat format;                  // of the leaf, and of its gradient
  std::vector<std::pair<std::uint64_t, std::function<void(const Tensor&)>>> post_hooks;
  std::atomic<void*> owner{nullptr};    // the engine run that has this leaf in its list, and where
  std::size_t position = 0;

  explicit LeafNode(const Tensor& leaf);
  void apply(std::span<Tensor>, GradSink&) override {}
};

inline Node* node_of(const TensorImpl& t) noexcept { return static_cast<Node*>(t.node.get()); }
Node* current_node_of_view(const Tensor& t);  // autograd/inplace.cpp
/// The creator of `t`, with the history of a view brought up to date.
[[gnu::always_inline]] inline Node* current_node(const Tensor& t) {
  const auto& i = impl(t);
  return !i.base.defined() || i.history == impl(i.base).history ? node_of(i) : current_node_of_view(t);
}
/// The edge to `t`; null when it needs no gradient.
[[gnu::always_inline]] inline Edge edge_to(const Tensor& t) {
  Node* n = t.defined() ? current_node(t) : nullptr;
  return {Ref<Node>::share(n), n ? impl(t).slot : 0};
}
inline void set_history(const Tensor& t, Ref<GraphNode> node, std::uint32_t slot = 0) noexcept {
  impl(t).node = std::move(node);
  impl(t).slot = slot;
}

/// True when the calling thread records and some input needs a gradient.
template <class... T> bool recording(const T&... inputs) noexcept;

/// Live nodes over all threads.
std::int64_t live_nodes() noexcept;

}  // namespace rill

#include "lib/core/thread_state.h"

namespace rill {
template <class... T> [[gnu::always_inline]] inline bool recording(const T&... inputs) noexcept {
  return thread_state.grad_enabled && (... || (inputs.defined() && current_node(inputs) != nullptr));
}
}  // namespace rill
