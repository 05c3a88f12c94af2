#include <rill/core/memory.h>

#include "lib/core/memory_pool.h"

namespace rill {

MemoryStats memory_stats() noexcept {
  const auto c = pool::counters();
  return {.allocated_bytes = c.live_bytes, .peak_bytes = c.peak_bytes, .reserved_bytes = c.reserved_bytes, .blocks = c.live_blocks, .graph_nodes = c.live_nodes, .system_calls = c.system_calls};
}
void reset_peak_memory() noexcept { pool::reset_peak(); }
void empty_cache() noexcept { pool::trim(); }

}  // namespace rill
