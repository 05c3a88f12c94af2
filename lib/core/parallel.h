// Loops over ranges on a fixed team of threads. Chunks never depend on the number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

namespace rill {

namespace detail {
using RangeFn = void (*)(void* context, std::int64_t begin, std::int64_t end);
void run_parallel(std::int64_t n, std::int64_t grain, bool in_order, RangeFn fn, void* context);

template <class F> void run_parallel(std::int64_t n, std::int64_t grain, bool in_order, F& f) {
  run_parallel(n, grain, in_order, [](void* c, std::int64_t b, std::int64_t e) { (*static_cast<F*>(c))(b, e); }, const_cast<void*>(static_cast<const void*>(std::addressof(f))));
}
}  // namespace detail

/// Calls f(begin, end) for chunks of about `grain` indices that cover [0, n), from several threads when n > grain.
/// Chunk borders are multiples of `grain`. The first exception of a chunk is rethrown here.
template <class F> void parallel_for(std::int64_t n, std::int64_t grain, F&& f) {
  if (n <= 0) return;
  if (n <= grain) return f(std::int64_t{0}, n);
  detail::run_parallel(n, grain, false, f);
}
/// The same for tasks of different cost, begun in their order: the costly ones should come first. Elsewhere each thread begins with a share of its own.
template <class F> void parallel_tasks(std::int64_t n, F&& f) {
  if (n == 1) return f(std::int64_t{0}, n);
  if (n > 1) detail::run_parallel(n, 1, true, f);
}

}  // namespace rill
