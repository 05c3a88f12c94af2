// A tensor kept for backward, with the version its storage had: a later in-place write is noticed, never used.
#pragma once

#include "autograd/node.h"

namespace rill {

[[noreturn]] void throw_saved_changed(const Tensor& t, std::uint32_t saved_at);
[[noreturn]] void throw_saved_inference(const Tensor& t);

Tensor without_base(const Tensor& view);

class Saved {
 public:
  Saved() = default;
  /// A view is kept without its base: a later write through the base would close a cycle of references.
  explicit Saved(const Tensor& t) : tensor_(t.defined() && impl(t).base.defined() ? without_base(t) : t) {
    if (!t.defined()) return;
    if (impl(t).inference) [[unlikely]] throw_saved_inference(t);
    version_ = impl(t).storage->version.load(std::memory_order_relaxed);
  }
  /// The tensor; throws GradError when its storage was written since.
  const Tensor& operator()() const {
    if (tensor_.defined() && impl(tensor_).storage->version.load(std::memory_order_relaxed) != version_) [[unlikely]]
      throw_saved_changed(tensor_, version_);
    return tensor_;
  }

 private:
  Tensor tensor_;
  std::uint32_t version_ = 0;
};

inline Saved save(const Tensor& t) { return Saved(t); }

}  // namespace rill
