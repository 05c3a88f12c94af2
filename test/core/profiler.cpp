#include <rill/core/profiler.h>

#include "test/support/catch.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <sstream>
#include <thread>

#include <rill/core/error.h>
#include <rill/core/memory.h>
#include <rill/core/threads.h>
#include <rill/ops/binary.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>

#include "lib/core/memory_pool.h"
#include "lib/core/parallel.h"
#include "test/support/message.h"
#include "test/support/profiles.h"

using namespace rill;
using profiler::Kind;
using profiler::Profile;
using profiler::Range;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}
/// The cells of a line; columns are two or more spaces apart.
std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> list;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t end = std::min(line.find("  ", at), line.size());
    if (end > at) list.push_back(line.substr(at, end - at));
    at = std::min(line.find_first_not_of(' ', end), line.size());
  }
  return list;
}

}  // namespace

TEST_CASE("a profile counts every op under its name, forward and backward", "[core][profiler]") {
  const Tensor a = ones({4}), b = ones({4}), w = ones({4}).requires_grad_();
  CHECK_FALSE(profiler::running());
  Profile p;
  CHECK(profiler::running());
  Tensor c = a;
  for (int i = 0; i < 3; ++i) c = c + b;
  (c * w).sum().backward();
  c.add_(b);
  abs_(c);
  c = c + 1.5;  // one op, though the number becomes a tensor
  p.stop();
  CHECK_FALSE(profiler::running());
  c = c - b;  // too late
  CHECK(row_of(p, "add").calls == 4);
  CHECK(row_of(p, "mul").calls == 2);  // the second one in the backward pass
  CHECK(row_of(p, "sum").calls == 1);
  CHECK(row_of(p, "add_").calls == 1);
  CHECK(row_of(p, "abs_").calls == 1);
  CHECK(row_of(p, "sub").calls == 0);
  CHECK(row_of(p, "backward").calls == 1);
  CHECK(row_of(p, "mul backward", Kind::backward).calls == 1);
  CHECK(row_of(p, "sum backward", Kind::backward).calls == 1);
  CHECK(row_of(p, "add backward", Kind::backward).calls == 0);
  std::int64_t before = INT64_MAX, self = 0;
  for (const auto& r : p.rows()) {
    INFO(r.name);
    CHECK(r.self_time <= before);  // sorted
    CHECK(r.self_time >= 0);
    CHECK(r.total_time >= r.self_time);
    CHECK(r.total_time <= p.duration());
    before = r.self_time, self += r.self_time;
  }
  CHECK(self <= p.duration());
}

TEST_CASE("the self time of a range is what its ops leave", "[core][profiler]") {
  const Tensor a = ones({100}), b = ones({100});
  Profile p;
  {
    const Range outer("outer");
    const Tensor c = a + b;
    const Range inner("inner");
    const Tensor d = a * b;
  }
  p.stop();
  const auto outer = row_of(p, "outer", Kind::range), inner = row_of(p, "inner", Kind::range), add = row_of(p, "add"), mul = row_of(p, "mul");
  CHECK(outer.calls == 1);
  CHECK(outer.total_time - outer.self_time == add.total_time + inner.total_time);
  CHECK(inner.total_time - inner.self_time == mul.total_time);
  CHECK(mul.total_time == mul.self_time);
  CHECK(outer.allocations == 0);  // they belong to the ops inside
  CHECK(mul.allocations > 0);
  CHECK(outer.released_bytes + inner.released_bytes == add.allocated_bytes + mul.allocated_bytes);
}

TEST_CASE("bytes and allocations agree with the pool", "[core][profiler]") {
  const Tensor x = ones({1000});
  const auto before = memory_stats().allocated_bytes;
  Profile p;
  const Tensor y = exp(x);
  { const Tensor large = zeros({1 << 20}); }
  const Tensor z = log(y);
  p.stop();
  const auto after = memory_stats().allocated_bytes;
  const auto exps = row_of(p, "exp"), logs = row_of(p, "log"), zero = row_of(p, "zeros");
  CHECK(exps.allocations == 2);  // the tensor and its storage
  CHECK(exps.allocated_bytes >= 4000);
  CHECK(exps.released_bytes == 0);
  CHECK(exps.allocated_bytes + logs.allocated_bytes == after - before);
  CHECK(zero.allocated_bytes >= 4 << 20);
  CHECK(p.peak_bytes() == before + exps.allocated_bytes + zero.allocated_bytes);
  std::int64_t live = 0, peak = 0;
  for (const auto& m : p.memory()) live += m.live_bytes, peak += m.bytes_at_peak;
  CHECK(live == after);
  CHECK(peak == p.peak_bytes());
  CHECK(memory_of(p, "", "(before)").live_bytes == before);
  CHECK(memory_of(p, "", "exp").live_bytes == exps.allocated_bytes);
  CHECK(memory_of(p, "", "zeros").live_bytes == 0);
  CHECK(memory_of(p, "", "zeros").bytes_at_peak == zero.allocated_bytes);
  CHECK(memory_of(p, "", "zeros").peak_bytes == zero.allocated_bytes);
  CHECK(memory_of(p, "", "log").bytes_at_peak == 0);  // taken later
  CHECK(p.memory()[0].bytes_at_peak >= p.memory()[1].bytes_at_peak);
}

