#include "lib/core/parallel.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <exception>

#include <rill/core/threads.h>

#include "lib/core/check.h"

namespace rill {
namespace {
std::atomic<int> g_threads{0};  // 0: not set, ask OpenMP
}

int num_threads() noexcept {
  const int n = g_threads.load(std::memory_order_relaxed);
  return n ? n : omp_get_max_threads();
}

void set_num_threads(int n) {
  check<ValueError>(n >= 1, "set_num_threads", "{} threads make no sense; use 1 or more", n);
  g_threads = n;
  omp_set_num_threads(n);
}

namespace detail {

void run_parallel(std::int64_t n, std::int64_t grain, RangeFn fn, void* context) {
  const std::int64_t chunks = (n + grain - 1) / grain;
  const int team = static_cast<int>(std::min<std::int64_t>(num_threads(), chunks));
  if (team <= 1 || omp_in_parallel()) return fn(context, 0, n);
  std::exception_ptr error;
  std::atomic<bool> failed{false};
#pragma omp parallel num_threads(team)
  {
    const std::int64_t me = omp_get_thread_num(), all = omp_get_num_threads();
    const std::int64_t begin = chunks * me / all * grain, end = std::min(chunks * (me + 1) / all * grain, n);
    try {
      if (begin < end) fn(context, begin, end);
    } catch (...) {
      if (!failed.exchange(true)) error = std::current_exception();
    }
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace detail
}  // namespace rill
