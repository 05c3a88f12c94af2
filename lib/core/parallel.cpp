#include "lib/core/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>

#include <rill/core/threads.h>

#include "lib/core/check.h"

#ifdef RILL_WITH_OPENMP
#include <omp.h>
#else
#include <thread>
#include <vector>
#endif

namespace rill {
namespace {

std::atomic<int> g_threads{0};  // 0: not set

#ifdef RILL_WITH_OPENMP
const int g_at_start = omp_get_max_threads();  // asked once: later a guard may have lowered it for this thread
int default_threads() { return g_at_start; }
#else
int default_threads() { return static_cast<int>(std::max(1u, std::thread::hardware_concurrency())); }
#endif

constinit thread_local bool t_inside = false;  // an op called from a chunk runs on that thread alone

/// The share of one member of a team: whole chunks, the first members get the remainder.
struct Share {
  std::int64_t begin, end;
  Share(std::int64_t n, std::int64_t grain, std::int64_t me, std::int64_t all) {
    const std::int64_t chunks = (n + grain - 1) / grain;
    begin = chunks * me / all * grain;
    end = std::min(chunks * (me + 1) / all * grain, n);
  }
};

class Team {  // runs one member's share and keeps the first exception
 public:
  Team(std::int64_t n, std::int64_t grain, detail::RangeFn fn, void* context) : n_(n), grain_(grain), fn_(fn), context_(context) {}
  void member(std::int64_t me, std::int64_t all) noexcept {
    const Share share(n_, grain_, me, all);
    t_inside = true;
    try {
      if (share.begin < share.end) fn_(context_, share.begin, share.end);
    } catch (...) {
      if (!failed_.exchange(true)) error_ = std::current_exception();
    }
    t_inside = false;
  }
  void rethrow() {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::int64_t n_, grain_;
  detail::RangeFn fn_;
  void* context_;
  std::exception_ptr error_;
  std::atomic<bool> failed_{false};
};

}  // namespace

int num_threads() noexcept {
  const int n = g_threads.load(std::memory_order_relaxed);
  return n ? n : default_threads();
}

void set_num_threads(int n) {
  check<ValueError>(n >= 1, "set_num_threads", "{} threads make no sense; use 1 or more", n);
  g_threads = n;
#ifdef RILL_WITH_OPENMP
  omp_set_num_threads(n);  // oneDNN asks OpenMP
#endif
}

void detail::run_parallel(std::int64_t n, std::int64_t grain, RangeFn fn, void* context) {
  const std::int64_t chunks = (n + grain - 1) / grain;
  const int size = static_cast<int>(std::min<std::int64_t>(num_threads(), chunks));
  if (size <= 1 || t_inside) return fn(context, 0, n);
  Team team(n, grain, fn, context);
#ifdef RILL_WITH_OPENMP
#pragma omp parallel num_threads(size)
  team.member(omp_get_thread_num(), omp_get_num_threads());
#else
  // Only sanitizer builds come here (an uninstrumented OpenMP runtime makes false reports): a team per call is fast enough.
  std::vector<std::jthread> others;
  for (int i = 1; i < size; ++i) others.emplace_back([&team, i, size] { team.member(i, size); });
  team.member(0, size);
  others.clear();
#endif
  team.rethrow();
}

}  // namespace rill
