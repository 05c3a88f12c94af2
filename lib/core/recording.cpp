// Collects what ops, modules and the pool report while a profile runs. Everything stands behind one lock: reports are short, and a
// profile that is exact is worth more than one that is cheap.
#include "lib/core/recording.h"

#include <algorithm>
#include <chrono>
#include <mutex>

#include "lib/core/check.h"
#include "lib/core/memory_pool.h"
#include "lib/core/op_range.h"
#include "lib/core/thread_state.h"

namespace rill::profiler {
namespace {

constinit std::mutex g_mutex;
constinit Recording* g_recording = nullptr;       // the one that runs
constinit std::uint64_t g_started = 0;            // number of recordings ever started

/// Where the calling thread is. It notices by the number that another recording has begun.
struct Here {
  std::uint64_t recording = 0;
  int thread = 0;                                 // 0: none of its events has been recorded yet
  Event* innermost = nullptr;
  Event* helped = nullptr;                        // the open event of another thread that this one works for
  Event* charged() const { return innermost ? innermost : helped; }
};
Here& here() {
  constinit thread_local Here here;
  if (here.recording != g_started) here = {.recording = g_started};
  return here;
}

std::int64_t now() { return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::string shapes_of(std::span<const Tensor* const> inputs) {
  std::string s;
  for (const Tensor* t : inputs)
    if (t->defined()) s += (s.empty() ? "" : ", ") + to_string(t->shape());
  return s;
}

void finish(Event& e, std::int64_t at) noexcept {
  e.end = at;
  e.live_bytes = g_recording->owners.live_bytes();
  if (e.around) e.around->inside += e.total_time();
}

void taken(void* block, std::size_t size) {
  const std::lock_guard lock(g_mutex);
  if (!g_recording) return;
  const auto bytes = static_cast<std::int64_t>(size);
  Event* const e = here().charged();
  if (e) ++e->allocations, e->allocated_bytes += bytes;
  const bool op = e && (e->kind == Kind::op || e->kind == Kind::backward);
  g_recording->owners.take(block, bytes, e ? e->module : nullptr, op ? e->name : nullptr, op ? e->kind : Kind::op);
}
void given(void* block, std::size_t size) noexcept {
  const std::lock_guard lock(g_mutex);
  if (!g_recording) return;
  const auto bytes = static_cast<std::int64_t>(size);
  if (Event* e = here().charged()) e->released_bytes += bytes;
  g_recording->owners.give(block, bytes);
}
constexpr pool::Observer kObserver{taken, given};

}  // namespace

// ---- names of open ops ----------------------------------------------------------------------------------------------------------

namespace {
/// A bounded stack: deeper ops are counted only.
struct OpenOps {
  static constexpr int kKept = 16;
  const char* names[kKept] = {};
  int depth = 0;
};
OpenOps& open_ops() noexcept {
  constinit thread_local OpenOps ops;
  return ops;
}
}  // namespace

const char* current_op() noexcept {
  const OpenOps& o = open_ops();
  return o.depth ? o.names[std::min(o.depth, OpenOps::kKept) - 1] : "";
}
void tell_begin(Kind kind, const char* name, std::span<const Tensor* const> inputs, const std::string* module) {
  if (listening(kNames)) {
    OpenOps& o = open_ops();
    if (o.depth++ < OpenOps::kKept) o.names[o.depth - 1] = name;
  }
  if (listening(kProfile)) begin(kind, name, inputs, module);
}
void tell_end() noexcept {
  if (OpenOps& o = open_ops(); listening(kNames) && o.depth > 0) --o.depth;  // an op that was open before is not counted
  if (listening(kProfile)) end();
}

// ---- reports --------------------------------------------------------------------------------------------------------------------

void begin(Kind kind, std::string_view name, std::span<const Tensor* const> inputs, const std::string* module) {
  const std::lock_guard lock(g_mutex);
  if (!g_recording) return;
  Recording& r = *g_recording;
  Here& thread = here();
  thread_state.noted = true;  // recorded ops remember their module
  Event* const around = thread.innermost;
  if (around && kind == Kind::op && around->kind == kind && *around->name == name) return void(++around->again);
  if (thread.thread == 0) thread.thread = ++r.threads;
  const Event* const caller = thread.charged();
  Event& e = r.events.emplace_back(Event{.name = r.intern(name), .kind = kind, .thread = thread.thread, .around = around,
                                         .module = module ? module : caller ? caller->module : nullptr,
                                         .shapes = r.options.shapes ? r.intern(shapes_of(inputs)) : nullptr});
  thread.innermost = &e;
  e.start = now() - r.started;
}

void end() noexcept {
  const std::lock_guard lock(g_mutex);
  if (!g_recording) return;
  Here& thread = here();
  Event* const e = thread.innermost;
  if (!e) return;  // Note [Profiled ops]
  if (e->again > 0) return void(--e->again);
  finish(*e, now() - g_recording->started);
  thread.innermost = e->around;
}

const std::string* current_module() noexcept {
  const std::lock_guard lock(g_mutex);
  const Event* e = g_recording ? here().charged() : nullptr;
  return e ? e->module : nullptr;
}

Entry find_open_entry() noexcept {
  const std::lock_guard lock(g_mutex);
  return g_recording ? Entry{here().charged(), g_started} : Entry{};
}
void Helping::help(const Entry& entry) noexcept {
  const std::lock_guard lock(g_mutex);
  if (g_recording) here().helped = entry.recording == g_started ? entry.event : nullptr;
}

bool running() noexcept { return listening(kProfile); }

Range::Range(std::string_view name) {
  if (running()) begin(Kind::range, name);
}
Range::~Range() {
  if (running()) end();
}
detail::ModuleRange::ModuleRange(const std::string* path) {
  if (path && running()) begin(Kind::module, *path, {}, path);
}
detail::ModuleRange::~ModuleRange() {
  if (running()) end();
}

// ---- start and stop ---------------------------------------------------------------------------------------------------------------

Recording::Recording(ProfileOptions options) : options(options), started(now()), owners(pool::counters().live_bytes) {}

const std::string* Recording::intern(std::string_view text) {
  const auto known = names_.find(text);
  return &*(known != names_.end() ? known : names_.emplace(text).first);
}

std::string full_name(const std::string& name, Kind kind) { return kind == Kind::backward ? name + " backward" : name; }

Profile::Profile(ProfileOptions options) {
  const std::lock_guard lock(g_mutex);
  check<FailedPrecondition>(!g_recording, "profiler", "another profile is running in this process; stop() it first");
  recording_ = std::make_unique<Recording>(options);
  g_recording = recording_.get();
  ++g_started;
  pool::observe(&kObserver);
  g_listeners.fetch_or(kProfile);
}
Profile::~Profile() { stop(); }

void Profile::stop() noexcept {
  const std::lock_guard lock(g_mutex);
  if (g_recording != recording_.get()) return;
  Recording& r = *recording_;
  g_listeners.fetch_and(~kProfile);
  pool::observe(nullptr);
  r.stopped = now();
  for (Event& e : r.events)
    if (e.end == kOpen) finish(e, r.stopped - r.started);
  g_recording = nullptr;
}

const Recording& Profile::finished(const char* what) const {
  check<FailedPrecondition>(recording_->stopped != 0, what, "the profile is still running; call stop() first");
  return *recording_;
}

// ---- owners of memory -------------------------------------------------------------------------------------------------------------

Owners::Owners(std::int64_t live_bytes) : live_(live_bytes), peak_(live_bytes) {
  owners_.push_back({.module = nullptr, .op = nullptr, .kind = Kind::op, .live_bytes = live_bytes, .peak_bytes = live_bytes});
}

void Owners::change(Owner& owner, std::int64_t bytes) noexcept {
  if (owner.noted != peaks_) owner.at_peak = owner.live_bytes, owner.noted = peaks_;
  owner.live_bytes += bytes;
  owner.peak_bytes = std::max(owner.peak_bytes, owner.live_bytes);
  live_ += bytes;
  if (live_ > peak_) peak_ = live_, ++peaks_;
}

void Owners::take(void* block, std::int64_t bytes, const std::string* module, const std::string* op, Kind kind) {
  const auto [place, fresh] = index_.try_emplace({module, op, kind}, owners_.size());
  if (fresh) owners_.push_back({.module = module, .op = op, .kind = kind});
  Owner& owner = owners_[place->second];
  ++owner.allocations, owner.allocated_bytes += bytes;
  blocks_[block] = {place->second, bytes};
  change(owner, bytes);
}

void Owners::give(void* block, std::int64_t bytes) noexcept {
  const auto found = blocks_.find(block);
  change(owners_[found == blocks_.end() ? kBefore : found->second.owner], -bytes);
  if (found != blocks_.end()) blocks_.erase(found);
}

}  // namespace rill::profiler
