#include <rill/autograd/grad_mode.h>

#include "lib/core/thread_state.h"

namespace rill {

bool grad_enabled() noexcept { return thread_state.grad_enabled; }
void set_grad_enabled(bool on) noexcept { thread_state.grad_enabled = on; }

detail::StateGuard::StateGuard(bool grad, bool inference) noexcept
    : grad_(thread_state.grad_enabled), inference_(thread_state.inference) {
  thread_state.grad_enabled = grad;
  thread_state.inference = inference;
}
detail::StateGuard::~StateGuard() {
  thread_state.grad_enabled = grad_;
  thread_state.inference = inference_;
}

}  // namespace rill
