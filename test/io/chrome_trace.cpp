#include <rill/core/profiler.h>

#include "test/support/catch.h"

#include <thread>

#include <nlohmann/json.hpp>

#include <rill/core/error.h>
#include <rill/ops/binary.h>
#include <rill/ops/create.h>
#include <rill/ops/reduce.h>

#include "test/support/message.h"
#include "test/support/scratch.h"

using namespace rill;
using nlohmann::json;

namespace {

/// The events of one phase ("X": a call) in the file.
std::vector<json> events(const std::string& path, const std::string& phase) {
  std::vector<json> found;
  const json document = json::parse(slurp(path));
  for (const json& e : document.at("traceEvents"))
    if (e.at("ph") == phase) found.push_back(e);
  return found;
}
json named(const std::vector<json>& list, const std::string& name) {
  for (const json& e : list)
    if (e.at("name") == name) return e;
  FAIL("no event " << name);
  return {};
}
double end_of(const json& e) { return e.at("ts").get<double>() + e.at("dur").get<double>(); }

}  // namespace

TEST_CASE("a profile becomes a trace that a browser reads", "[io][profiler]") {
  const ScratchFolder scratch;
  const Tensor a = ones({2, 3}), w = ones({3}).requires_grad_();
  profiler::Profile p({.shapes = true});
  {
    const profiler::Range range("read \"data\"\n\xff");  // any bytes
    (a * w).sum().backward();
  }
  std::thread([&] { const Tensor c = a + a; }).join();
  p.stop();
  p.write_chrome_trace(scratch / "trace.json");
  const auto calls = events(scratch / "trace.json", "X");
  std::int64_t rows = 0;
  for (const auto& r : p.rows()) rows += r.calls;
  CHECK(static_cast<std::int64_t>(calls.size()) == rows);

  const json range = calls[0], mul = calls[1];
  CHECK(range.at("name").get<std::string>() == "read \"data\"\n\xef\xbf\xbd");  // U+FFFD for the byte that is no text
  CHECK(range.at("cat") == "range");
  CHECK(mul.at("name") == "mul");
  CHECK(mul.at("cat") == "op");
  CHECK(mul.at("args").at("shapes") == json::parse("[[2, 3], [3]]"));
  CHECK(mul.at("args").at("allocations").get<int>() > 0);
  const json backward = named(calls, "mul backward");
  CHECK(backward.at("cat") == "backward");
  for (const json& inner : {mul, backward}) {  // viewers nest by times
    CHECK(inner.at("tid") == range.at("tid"));
    CHECK(inner.at("ts").get<double>() >= range.at("ts").get<double>());
    CHECK(end_of(inner) <= end_of(range) + 1e-6);
  }
  CHECK(named(calls, "add").at("tid") != range.at("tid"));
  for (const json& e : calls) {  // microseconds
    CHECK(e.at("dur").get<double>() >= 0);
    CHECK(end_of(e) * 1000 <= static_cast<double>(p.duration()) + 1);
  }
  const auto memory = events(scratch / "trace.json", "C");
  REQUIRE(memory.size() == 2);  // after the range and after the op of the other thread
  CHECK(memory[0].at("args").at("bytes").get<std::int64_t>() > 0);
  CHECK(events(scratch / "trace.json", "M").size() == 3);  // names of the process and of two threads
}

TEST_CASE("a trace of nothing is a trace", "[io][profiler]") {
  const ScratchFolder scratch;
  profiler::Profile p;
  p.stop();
  p.write_chrome_trace(scratch / "trace.json");
  CHECK(events(scratch / "trace.json", "X").empty());
}

TEST_CASE("a trace that cannot be written leaves nothing behind", "[io][profiler]") {
  const ScratchFolder scratch;
  profiler::Profile p;
  p.stop();
  const std::string path = scratch / "missing/trace.json";
  CHECK(MESSAGE(NotCommitted, p.write_chrome_trace(path)).find(path) != std::string::npos);
  CHECK(std::filesystem::is_empty(scratch.path));
  std::filesystem::create_directory(scratch / "folder");
  CHECK_THROWS_AS(p.write_chrome_trace(scratch / "folder"), NotCommitted);
  CHECK(std::distance(std::filesystem::directory_iterator(scratch.path), {}) == 1);
}