TEST_CASE("memory from before the profile is taken off when it is given back", "[core][profiler]") {
  Tensor old = ones({5000});
  const auto before = memory_stats().allocated_bytes;
  Profile p;
  old = {};
  p.stop();
  const auto after = memory_stats().allocated_bytes;
  CHECK(after < before);
  CHECK(memory_of(p, "", "(before)").live_bytes == after);
  CHECK(memory_of(p, "", "(before)").bytes_at_peak == before);
  CHECK(p.peak_bytes() == before);
}

TEST_CASE("every thread is recorded, and a block may be given back by another one", "[core][profiler]") {
  const Tensor a = ones({100}), b = ones({100});
  const auto before = memory_stats().allocated_bytes;
  Tensor made[3];
  std::thread early([&] { made[0] = a * b; });  // a thread that knows the pool already
  early.join();
  Profile p;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&, i] {
      for (int k = 0; k < 50; ++k) made[i] = a + b;
    });
  for (auto& t : threads) t.join();
  for (Tensor& t : made) t = {};
  p.stop();
  CHECK(row_of(p, "add").calls == 150);
  CHECK(lines_of(p.table()).back().find("threads: 3,") != std::string::npos);
  CHECK(memory_of(p, "", "add").live_bytes == 0);
  CHECK(memory_stats().allocated_bytes == before);
}

TEST_CASE("memory that helpers of a loop take belongs to the op of the caller", "[core][profiler]") {
  const int before = num_threads();
  set_num_threads(4);
  Profile p;
  {
    const Range range("loop");
    parallel_for(64, 1, [](std::int64_t b, std::int64_t e) {
      for (; b < e; ++b) {
        void* block = pool::allocate(100000);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));  // so that helpers get their share
        pool::release(block, 100000);
      }
    });
  }
  p.stop();
  set_num_threads(before);
  const auto range = row_of(p, "loop", Kind::range);
  CHECK(range.allocations == 64);
  CHECK(range.released_bytes == range.allocated_bytes);
  CHECK(lines_of(p.table()).back().find("threads: 1,") != std::string::npos);
}

TEST_CASE("what is open when a profile begins or ends stays consistent", "[core][profiler]") {
  const Tensor a = ones({4});
  std::optional<Profile> p;
  {
    const Range early("early");
    p.emplace();
    const Range inside("inside");
    const Tensor b = a + a;
  }
  const Tensor b = a * a;
  p->stop();
  CHECK(row_of(*p, "early", Kind::range).calls == 0);
  CHECK(row_of(*p, "inside", Kind::range).calls == 1);
  CHECK(row_of(*p, "mul").calls == 1);
  {
    p.reset();
    p.emplace();
    const Range late("late"), later("later");
    const Tensor c = a + a;
    p->stop();
  }
  p->stop();  // once more: nothing happens
  const auto late = row_of(*p, "late", Kind::range), later = row_of(*p, "later", Kind::range);
  CHECK(late.calls == 1);
  CHECK(late.total_time - late.self_time == later.total_time);
  CHECK(later.total_time - later.self_time == row_of(*p, "add").total_time);
  CHECK(row_of(*p, "mul").calls == 0);  // of the first profile
}

TEST_CASE("an op that throws is closed", "[core][profiler]") {
  const Tensor a = ones({2}), b = ones({3});
  Profile p;
  CHECK_THROWS_AS(add(a, b), ShapeError);
  {
    const Range after("after");
    const Tensor c = neg(a);
  }
  p.stop();
  CHECK(row_of(p, "add").calls == 1);
  CHECK(row_of(p, "add").self_time == row_of(p, "add").total_time);  // nothing else lies inside
  const auto after = row_of(p, "after", Kind::range);
  CHECK(after.total_time - after.self_time == row_of(p, "neg").total_time);
}

TEST_CASE("allocations may fail while a profile runs", "[core][profiler]") {
  const Tensor a = ones({100});
  const auto before = memory_stats().allocated_bytes;
  Profile p;
  pool::fail_allocation(2);
  CHECK_THROWS_AS(exp(a), OutOfMemory);
  const Tensor b = log(a);
  p.stop();
  CHECK(row_of(p, "exp").allocations == 1);
  CHECK(row_of(p, "exp").released_bytes == row_of(p, "exp").allocated_bytes);
  CHECK(row_of(p, "log").allocations == 2);
  CHECK(memory_stats().allocated_bytes == before + row_of(p, "log").allocated_bytes);
}

