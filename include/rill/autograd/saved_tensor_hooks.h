// What becomes of the tensors that ops keep for backward: store them elsewhere, in another form, or not at all.
#pragma once

#include <any>
#include <functional>
#include <memory>

#include <rill/core/tensor.h>

namespace rill {

/// While it lives, on this thread: each tensor that an op saves goes through `pack`, and only what that returned is kept; when
/// backward needs the tensor, `unpack` must return one of the same shape and dtype (GradError otherwise). Scopes nest, the innermost
/// counts. A later in-place write to the original is not noticed when `pack` made a copy.
class SavedTensorHooks {
 public:
  using Pack = std::function<std::any(const Tensor&)>;
  using Unpack = std::function<Tensor(const std::any&)>;
  SavedTensorHooks(Pack pack, Unpack unpack);
  ~SavedTensorHooks();
  SavedTensorHooks(const SavedTensorHooks&) = delete;
  SavedTensorHooks& operator=(const SavedTensorHooks&) = delete;

 private:
  friend struct SavedTensorHooksAccess;
  struct Functions {
    Pack pack;
    Unpack unpack;
  };
  std::shared_ptr<const Functions> functions_;
  const SavedTensorHooks* outer_;
};

}  // namespace rill
