// Host memory for tensors, nodes and storages: thread-local free lists for small blocks, a shared best-fit cache above.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rill::pool {

/// 64-byte aligned; throws OutOfMemory. The size given back to `release` must be the one asked for.
void* allocate(std::size_t bytes);
void release(void* block, std::size_t bytes) noexcept;

/// Live bytes and objects, summed over threads; every test ends at its starting values.
struct Counters {
  std::int64_t live_bytes = 0, live_blocks = 0, peak_bytes = 0, reserved_bytes = 0, system_calls = 0;
};
Counters counters() noexcept;
void reset_peak() noexcept;
/// Returns cached blocks to the system.
void trim() noexcept;

/// For tests: the n-th allocation from now (1 is the next one) throws OutOfMemory, once. 0 switches it off.
void fail_allocation(std::int64_t n) noexcept;

}  // namespace rill::pool
