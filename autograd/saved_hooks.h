// Stand-ins of packed tensors: Note [Packed tensors].
#pragma once

#include <rill/core/tensor.h>

namespace rill {

/// The tensor behind a stand-in; null for an ordinary tensor.
const Tensor* unpack_stand_in(const Tensor& t);

/// Suspends saved-tensor hooks on this thread.
class NoSavedHooks {
 public:
  NoSavedHooks() noexcept;
  ~NoSavedHooks();

 private:
  const class SavedTensorHooks* before_;
};

}  // namespace rill
