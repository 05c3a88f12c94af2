#include "autograd/node.h"

#include "lib/core/memory_pool.h"

namespace rill {
namespace {

std::atomic<std::uint64_t> g_sequence{1};
std::atomic<std::int64_t> g_live{0};

// Note [Freeing chains]: a node whose last reference goes is put on this list; whoever put the first one drains it. Deleting a
// node drops its edges, which may put more nodes on the list, but never nests: a chain of any length needs constant stack.
struct Graveyard {
  GraphNode* first = nullptr;
  bool draining = false;
};
constinit thread_local Graveyard t_dead;

}  // namespace

void GraphNode::destroy(GraphNode* node) noexcept {
  auto* n = static_cast<Node*>(node);
  auto& dead = t_dead;
  // `sequence` is not needed any more: it carries the link.
  n->sequence = reinterpret_cast<std::uint64_t>(dead.first);
  dead.first = n;
  if (dead.draining) return;
  dead.draining = true;
  while (auto* next = static_cast<Node*>(dead.first)) {
    dead.first = reinterpret_cast<GraphNode*>(next->sequence);
    delete next;
  }
  dead.draining = false;
}

Node::Node(const char* op) : op(op), sequence(g_sequence.fetch_add(1, std::memory_order_relaxed)) {
  g_live.fetch_add(1, std::memory_order_relaxed);
}
Node::~Node() { g_live.fetch_sub(1, std::memory_order_relaxed); }

void* Node::operator new(std::size_t bytes) { return pool::allocate(bytes); }
void Node::operator delete(void* p, std::size_t bytes) noexcept { pool::release(p, bytes); }

std::int64_t live_nodes() noexcept { return g_live.load(std::memory_order_relaxed); }

LeafNode::LeafNode(const Shape& s, Dtype d, Device dev) : Node("leaf"), shape(s), dtype(d), device(dev) { leaf = true; }

Edge edge_to(const Tensor& t) {
  Node* n = t.defined() ? current_node(t) : nullptr;
  return {Ref<Node>::share(n), n ? impl(t).slot : 0};
}

void set_history(const Tensor& t, Ref<GraphNode> node, std::uint32_t slot) noexcept {
  impl(t).node = std::move(node);
  impl(t).slot = slot;
}

}  // namespace rill
