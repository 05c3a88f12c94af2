// Loops over ranges on a fixed team of threads. Chunks never depend on the number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

namespace rill {

namespace detail {
using RangeFn = void (*)(void* context, std::int64_t begin, std::int64_t end);
void run_parallel(std::int64_t n, std::int64_t grain, RangeFn fn, void* context);
}  // namespace detail

/// Calls f(begin, end) for chunks of about `grain` indices that cover [0, n), from several threads when n > grain.
/// Chunk borders are multiples of `grain`. The first exception of a chunk is rethrown here.
template <class F> void parallel_for(std::int64_t n, std::int64_t grain, F&& f) {
  if (n <= 0) return;
  if (n <= grain) return f(std::int64_t{0}, n);
  using Fn = std::remove_reference_t<F>;
  detail::run_parallel(n, grain, [](void* c, std::int64_t b, std::int64_t e) { (*static_cast<Fn*>(c))(b, e); },
                       const_cast<void*>(static_cast<const void*>(std::addressof(f))));
}

}  // namespace rill
