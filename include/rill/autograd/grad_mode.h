// Switches of recording. They belong to the calling thread and are restored when the guard goes.
#pragma once

namespace rill {

bool grad_enabled() noexcept;
void set_grad_enabled(bool on) noexcept;

namespace detail {
/// Saves the recording state of this thread and restores it.
class StateGuard {
 public:
  StateGuard(bool grad, bool inference) noexcept;
  ~StateGuard();
  StateGuard(const StateGuard&) = delete;
  StateGuard& operator=(const StateGuard&) = delete;

 private:
  bool grad_, inference_;
};
}  // namespace detail

/// While it lives, ops are not recorded.
class NoGrad : detail::StateGuard {
 public:
  NoGrad() noexcept : StateGuard(false, false) {}
};
/// While it lives, ops are recorded, also inside a NoGrad.
class EnableGrad : detail::StateGuard {
 public:
  EnableGrad() noexcept : StateGuard(true, false) {}
};
/// Like NoGrad; besides, tensors made inside can never be saved for backward (GradError when one is).
class InferenceMode : detail::StateGuard {
 public:
  InferenceMode() noexcept : StateGuard(false, true) {}
};

}  // namespace rill
