#include "lib/core/parallel.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <sched.h>

#include <rill/core/threads.h>

#include "lib/core/check.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

std::atomic<int> g_threads{0};  // 0: not set

int default_threads() {
  static const int n = [] {
    if (const char* text = std::getenv("OMP_NUM_THREADS"))
      if (const int wanted = std::atoi(text); wanted >= 1) return wanted;
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return std::max(1, CPU_COUNT(&allowed));
    return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  }();
  return n;
}

constinit thread_local bool t_inside = false;  // an op called from a chunk runs on that thread alone

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

// Note [Thread team]: one team serves the process. The caller publishes a loop and works on it itself; helpers that are awake claim
// pieces of it, and at the end the caller waits only for helpers that have claimed something. So a helper that sleeps, or whose core
// is taken by another program, delays nobody. A second thread that wants the team at the same time runs its loop alone.
// Every member has a share of the range, the same one in each loop of that length, and begins there: what an op wrote is read by the next
// one in the cache of the core that wrote it. Who is done takes pieces of the other shares. Tasks have one share for all, from which everybody takes
// the next. So who runs which piece varies; the borders of chunks, and so the results, do not.
class Team {
 public:
  /// False: the team is busy.
  bool run(std::int64_t n, std::int64_t grain, bool in_order, int threads, detail::RangeFn fn, void* context) {
    std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return false;
    grow(threads - 1);
    fn_ = fn, context_ = context, caller_ = profiler::open_entry();
    const std::int64_t chunks = (n + grain - 1) / grain;
    piece_ = std::max<std::int64_t>(1, chunks / (4 * threads)) * grain;
    members_ = threads;
    parts_ = in_order ? 1 : threads;
    if (shares_.size() < static_cast<std::size_t>(parts_)) shares_ = std::vector<Share>(static_cast<std::size_t>(parts_));
    for (int i = 0; i < parts_; ++i) {
      Share& s = shares_[static_cast<std::size_t>(i)];
      s.next.store(chunks * i / parts_ * grain, std::memory_order_relaxed);
      s.end = std::min(n, chunks * (i + 1) / parts_ * grain);
    }
    error_ = nullptr;
    failed_.store(false, std::memory_order_relaxed);
    open_.store(true);
    called_.fetch_add(1);
    if (asleep_.load() > 0) called_.notify_all();
    work(0);
    open_.store(false);
    for (int spins = 0; helping_.load() != 0; ++spins) spins < 10000 ? pause() : void(sched_yield());
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    return true;
  }

 private:
  struct alignas(64) Share {
    std::atomic<std::int64_t> next{0};
    std::int64_t end = 0;
  };

  void grow(int helpers) {
    try {
      for (; helpers_ < helpers; ++helpers_) std::thread([this, member = helpers_ + 1] { help(member); }).detach();
    } catch (const std::system_error&) {  // the system gives no more threads: those that are there do the work
    }
  }
  void work(int member) noexcept {
    t_inside = true;
    for (int k = 0; k < parts_; ++k) {
      Share& s = shares_[static_cast<std::size_t>((member + k) % parts_)];
      for (std::int64_t begin; (begin = s.next.fetch_add(piece_, std::memory_order_relaxed)) < s.end;) {
        try {
          fn_(context_, begin, std::min(begin + piece_, s.end));
        } catch (...) {
          if (!failed_.exchange(true)) error_ = std::current_exception();
        }
      }
    }
    t_inside = false;
  }
  [[noreturn]] void help(int member) noexcept {
    for (std::uint32_t seen = 0;;) {
      constexpr int kSpins = 4000;  // some tens of microseconds: loops often follow each other closely
      int spins = 0;
      while (called_.load(std::memory_order_relaxed) == seen && spins < kSpins) pause(), ++spins;
      if (spins == kSpins) {
        asleep_.fetch_add(1);
        called_.wait(seen);
        asleep_.fetch_sub(1);
      }
      seen = called_.load();
      // `helping_` is raised before `open_` is read, and the caller closes before it reads `helping_`: no helper enters a closed loop
      helping_.fetch_add(1);
      if (open_.load() && member < members_) {
        const profiler::Helping memory(caller_);
        work(member);
      }
      helping_.fetch_sub(1);
    }
  }

  std::mutex mutex_;  // held by the caller
  int helpers_ = 0;
  std::int64_t piece_ = 1;
  int members_ = 0;  // of this loop, the caller included
  int parts_ = 1;
  std::vector<Share> shares_;  // so many of them
  detail::RangeFn fn_ = nullptr;
  void* context_ = nullptr;
  profiler::Entry caller_;
  std::exception_ptr error_;
  std::atomic<bool> failed_{false};
  alignas(64) std::atomic<std::uint32_t> called_{0};
  std::atomic<int> asleep_{0};
  alignas(64) std::atomic<bool> open_{false};
  std::atomic<int> helping_{0};
};

Team& team() {
  static auto* t = new Team;  // never destroyed: helpers wait in it until the process ends
  return *t;
}

}  // namespace

int num_threads() noexcept {
  const int n = g_threads.load(std::memory_order_relaxed);
  return n ? n : default_threads();
}

void set_num_threads(int n) {
  check<ValueError>(n >= 1, "set_num_threads", "{} threads make no sense; use 1 or more", n);
  g_threads = n;
}

void detail::run_parallel(std::int64_t n, std::int64_t grain, bool in_order, RangeFn fn, void* context) {
  const std::int64_t chunks = (n + grain - 1) / grain;
  const int threads = static_cast<int>(std::min<std::int64_t>(num_threads(), chunks));
  if (threads <= 1 || t_inside || !team().run(n, grain, in_order, threads, fn, context)) fn(context, 0, n);
}

}  // namespace rill
