// Counts calls of operator new. Replaces it for the whole program: to be included by one source of a test program.
#pragma once

#include <atomic>
#include <cstdlib>
#include <new>

#include <rill/core/memory.h>

namespace rill {
inline std::atomic<long> g_news{0};
}
void* operator new(std::size_t bytes) {
  ++rill::g_news;
  if (void* p = std::malloc(bytes)) return p;
  throw std::bad_alloc();
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++rill::g_news;
  return std::malloc(bytes);
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace rill {

/// Calls of operator new and of the pool to the system during f, after a warm-up.
template <class F> std::pair<long, std::int64_t> cost(F f) {
  for (int i = 0; i < 3; ++i) f();
  const long news = g_news;
  const auto calls = memory_stats().system_calls;
  f();
  return {g_news - news, memory_stats().system_calls - calls};
}
inline const std::pair<long, std::int64_t> kNothing{0, 0};

}  // namespace rill
