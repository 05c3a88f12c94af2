// Profiles of modules: their paths in time and memory reports, forward and backward.
#include "test/support/catch.h"

#include <rill/core/memory.h>
#include <rill/nn/linear.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/optim/sgd.h>

#include "test/nn/block.h"
#include "test/support/message.h"
#include "test/support/profiles.h"

using namespace rill;
using profiler::Kind;
using profiler::Profile;

namespace {

struct Net : nn::Module {
  Block a, b;
  Tensor operator()(const Tensor& x) const { return a(x).sum() + b(x).sum(); }
  void parts(nn::Parts& p) override { p("a", a)("b", b); }
};

}  // namespace

TEST_CASE("modules are rows under their paths", "[nn][profiler]") {
  Net net;
  optim::Sgd sgd(net.named_parameters(), {.lr = 0.1});
  const Tensor x = ones({5, 4});
  Profile p;
  for (int i = 0; i < 3; ++i) {
    sgd.zero_grad();
    net(x).backward();
    sgd.step();
  }
  p.stop();
  for (const char* path : {"a", "a.first", "a.second", "b", "b.first", "b.second"}) {
    INFO(path);
    CHECK(row_of(p, path, Kind::module).calls == 3);
  }
  const auto block = row_of(p, "a", Kind::module);
  CHECK(block.total_time - block.self_time >= row_of(p, "a.first", Kind::module).total_time + row_of(p, "a.second", Kind::module).total_time);
  CHECK(row_of(p, "Sgd").calls == 3);
  CHECK(row_of(p, "linear").calls == 12);
  CHECK(row_of(p, "relu backward", Kind::backward).calls == 6);
  CHECK(p.module_table().starts_with("module"));
  CHECK(p.module_table().find("\na.first ") != std::string::npos);
  CHECK(p.module_table().find("\nlinear") == std::string::npos);
  CHECK(p.table().find("\na.first ") == std::string::npos);
}

TEST_CASE("memory belongs to the module that ran, also in the backward pass", "[nn][profiler]") {
  Net net;
  net.named_modules();
  const Tensor x = ones({500, 4});
  Tensor y;
  {
    Profile p;
    y = net(x);
    y.backward();
    p.stop();
    std::int64_t live = 0, peak = 0;
    for (const auto& m : p.memory()) live += m.live_bytes, peak += m.bytes_at_peak;
    CHECK(live == memory_stats().allocated_bytes);
    CHECK(peak == p.peak_bytes());
    for (const char* path : {"a.first", "b.first"}) {
      INFO(path);
      CHECK(memory_of(p, path, "linear").allocated_bytes >= 500 * 3 * 4);
    }
    // results of relu are kept for its gradient and that of the layer behind it
    CHECK(memory_of(p, "a", "relu").bytes_at_peak + memory_of(p, "b", "relu").bytes_at_peak >= 500 * 3 * 4);
    CHECK(memory_of(p, "a", "relu backward").allocations + memory_of(p, "a", "relu backward").allocated_bytes > 0);
    CHECK(memory_of(p, "", "relu backward").allocations == 0);
    CHECK(memory_of(p, "", "linear").allocations == 0);
    CHECK(memory_of(p, "", "sum").allocations > 0);
    CHECK(p.memory_table().find("\na.first ") != std::string::npos);
  }
  // a graph made in one profile may run backward in another
  y = net(x);
  Profile p;
  y.backward();
  p.stop();
  CHECK(row_of(p, "relu backward", Kind::backward).calls == 2);
}

TEST_CASE("a module whose path is not known goes by its class", "[nn][profiler]") {
  const nn::Linear layer(4, 3);
  Profile p;
  layer(ones({2, 4}));
  CHECK(message<ShapeError>([&] { layer(ones({2, 5})); }).ends_with("(in Linear)"));
  p.stop();
  CHECK(row_of(p, "Linear", Kind::module).calls == 2);
  CHECK(memory_of(p, "Linear", "linear").allocations > 0);
}
