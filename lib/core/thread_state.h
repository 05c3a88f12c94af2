// Everything that belongs to the calling thread and is read on every op.
#pragma once

namespace rill {

struct ThreadState {
  bool grad_enabled = true;
  bool inference = false;
  bool anomaly = false;
};
inline constinit thread_local ThreadState thread_state [[gnu::tls_model("initial-exec")]];

}  // namespace rill
