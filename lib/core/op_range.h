// How ops tell a running profile about themselves: `const OpRange here("conv2d", x, w);` stands first in every op.
#pragma once

#include <atomic>
#include <span>
#include <utility>

#include <rill/core/profiler.h>
#include <rill/core/tensor.h>

namespace rill {

namespace profiler {

/// Who wants to hear about ops: a profile, and a device backend that names ops in its errors. Bits of one flag, so that ops test it once.
inline constexpr unsigned kProfile = 1, kNames = 2;
inline constinit std::atomic<unsigned> g_listeners{0};
inline bool listening(unsigned who) noexcept { return (g_listeners.load(std::memory_order_relaxed) & who) != 0; }

/// From now on every thread remembers the names of its open ops. Ops that are open now stay unknown.
inline void remember_names() noexcept { g_listeners.fetch_or(kNames, std::memory_order_relaxed); }
/// The innermost open op of the calling thread; "" when there is none or nobody asked for names.
const char* current_op() noexcept;

/// Opens and closes an entry on the calling thread. `module`: the path of the module that it belongs to; null: that of the entry around it.
void begin(Kind kind, std::string_view name, std::span<const Tensor* const> inputs = {}, const std::string* module = nullptr);
void end() noexcept;
/// The module that runs on the calling thread, null outside of modules. The string lives as long as the program.
const std::string* current_module() noexcept;

struct Event;
/// An open entry, for threads that help with it.
struct Entry {
  Event* event = nullptr;
  std::uint64_t recording = 0;
};
Entry find_open_entry() noexcept;
/// The innermost open entry of the calling thread; empty while no profile runs.
inline Entry open_entry() noexcept { return listening(kProfile) ? find_open_entry() : Entry{}; }
/// While it lives, memory that this thread takes outside of entries of its own is charged to the entry of another thread, which waits for it.
class Helping {
 public:
  explicit Helping(const Entry& entry) noexcept : on_(entry.event != nullptr) {
    if (on_) [[unlikely]] help(entry);
  }
  ~Helping() {
    if (on_) [[unlikely]] help({});
  }
  Helping(const Helping&) = delete;
  Helping& operator=(const Helping&) = delete;

 private:
  static void help(const Entry& entry) noexcept;
  bool on_;
};

/// What OpRange tells to whoever listens.
void tell_begin(Kind kind, const char* name, std::span<const Tensor* const> inputs, const std::string* module);
void tell_end() noexcept;
template <class... T> [[gnu::cold, gnu::noinline]] void begin_op(const char* name, const T*... inputs) {
  const Tensor* const list[] = {inputs..., nullptr};
  tell_begin(Kind::op, name, std::span(list, sizeof...(T)), nullptr);
}

}  // namespace profiler

// Note [Profiled ops]: an op tests a flag when it begins and when it ends and remembers nothing in between: about eleven instructions
// while nobody listens. An op that was open when the profile began ends without an entry of its own; as ops of one thread are nested, it
// finds none open. The smallest ops cannot afford that and test the flag once, when they begin (`unreported`).
class OpRange {
 public:
  template <class... T> [[gnu::always_inline]] explicit OpRange(const char* name, const T&... inputs) {
    if (profiler::g_listeners.load(std::memory_order_relaxed)) [[unlikely]] profiler::begin_op(name, static_cast<const Tensor*>(&inputs)...);
  }
  OpRange(profiler::Kind kind, const char* name, const std::string* module) {
    if (profiler::g_listeners.load(std::memory_order_relaxed)) [[unlikely]] profiler::tell_begin(kind, name, {}, module);
  }
  [[gnu::always_inline]] ~OpRange() {
    if (profiler::g_listeners.load(std::memory_order_relaxed)) [[unlikely]] profiler::tell_end();
  }
  OpRange(const OpRange&) = delete;
  OpRange& operator=(const OpRange&) = delete;
};

namespace profiler {

inline constinit thread_local bool t_reported = false;

[[gnu::cold, gnu::noinline]] inline bool not_yet_reported() noexcept { return !std::exchange(t_reported, false); }
/// True when somebody listens and this call is not the one that `report` makes.
[[gnu::always_inline]] inline bool unreported() noexcept {
  return g_listeners.load(std::memory_order_relaxed) && not_yet_reported();
}
/// Calls an op again, in an entry of its own: `if (unreported()) [[unlikely]] return report("add", [&] { return add(a, b); }, a, b);`
template <class F, class... T> [[gnu::cold, gnu::noinline]] auto report(const char* name, const F& op, const T&... inputs) {
  const OpRange here(name, inputs...);
  t_reported = true;
  return op();
}

}  // namespace profiler

}  // namespace rill
