// Host memory of tensors and tape nodes: thread-local free lists for small blocks, shared segments that are split and joined for large ones.
#pragma once

#include <cstdint>

namespace rill {

struct MemoryStats {
  std::int64_t allocated_bytes = 0;  ///< in blocks in use
  std::int64_t peak_bytes = 0;       ///< largest allocated_bytes since the start or the last reset; sampled when a block above 64 KiB is taken
  std::int64_t reserved_bytes = 0;   ///< taken from the system: in use, or free and kept
  std::int64_t blocks = 0;           ///< small blocks in use
  std::int64_t graph_nodes = 0;      ///< live steps of the tape, leaves that require grad included
  std::int64_t system_calls = 0;     ///< how often a block needed new memory of the system; constant in a steady state
};
/// Summed over all threads.
MemoryStats memory_stats() noexcept;
void reset_peak_memory() noexcept;
/// Returns the pages of free large blocks to the system.
void empty_cache() noexcept;

}  // namespace rill
