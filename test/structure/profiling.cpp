// The snippets of docs/profiling.md (porting.cpp compares) with what they are said to do.
#include "test/support/catch.h"

#include <cstdio>

#include <rill/rill.h>

#include "test/support/scratch.h"

using namespace rill;

TEST_CASE("the guide to profiling", "[structure][profiler]") {
  const ScratchFolder folder;
  nn::Sequential net(nn::Linear(8, 16), nn::ReLU(), nn::Linear(16, 3));
  optim::Sgd sgd(net.named_parameters(), {.lr = 0.1});

  net.named_modules();  // modules learn their paths
  profiler::Profile profile;
  for (int step = 0; step < 3; ++step) {
    Tensor x, y;
    {
      const profiler::Range range("data");
      x = randn({32, 8}), y = randint(0, 3, {32});
    }
    const Tensor loss = cross_entropy(net(x), y);
    sgd.zero_grad();
    loss.backward();
    sgd.step();
  }
  profile.stop();
  std::puts(profile.table().c_str());
  profile.write_chrome_trace(folder / "trace.json");
  CHECK(slurp(folder / "trace.json").find("\"cross_entropy backward\"") != std::string::npos);

  const std::string longest = profile.table({.by = profiler::Sort::total_time, .rows = 10});
  for (const profiler::Row& row : profile.rows())
    if (row.kind == profiler::Kind::backward) std::printf("%s: %.3f ms\n", row.name.c_str(), 1e-6 * static_cast<double>(row.self_time));
  CHECK(longest.find("more rows") != std::string::npos);

  std::puts(profile.memory_table().c_str());
  const std::int64_t peak = profile.peak_bytes();
  CHECK(peak >= memory_stats().allocated_bytes);
}
