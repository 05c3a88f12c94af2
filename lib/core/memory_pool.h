// Host memory for tensors, nodes and storages: thread-local free lists for small blocks, ranges cut from large segments above (large_blocks.h).
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace rill::pool {

/// 64-byte aligned; throws OutOfMemory. The size given back to `release` must be the one asked for.
inline void* allocate(std::size_t bytes);
inline void release(void* block, std::size_t bytes) noexcept;

/// Live bytes and objects, summed over threads; every test ends at its starting values.
struct Counters {
  std::int64_t live_bytes = 0, live_blocks = 0, live_nodes = 0, peak_bytes = 0, reserved_bytes = 0, system_calls = 0;
};
Counters counters() noexcept;
/// A tape node was made (1) or freed (-1).
inline void count_node(int change) noexcept;
void reset_peak() noexcept;
/// Returns cached blocks to the system.
void trim() noexcept;

/// For tests: the n-th allocation of this thread from now (1 is the next one) throws OutOfMemory, once. 0 switches it off.
void fail_allocation(std::int64_t n) noexcept;

/// Sees every block that any thread takes or gives back, with its size as counted in live_bytes. What `taken` throws, the allocation throws.
struct Observer {
  void (*taken)(void* block, std::size_t bytes);
  void (*given)(void* block, std::size_t bytes) noexcept;
};
/// Sends all allocations to the observer, which must live as long as the program; null: to nobody again.
void observe(const Observer* observer) noexcept;

// ---- the fast path, inline because several blocks are taken and given back in every op ---------------------------------------

namespace detail {

// Note [Size classes]: four classes per doubling from 64 bytes to 64 KiB; class c holds (4 + c % 4) * 16 << (c / 4) bytes.
inline constexpr std::size_t kSmallest = 64, kSmallLimit = 64 << 10;
inline constexpr int kClasses = 41;
constexpr std::size_t class_bytes(int c) { return static_cast<std::size_t>(4 + c % 4) * 16 << (c / 4); }
constexpr int class_by_bits(std::size_t bytes) {
  if (bytes <= kSmallest) return 0;
  const auto b = bytes - 1;
  const int octave = std::bit_width(b) - 1;  // 2^octave <= b
  return (octave - 6) * 4 + static_cast<int>((b >> (octave - 2)) & 3) + 1;
}
inline constexpr std::size_t kTableLimit = 1024;
inline constexpr auto kClassTable = [] {  // by (bytes + 15) / 16
  std::array<std::uint8_t, kTableLimit / 16 + 1> t{};
  for (std::size_t i = 0; i < t.size(); ++i) t[i] = static_cast<std::uint8_t>(class_by_bits(i * 16));
  return t;
}();
constexpr int class_of(std::size_t bytes) { return bytes <= kTableLimit ? kClassTable[(bytes + 15) / 16] : class_by_bits(bytes); }
static_assert(class_of(64) == 0 && class_of(65) == 1 && class_of(80) == 1 && class_of(81) == 2 && class_of(128) == 4 && class_of(129) == 5);
static_assert(class_of(kSmallLimit) == kClasses - 1 && class_bytes(kClasses - 1) == kSmallLimit);

struct Block { Block* next; };
inline constexpr int kListCap = 1 << 15;  // blocks per class that one thread keeps to itself

// Note [Counting]: nothing is counted on the hot path. Blocks of class k in use = blocks ever carved - blocks on all free lists.
// A list's length is written by its thread only (relaxed, no locked instruction) and may be read by `counters()`.
struct Local {
  Block* lists[kClasses] = {};
  std::atomic<int> counts[kClasses] = {};
  std::atomic<std::int64_t> nodes{0};
  std::atomic<Local*>* slot = nullptr;  // t_local of the thread
};
// The lists of this thread; null on first use, while fail_allocation is armed or an observer watches, and when the thread is ending.
// Only `observe` writes it from another thread.
inline constinit thread_local std::atomic<Local*> t_local [[gnu::tls_model("initial-exec")]]{nullptr};
inline Local* lists() noexcept { return t_local.load(std::memory_order_relaxed); }

inline void resize(std::atomic<int>& length, int by) { length.store(length.load(std::memory_order_relaxed) + by, std::memory_order_relaxed); }
void* allocate_slow(std::size_t bytes);
void release_slow(void* block, std::size_t bytes) noexcept;
void count_node_slow(int change) noexcept;

}  // namespace detail

inline void count_node(int change) noexcept {
  if (detail::Local* l = detail::lists()) [[likely]]
    l->nodes.store(l->nodes.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
  else detail::count_node_slow(change);
}

inline void* allocate(std::size_t bytes) {
  using namespace detail;
  if (bytes <= kSmallLimit) [[likely]] {
    const int k = class_of(bytes);
    Local* l = lists();
    if (l && l->lists[k]) [[likely]] {
      Block* block = l->lists[k];
      l->lists[k] = block->next;
      resize(l->counts[k], -1);
      return block;
    }
  }
  return allocate_slow(bytes);
}

inline void release(void* block, std::size_t bytes) noexcept {
  using namespace detail;
  if (bytes <= kSmallLimit && block) [[likely]] {
    const int k = class_of(bytes);
    Local* l = lists();
    if (l && l->counts[k].load(std::memory_order_relaxed) < kListCap) [[likely]] {
      auto* b = static_cast<Block*>(block);
      b->next = l->lists[k], l->lists[k] = b, resize(l->counts[k], 1);
      return;
    }
  }
  release_slow(block, bytes);
}

}  // namespace rill::pool
