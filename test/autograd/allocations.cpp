// Calls to the system's allocator in a steady state.
#include "test/support/catch.h"

#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

#include "test/support/count_allocations.h"

using namespace rill;

TEST_CASE("small ops take no memory from the system", "[autograd][memory]") {
  const Tensor a = ones({8}), b = ones({8}), w = ones({8}).requires_grad_(), m = ones({4, 8});
  CHECK(cost([&] { a + b; }) == kNothing);
  CHECK(cost([&] { a* b + a; }) == kNothing);
  CHECK(cost([&] { a.add_(b); }) == kNothing);
  CHECK(cost([&] { m.select(0, 1), m.t(), m.view({8, 4}); }) == kNothing);
  CHECK(cost([&] { m + a; }) == kNothing);  // broadcast
  CHECK(cost([&] { a * w; }) == kNothing);  // with a node
  CHECK(cost([&] { tanh(w * a + w); }) == kNothing);
}

TEST_CASE("backward takes the same memory whatever the length of the graph", "[autograd][memory]") {
  const Tensor w = ones({8}).requires_grad_(), seed = ones({8});
  const auto pass = [&](int n) {
    return cost([&] {
      Tensor y = w;
      for (int i = 0; i < n; ++i) y = y * w;
      y.backward(seed);
      w.set_grad({});
    });
  };
  const auto shorter = pass(10), longer = pass(200);
  CHECK(shorter == longer);
  CHECK(longer.second == 0);
  CHECK(longer.first <= 12);
}

TEST_CASE("memory statistics count what is alive", "[core][memory]") {
  const auto before = memory_stats();
  {
    const Tensor t = zeros({1 << 20}), small = zeros({10}).requires_grad_();
    const auto now = memory_stats();
    CHECK(now.allocated_bytes >= before.allocated_bytes + (4 << 20));
    CHECK(now.allocated_bytes <= before.allocated_bytes + (5 << 20));
    CHECK(now.graph_nodes == before.graph_nodes + 1);
    CHECK(now.blocks >= before.blocks + 4);
  }
  const auto after = memory_stats();
  CHECK(after.allocated_bytes == before.allocated_bytes);
  CHECK(after.graph_nodes == before.graph_nodes);
  CHECK(after.peak_bytes >= before.allocated_bytes + (4 << 20));
  reset_peak_memory();
  CHECK(memory_stats().peak_bytes == memory_stats().allocated_bytes);
  empty_cache();
  CHECK(memory_stats().reserved_bytes <= after.reserved_bytes);
}
