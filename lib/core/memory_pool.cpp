#include "lib/core/memory_pool.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "lib/core/check.h"
#include "lib/core/large_blocks.h"

namespace rill::pool {
namespace {

using namespace detail;

constexpr std::size_t kChunk = 256 << 10;      // small blocks are cut from chunks of this size
#ifdef RILL_SYSTEM_POOL
constexpr bool kSystemPool = true;             // every block is the system's and as long as asked for: sanitizers see its end and its release
#else
constexpr bool kSystemPool = false;
#endif

struct Central {  // everything shared; reached only when a thread's own lists are empty or too long
  std::mutex mutex;
  Block* lists[kClasses] = {};
  LargeBlocks large;
  std::int64_t live_large = 0, reserved = 0, system_calls = 0;  // the latter two without those of `large`
  std::int64_t carved[kClasses] = {}, listed[kClasses] = {};  // blocks ever made, blocks on the lists here
  std::vector<Local*> threads;
  std::int64_t finished_nodes = 0;             // of threads that have ended
};
Central& central() {
  static auto* c = new Central;  // never destroyed: tensors may outlive static destructors
  return *c;
}

std::atomic<std::int64_t> g_peak{0};

std::atomic<const Observer*> g_observer{nullptr};

constinit thread_local Local* t_own = nullptr;        // the lists of this thread, also while t_local hides them
constinit thread_local std::int64_t t_fail_in = 0;

struct LocalOwner {
  Local local;
  LocalOwner() {
    local.slot = &t_local;
    std::lock_guard lock(central().mutex);
    central().threads.push_back(&local);
    t_own = &local;
  }
  ~LocalOwner() {  // hand everything back; later releases on this thread go to the central lists
    auto& c = central();
    std::lock_guard lock(c.mutex);
    t_local = t_own = nullptr;
    for (int k = 0; k < kClasses; ++k)
      while (Block* b = local.lists[k]) local.lists[k] = b->next, b->next = c.lists[k], c.lists[k] = b, ++c.listed[k];
    c.finished_nodes += local.nodes;
    std::erase(c.threads, &local);
  }
};

[[gnu::noinline]] void enter_thread() {
  thread_local bool ended = false;
  if (ended) return;
  struct Guard {
    bool* flag;
    ~Guard() { *flag = true; }
  };
  thread_local LocalOwner owner;
  thread_local Guard guard{&ended};
}
/// The lists of this thread, null when it is ending. They are put in the way of the next allocation unless that shall come here too.
Local* local() {
  if (!t_own) enter_thread();
  if (!kSystemPool && t_own && t_fail_in == 0 && !g_observer) {
    t_local = t_own;
    if (g_observer) t_local = nullptr;  // `observe` came between: of its store and the one above the later one counts
  }
  return t_own;
}

[[noreturn, gnu::cold]] void out_of_memory(std::size_t bytes) {
  const Counters c = counters();
  fail<OutOfMemory>("allocate", "{} bytes are not available on cpu ({} bytes are in use, {} reserved); use smaller tensors or release some",
                    bytes, c.live_bytes, c.reserved_bytes);
}

void* from_system(Central& c, std::size_t bytes, std::size_t alignment) {
  void* p = nullptr;
  if (posix_memalign(&p, alignment, bytes) != 0) return nullptr;
  c.reserved += static_cast<std::int64_t>(bytes);
  ++c.system_calls;
  return p;
}
/// For RILL_SYSTEM_POOL: of the size asked for, counted as the pool would count it.
void* system_block(Central& c, std::size_t bytes, std::size_t counted) {
  void* p = nullptr;
  if (posix_memalign(&p, 64, bytes) == 0) c.reserved += static_cast<std::int64_t>(counted);
  return p;
}
void release_system_block(Central& c, void* block, std::size_t counted) noexcept {
  std::free(block);
  c.reserved -= static_cast<std::int64_t>(counted);
}

void* small_system_block(std::size_t bytes) {
  auto& c = central();
  const int k = class_of(bytes);
  std::unique_lock lock(c.mutex);
  if (void* p = system_block(c, bytes, class_bytes(k))) return ++c.carved[k], p;
  lock.unlock();
  out_of_memory(bytes);
}

[[gnu::noinline]] void* refill(Local* l, int k) {
  auto& c = central();
  std::unique_lock lock(c.mutex);
  const std::size_t size = class_bytes(k);
  auto put = [&](Block* b) {
    if (l) b->next = l->lists[k], l->lists[k] = b, resize(l->counts[k], 1);
    else b->next = c.lists[k], c.lists[k] = b, ++c.listed[k];
  };
  if (Block* b = c.lists[k]) {
    c.lists[k] = b->next, --c.listed[k];
    for (int i = 0; l && i < 63 && c.lists[k]; ++i) {
      Block* more = c.lists[k];
      c.lists[k] = more->next, --c.listed[k];
      put(more);
    }
    return b;
  }
  const std::size_t step = (size + 63) / 64 * 64, chunk = std::max(kChunk, step);
  auto* memory = static_cast<std::byte*>(from_system(c, chunk, 64));
  if (!memory) {
    lock.unlock();  // the message reads the counters
    out_of_memory(size);
  }
  c.carved[k] += static_cast<std::int64_t>(chunk / step);
  for (std::size_t at = step; at + step <= chunk; at += step) put(reinterpret_cast<Block*>(memory + at));
  return memory;
}

void* allocate_large(std::size_t bytes) {
  if (bytes > (std::size_t{1} << 62)) out_of_memory(bytes);
  auto& c = central();
  const std::size_t rounded = LargeBlocks::rounded(bytes);
  for (const bool again : {false, true}) {
    const std::lock_guard lock(c.mutex);
    if (again) c.large.trim();
    if (void* p = kSystemPool ? system_block(c, bytes, rounded) : c.large.allocate(rounded)) {
      c.live_large += static_cast<std::int64_t>(rounded);
      return p;
    }
  }
  out_of_memory(bytes);
}

void update_peak() noexcept {
  const std::int64_t now = counters().live_bytes;
  std::int64_t seen = g_peak.load(std::memory_order_relaxed);
  while (seen < now && !g_peak.compare_exchange_weak(seen, now)) {}
}

void put_back(void* block, std::size_t bytes) noexcept;

/// A block that has just been taken, shown to the observer.
void* watched(void* block, std::size_t asked, std::size_t bytes) {
  const Observer* o = g_observer;
  if (!o) return block;
  try {
    o->taken(block, bytes);
  } catch (...) {
    put_back(block, asked);
    throw;
  }
  return block;
}

}  // namespace

void* detail::allocate_slow(std::size_t bytes) {
  if (t_fail_in > 0 && --t_fail_in == 0) out_of_memory(bytes);
  if (bytes <= kSmallLimit) {
    const int k = class_of(bytes);
    if constexpr (kSystemPool) return watched(small_system_block(bytes), bytes, class_bytes(k));
    Local* l = local();
    if (!l || !l->lists[k]) return watched(refill(l, k), bytes, class_bytes(k));
    Block* block = l->lists[k];
    l->lists[k] = block->next;
    resize(l->counts[k], -1);
    return watched(block, bytes, class_bytes(k));
  }
  void* block = allocate_large(bytes);
  update_peak();
  return watched(block, bytes, LargeBlocks::rounded(bytes));
}

void detail::release_slow(void* block, std::size_t bytes) noexcept {
  if (!block) return;
  if (const Observer* o = g_observer) o->given(block, bytes <= kSmallLimit ? class_bytes(class_of(bytes)) : LargeBlocks::rounded(bytes));
  put_back(block, bytes);
}

namespace {
void put_back(void* block, std::size_t bytes) noexcept {
  auto& c = central();
  if (bytes <= kSmallLimit) {
    const int k = class_of(bytes);
    if constexpr (kSystemPool) {
      std::lock_guard lock(c.mutex);
      --c.carved[k];
      return release_system_block(c, block, class_bytes(k));
    }
    auto* b = static_cast<Block*>(block);
    if (Local* l = local(); l && l->counts[k].load(std::memory_order_relaxed) < kListCap) {
      b->next = l->lists[k], l->lists[k] = b, resize(l->counts[k], 1);
      return;
    }
    std::lock_guard lock(c.mutex);
    b->next = c.lists[k], c.lists[k] = b, ++c.listed[k];
    return;
  }
  const std::size_t rounded = LargeBlocks::rounded(bytes);
  std::lock_guard lock(c.mutex);
  c.live_large -= static_cast<std::int64_t>(rounded);
  kSystemPool ? release_system_block(c, block, rounded) : c.large.release(block);
}
}  // namespace

Counters counters() noexcept {
  auto& c = central();
  std::lock_guard lock(c.mutex);
  Counters r;
  r.live_bytes = c.live_large;
  r.live_nodes = c.finished_nodes;
  for (int k = 0; k < kClasses; ++k) {
    std::int64_t used = c.carved[k] - c.listed[k];
    for (const Local* t : c.threads) used -= t->counts[k].load(std::memory_order_relaxed);
    r.live_blocks += used;
    r.live_bytes += used * static_cast<std::int64_t>(class_bytes(k));
  }
  for (const Local* t : c.threads) r.live_nodes += t->nodes.load(std::memory_order_relaxed);
  r.peak_bytes = std::max(g_peak.load(std::memory_order_relaxed), r.live_bytes);
  r.reserved_bytes = c.reserved + c.large.reserved();
  r.system_calls = c.system_calls + c.large.system_calls();
  return r;
}

void detail::count_node_slow(int change) noexcept {
  if (Local* l = local()) return l->nodes.store(l->nodes.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
  std::lock_guard lock(central().mutex);
  central().finished_nodes += change;
}

void reset_peak() noexcept { g_peak.store(counters().live_bytes); }

void trim() noexcept {
  auto& c = central();
  std::lock_guard lock(c.mutex);
  c.large.trim();
}

void fail_allocation(std::int64_t n) noexcept {
  t_fail_in = std::max<std::int64_t>(n, 0);
  if (t_fail_in > 0) t_local = nullptr;
}

void observe(const Observer* observer) noexcept {
  auto& c = central();
  std::lock_guard lock(c.mutex);
  g_observer = observer;
  if (!observer) return;  // threads find their lists again on their next way through `local`
  for (Local* t : c.threads) *t->slot = nullptr;
}

}  // namespace rill::pool