TEST_CASE("shapes split the rows where they are asked for", "[core][profiler]") {
  const Tensor a = ones({2, 3}), b = ones({3});
  Profile plain;
  const Tensor u = a + b;
  plain.stop();
  CHECK(row_of(plain, "add").shapes.empty());
  CHECK(cells(lines_of(plain.table())[0]).size() == 9);
  Profile p({.shapes = true});
  for (int i = 0; i < 2; ++i) const Tensor c = a + b;
  const Tensor d = b + b;
  p.stop();
  std::vector<std::string> found;
  for (const auto& r : p.rows())
    if (r.name == "add") found.push_back(r.shapes + " x" + std::to_string(r.calls));
  std::sort(found.begin(), found.end());
  CHECK(found == std::vector<std::string>{"[2, 3], [3] x2", "[3], [3] x1"});
  CHECK(cells(lines_of(p.table())[0])[1] == "shapes");
}

TEST_CASE("a profile as text", "[core][profiler]") {
  const Tensor a = ones({1000}), b = ones({1000});
  Profile p;
  Tensor c;
  for (int i = 0; i < 1200; ++i) c = a * b;
  const Tensor d = a + c;
  { const Range r("data"); }
  p.stop();
  const auto lines = lines_of(p.table({.by = profiler::Sort::calls}));
  REQUIRE(lines.size() == 6);
  CHECK(cells(lines[0]) == std::vector<std::string>{"op", "self", "self %", "total", "mean", "calls", "allocations", "allocated", "kept"});
  const auto first = cells(lines[1]);
  CHECK(first[0] == "mul");
  CHECK(first[5] == "1,200");
  CHECK(first[6] == "2,400");
  CHECK(first[7].ends_with(" MiB"));
  double whole = 0;
  for (int i = 1; i <= 3; ++i) whole += std::stod(cells(lines[static_cast<std::size_t>(i)])[2]);
  CHECK(whole == Approx(100).margin(0.2));  // each rounded to one digit
  CHECK(lines[4].starts_with("self time: "));
  CHECK(lines[5].starts_with("from start to stop: "));
  CHECK(lines[5].find("threads: 1, peak memory: ") != std::string::npos);
  const auto named = lines_of(p.table({.by = profiler::Sort::name, .rows = 1}));
  CHECK(cells(named[1])[0] == "add");
  CHECK(named[2] == "2 more rows");
  const auto memory = lines_of(p.memory_table(2));
  CHECK(cells(memory[0]) == std::vector<std::string>{"module", "op", "at peak", "at peak %", "own peak", "live", "allocations", "allocated"});
  CHECK(memory[3].ends_with("more rows"));
  CHECK(lines_of(p.module_table()).size() == 3);  // there are none
}

TEST_CASE("one profile at a time, and results after its end", "[core][profiler]") {
  Profile p;
  CHECK(MESSAGE(FailedPrecondition, Profile()) == "profiler: another profile is running in this process; stop() it first");
  CHECK(profiler::running());  // the first one goes on
  CHECK(MESSAGE(FailedPrecondition, p.table()) == "table: the profile is still running; call stop() first");
  CHECK(MESSAGE(FailedPrecondition, p.rows()) == "rows: the profile is still running; call stop() first");
  CHECK(MESSAGE(FailedPrecondition, p.memory()) == "memory: the profile is still running; call stop() first");
  CHECK(MESSAGE(FailedPrecondition, p.module_table()) == "module_table: the profile is still running; call stop() first");
  CHECK(MESSAGE(FailedPrecondition, p.memory_table()) == "memory_table: the profile is still running; call stop() first");
  CHECK(MESSAGE(FailedPrecondition, p.duration()) == "duration: the profile is still running; call stop() first");
  CHECK(MESSAGE(FailedPrecondition, p.peak_bytes()) == "peak_bytes: the profile is still running; call stop() first");
  CHECK(MESSAGE(FailedPrecondition, p.write_chrome_trace("x")) == "write_chrome_trace: the profile is still running; call stop() first");
  p.stop();
  CHECK(MESSAGE(ValueError, p.table({.rows = -1})) == "table: rows is -1; it must be at least 0");
  CHECK(MESSAGE(ValueError, p.module_table({.rows = -1})) == "table: rows is -1; it must be at least 0");
  CHECK(MESSAGE(ValueError, p.memory_table(-2)) == "memory_table: rows is -2; it must be at least 0");
  Profile next;  // the next one may begin
  next.stop();
  CHECK(next.rows().empty());
}
