// A tensor kept for backward, with the version its storage had: a later in-place write is noticed, never used.
#pragma once

#include "autograd/node.h"

namespace rill {

[[noreturn]] void throw_saved_inference(const Tensor& t);

Tensor without_base(const Tensor& view);

// Note [Packed tensors]: while saved-tensor hooks are active (rill/autograd/saved_tensor_hooks.h) a Saved holds a stand-in: a tensor
// without elements that carries the history of the original and whose storage leads to what the hooks made of it. Its version never
// equals the one that was saved, so the stand-in costs nothing where no hooks are active: it is met on the path of the error.
Tensor pack_saved(const Tensor& t);
/// The unpacked tensor; for an ordinary one throws GradError: its storage was written since `saved_at`.
const Tensor& unpack_saved(const Tensor& t, std::uint32_t saved_at);

class Saved {
 public:
  Saved() = default;
  /// A view is kept without its base: a later write through the base would close a cycle of references.
  explicit Saved(const Tensor& t) : tensor_(t.defined() && impl(t).base.defined() ? without_base(t) : t) {
    if (!t.defined()) return;
    if (impl(t).inference && thread_state.grad_enabled) [[unlikely]] throw_saved_inference(t);  // ops save before they ask whether they record
    version_ = impl(t).storage->version.load(std::memory_order_relaxed);
    if (thread_state.saved_hooks) [[unlikely]] tensor_ = pack_saved(tensor_), version_ = kPacked;
  }
  /// The tensor; throws GradError when its storage was written since.
  const Tensor& operator()() const {
    if (tensor_.defined() && impl(tensor_).storage->version.load(std::memory_order_relaxed) != version_) [[unlikely]]
      return unpack_saved(tensor_, version_);
    return tensor_;
  }

 private:
  static constexpr std::uint32_t kPacked = ~0u;
  Tensor tensor_;
  std::uint32_t version_ = 0;
};

inline Saved save(const Tensor& t) { return Saved(t); }

}  // namespace rill
