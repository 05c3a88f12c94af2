// Rows of a profile by name.
#pragma once

#include <rill/core/profiler.h>

namespace rill {

/// The row with this name and kind; a row without calls where there is none.
inline profiler::Row row_of(const profiler::Profile& p, const std::string& name, profiler::Kind kind = profiler::Kind::op) {
  for (const profiler::Row& r : p.rows())
    if (r.name == name && r.kind == kind) return r;
  return {};
}
inline profiler::MemoryRow memory_of(const profiler::Profile& p, const std::string& module, const std::string& op) {
  for (const profiler::MemoryRow& r : p.memory())
    if (r.module == module && r.op == op) return r;
  return {};
}

}  // namespace rill
