// Everything that belongs to the calling thread and is read on every op.
#pragma once

namespace rill {

class SavedTensorHooks;

struct ThreadState {
  bool grad_enabled = true;
  bool inference = false;
  bool anomaly = false;
  bool autocast = false;  // a rill::amp::autocast scope is open and acts (autograd/autocast.h)
  bool noted = false;  // anomaly mode is on, a name scope open or a profile running: recorded ops tell about themselves
  const SavedTensorHooks* saved_hooks = nullptr;  // the innermost scope; null: tensors are kept as they are
};
inline constinit thread_local ThreadState thread_state [[gnu::tls_model("initial-exec")]];

}  // namespace rill
