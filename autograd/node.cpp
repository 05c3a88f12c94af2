#include "autograd/node.h"

#include "lib/core/memory_pool.h"

namespace rill {
namespace {

// Note [Freeing chains]: a node whose last reference goes is put on this list; whoever put the first one drains it. Deleting a
// node drops its edges, which may put more nodes on the list, but never nests: a chain of any length needs constant stack.
struct Graveyard {
  GraphNode* first = nullptr;
  bool draining = false;
};
constinit thread_local Graveyard t_dead;

}  // namespace

NodeExtras::~NodeExtras() = default;

void GraphNode::destroy(GraphNode* node) noexcept {
  auto* n = static_cast<Node*>(node);
  auto& dead = t_dead;
  // `depth` is not needed any more: it carries the link.
  n->depth = reinterpret_cast<std::uint64_t>(dead.first);
  dead.first = n;
  if (dead.draining) return;
  dead.draining = true;
  while (auto* next = static_cast<Node*>(dead.first)) {
    dead.first = reinterpret_cast<GraphNode*>(next->depth);
    delete next;
  }
  dead.draining = false;
}

std::int64_t live_nodes() noexcept { return pool::counters().live_nodes; }

LeafNode::LeafNode(const Tensor& t)
    : Node("leaf"), shape(impl(t).shape), dtype(impl(t).dtype), device(impl(t).device),
      format(!impl(t).contiguous && t.is_contiguous(MemoryFormat::channels_last) ? MemoryFormat::channels_last : MemoryFormat::contiguous) {
  leaf = true;
}

}  // namespace rill
