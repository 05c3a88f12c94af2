// The autograd members of Tensor.
#include <rill/autograd/backward.h>
#include <rill/autograd/grad_mode.h>

#include "autograd/node.h"
#include "lib/core/check.h"

namespace rill {
namespace {

LeafNode* leaf_of(const Tensor& t) {
  Node* n = t.defined() ? node_of(impl(t)) : nullptr;
  return n && n->leaf ? static_cast<LeafNode*>(n) : nullptr;
}

std::uint64_t next_hook_id() {
  static std::atomic<std::uint64_t> id{0};
  return ++id;
}

}  // namespace

bool Tensor::requires_grad() const noexcept {
  return defined() && current_node(*this) != nullptr;
}

bool Tensor::is_leaf() const noexcept { return !requires_grad() || leaf_of(*this); }

const Tensor& Tensor::requires_grad_(bool on) const {
  check_defined("requires_grad_", *this, "the tensor");
  auto& i = impl(*this);
  if (on) {
    check<GradError>(is_floating(i.dtype), "requires_grad_", "only floating tensors can require grad, this one is {}", describe(*this));
    if (!requires_grad()) {
      i.leave_base();  // a view that becomes a leaf owns its history from now on: a write through it must not take that of the former base
      i.history = 0;
      set_history(*this, Ref<Node>::adopt(new LeafNode(*this)));
    }
  } else {
    check<GradError>(is_leaf(), "requires_grad_", "only a leaf can stop requiring grad, this tensor was made by {}; use detach()", grad_fn());
    i.node.reset();
  }
  return *this;
}

Tensor Tensor::grad() const {
  if (LeafNode* leaf = leaf_of(*this)) {
    std::lock_guard lock(leaf->mutex);
    return leaf->grad;
  }
  check_defined("grad", *this, "the tensor");
  Node* n = current_node(*this);
  if (n && n->extras)
    for (const auto& [slot, kept] : n->extras->retained)
      if (slot == impl(*this).slot) return *kept;
  return {};
}

void Tensor::set_grad(const Tensor& grad) const {
  LeafNode* leaf = leaf_of(*this);
  check<GradError>(leaf != nullptr, "set_grad", "{} is not a leaf that requires grad", describe(*this));
  if (grad.defined()) {
    check<ShapeError>(grad.shape() == leaf->shape, "set_grad", "the gradient has shape {}, the tensor {}", grad.shape(), leaf->shape);
    check<DtypeError>(grad.dtype() == leaf->dtype, "set_grad", "the gradient is {}, the tensor {}", grad.dtype(), leaf->dtype);
  }
  std::lock_guard lock(leaf->mutex);
  leaf->grad = grad;
}

void Tensor::retain_grad() const {
  check<GradError>(requires_grad(), "retain_grad", "{} does not require grad", describe(*this));
  if (leaf_of(*this)) return;
  auto& kept = current_node(*this)->extra().retained;
  const auto slot = impl(*this).slot;
  for (const auto& [s, _] : kept)
    if (s == slot) return;
  kept.emplace_back(slot, std::make_shared<Tensor>());
}

Tensor Tensor::detach() const {
  check_defined("detach", *this);
  return make_detached(*this);
}

const Tensor& Tensor::detach_() const {
  check_defined("detach_", *this);
  check<GradError>(!impl(*this).base.defined(), "detach_", "{} is a view; use detach(), which leaves the base alone", describe(*this));
  impl(*this).node.reset();
  return *this;
}

void Tensor::backward(const Tensor& gradient, std::optional<bool> retain_graph, bool create_graph) const {
  rill::backward({*this}, gradient.defined() ? std::vector<Tensor>{gradient} : std::vector<Tensor>{},
                 {.retain_graph = retain_graph, .create_graph = create_graph});
}

std::string_view Tensor::grad_fn() const noexcept {
  if (!requires_grad() || leaf_of(*this)) return {};
  return current_node(*this)->op;
}

HookHandle Tensor::register_hook(std::function<Tensor(const Tensor&)> hook) const {
  check<GradError>(requires_grad(), "register_hook", "{} does not require grad, its hook would never run", describe(*this));
  Ref<Node> node = Ref<Node>::share(current_node(*this));
  const auto id = next_hook_id();
  node->extra().hooks.push_back({impl(*this).slot, id, std::move(hook)});
  return HookHandle([node, id] { std::erase_if(node->extra().hooks, [id](const auto& h) { return h.id == id; }); });
}

HookHandle Tensor::register_post_accumulate_grad_hook(std::function<void(const Tensor&)> hook) const {
  LeafNode* leaf = leaf_of(*this);
  check<GradError>(leaf != nullptr, "register_post_accumulate_grad_hook", "{} is not a leaf that requires grad", describe(*this));
  const auto id = next_hook_id();
  leaf->post_hooks.emplace_back(id, std::move(hook));
  Ref<Node> node = Ref<Node>::share(static_cast<Node*>(leaf));
  return HookHandle([node, id] {
    std::erase_if(static_cast<LeafNode*>(node.get())->post_hooks, [id](const auto& h) { return h.first == id; });
  });
}

}  // namespace rill
