// What differs from replay to replay of captured device work (include/rill/cuda/graph.h): random numbers and constants of optimizers.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <utility>

#include <rill/core/random.h>

#include "lib/core/philox.h"

namespace rill {

/// While a thread captures, the ops that it runs are recorded instead of carried out. Host code runs once, then; what must run again
/// before each replay is handed over here.
class Capture {
 public:
  virtual ~Capture() = default;
  /// The next draw of the generator, counted from a place in device memory that each replay sets to where the generator then stands.
  virtual Draw draw(const Generator& generator) = 0;
  /// Runs f now, and again before each later replay.
  virtual void repeat(std::function<void()> f) = 0;
  /// To be called by what `repeat` runs: device memory that holds these bytes in the next replay, the same memory each time. Null before
  /// a replay, when the bytes are all that is wanted: nothing may be launched then.
  virtual std::byte* constants(std::span<const std::byte> bytes) = 0;
  /// True in what `repeat` runs before a replay.
  virtual bool before_replay() const = 0;
};

/// That of the calling thread; null while it does not capture.
inline constinit thread_local Capture* current_capture [[gnu::tls_model("initial-exec")]] = nullptr;

/// False where only constants are wanted and nothing may be launched.
inline bool launches_now() { return !current_capture || !current_capture->before_replay(); }

/// f of the host, again in each step that a captured one stands for.
template <class F> void in_each_replay(F f) {
  if (current_capture) current_capture->repeat(std::move(f));
  else f();
}

/// Throws FailedPrecondition while the calling thread captures: `what` needs the host to wait for the device.
void check_not_captured(const char* what);

}  // namespace rill
