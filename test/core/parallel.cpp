#include "lib/core/parallel.h"

#include "test/support/catch.h"

#include <atomic>
#include <thread>
#include <vector>

#include <rill/core/error.h>
#include <rill/core/threads.h>

#include "test/support/message.h"

using namespace rill;

namespace {

struct Threads {  // restores the number of threads
  explicit Threads(int n) { set_num_threads(n); }
  ~Threads() { set_num_threads(before); }
  int before = num_threads();
};

/// How often each index was visited, and whether all pieces began at a multiple of the grain.
struct Visits {
  std::vector<std::atomic<int>> count;
  std::atomic<bool> aligned{true};
  explicit Visits(std::int64_t n) : count(static_cast<std::size_t>(n)) {}
  void run(std::int64_t grain) {
    parallel_for(static_cast<std::int64_t>(count.size()), grain, [&](std::int64_t b, std::int64_t e) {
      if (b % grain != 0 || e <= b) aligned = false;
      for (std::int64_t i = b; i < e; ++i) ++count[static_cast<std::size_t>(i)];
    });
  }
  bool each(int times) const {
    for (const auto& c : count)
      if (c != times) return false;
    return aligned;
  }
};

}  // namespace

TEST_CASE("every index is visited once, whatever the number of threads", "[core][parallel]") {
  for (const int threads : {1, 2, 3, 8})
    for (const std::int64_t n : {1, 7, 64, 1000, 4097})
      for (const std::int64_t grain : {1, 5, 64, 5000}) {
        const Threads use(threads);
        Visits v(n);
        v.run(grain);
        CHECK(v.each(1));
      }
}

TEST_CASE("every task is done once", "[core][parallel]") {
  for (const int threads : {1, 2, 3, 8})
    for (const std::int64_t n : {0, 1, 2, 7, 64}) {
      const Threads use(threads);
      Visits v(n);
      parallel_tasks(n, [&](std::int64_t b, std::int64_t e) {
        for (std::int64_t i = b; i < e; ++i) ++v.count[static_cast<std::size_t>(i)];
      });
      CHECK(v.each(1));
    }
}

TEST_CASE("many loops in a row leave no helper in the wrong one", "[core][parallel]") {
  const Threads use(4);
  Visits v(64);
  for (int round = 0; round < 5000; ++round) v.run(4);
  CHECK(v.each(5000));
}

TEST_CASE("an exception of a chunk arrives once at the caller, and the team goes on", "[core][parallel]") {
  const Threads use(3);
  for (int round = 0; round < 100; ++round)
    CHECK(message<ValueError>([&] { parallel_for(100, 1, [](std::int64_t b, std::int64_t) { if (b >= 50) throw ValueError("loop", "broken"); }); }) == "loop: broken");
  Visits v(100);
  v.run(3);
  CHECK(v.each(1));
}

TEST_CASE("loops inside loops and loops from several threads at once are whole", "[core][parallel]") {
  const Threads use(3);
  Visits inner(1000);
  parallel_for(8, 1, [&](std::int64_t b, std::int64_t e) {
    for (std::int64_t i = b; i < e; ++i) inner.run(10);
  });
  CHECK(inner.each(8));
  std::vector<std::thread> users;
  Visits shared(1000);
  for (int t = 0; t < 4; ++t)
    users.emplace_back([&] {
      for (int round = 0; round < 200; ++round) shared.run(10);
    });
  for (auto& t : users) t.join();
  CHECK(shared.each(800));
}

TEST_CASE("the number of threads is at least one", "[core][parallel]") {
  CHECK(message<ValueError>([] { set_num_threads(0); }) == "set_num_threads: 0 threads make no sense; use 1 or more");
  CHECK(num_threads() >= 1);
}
