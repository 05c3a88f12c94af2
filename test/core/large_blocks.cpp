// The ranges behind large tensors: they never overlap, join again, and give their pages back.
#include "lib/core/large_blocks.h"

#include "test/support/catch.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

using rill::pool::LargeBlocks;

namespace {
constexpr std::size_t MiB = 1 << 20;
}

TEST_CASE("sizes are rounded by at most a sixty-fourth", "[core][memory]") {
  for (std::size_t bytes = 1; bytes < 4096 * MiB; bytes += 1 + bytes / 3) {
    const std::size_t r = LargeBlocks::rounded(bytes);
    CHECK(r % 4096 == 0);
    CHECK(r >= bytes);
    CHECK(r - bytes < std::max<std::size_t>(4096, bytes / 64 + 1));
    CHECK(LargeBlocks::rounded(r) == r);
  }
}

TEST_CASE("blocks do not overlap while others come and go, and no page is lost", "[core][memory]") {
  LargeBlocks blocks;
  struct Live { unsigned char* p; std::size_t size; unsigned char value; };
  std::vector<Live> live;
  std::mt19937 random(1);
  std::int64_t in_use = 0;
  for (int step = 0; step < 4000; ++step) {
    if (live.size() < 40 && (live.empty() || random() % 2)) {
      const std::size_t size = LargeBlocks::rounded(1 + random() % (random() % 8 == 0 ? 9 * MiB : MiB / 4));
      auto* p = static_cast<unsigned char*>(blocks.allocate(size));
      REQUIRE(p != nullptr);
      CHECK(reinterpret_cast<std::uintptr_t>(p) % 4096 == 0);
      const auto value = static_cast<unsigned char>(random());
      for (std::size_t i = 0; i < size; i += 4096) p[i] = value, p[i + 4095] = value;
      live.push_back({p, size, value}), in_use += static_cast<std::int64_t>(size);
    } else {
      const std::size_t k = random() % live.size();
      const Live l = live[k];
      bool intact = true;
      for (std::size_t i = 0; i < l.size; i += 4096) intact = intact && l.p[i] == l.value && l.p[i + 4095] == l.value;
      REQUIRE(intact);
      blocks.release(l.p);
      live[k] = live.back(), live.pop_back(), in_use -= static_cast<std::int64_t>(l.size);
    }
    REQUIRE(blocks.reserved() >= in_use);
    if (step % 500 == 499) {
      blocks.trim();
      CHECK(blocks.reserved() == in_use);
    }
  }
  for (const Live& l : live) blocks.release(l.p);
  blocks.trim();
  CHECK(blocks.reserved() == 0);
}

TEST_CASE("neighbours join in whatever order they are freed", "[core][memory]") {
  std::vector<int> order = {0, 1, 2, 3};
  do {
    LargeBlocks blocks;
    void* p[4];
    for (void*& one : p) one = blocks.allocate(MiB);
    for (const int k : order) blocks.release(p[k]);
    const auto calls = blocks.system_calls();
    void* whole = blocks.allocate(4 * MiB);
    CHECK(whole == p[0]);
    CHECK(blocks.system_calls() == calls);  // no new page
    CHECK(blocks.reserved() == 4 * std::int64_t{MiB});
    blocks.release(whole);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("a repeated pattern of sizes needs no new pages", "[core][memory]") {
  LargeBlocks blocks;
  std::int64_t calls = 0;
  for (int step = 0; step < 5; ++step) {
    std::vector<void*> p;
    for (const std::size_t size : {3 * MiB, MiB, 7 * MiB, 2 * MiB}) p.push_back(blocks.allocate(size));
    blocks.release(p[2]);
    p[2] = blocks.allocate(5 * MiB);
    for (void* one : p) blocks.release(one);
    if (step == 1) calls = blocks.system_calls();
  }
  CHECK(blocks.system_calls() == calls);
  CHECK(blocks.reserved() <= 13 * std::int64_t{MiB});
}

TEST_CASE("what is freed last joins the untouched rest of its segment", "[core][memory]") {
  LargeBlocks blocks;
  void* const small = blocks.allocate(80 * MiB);
  blocks.release(small);
  void* const large = blocks.allocate(100 * MiB);
  CHECK(large == small);
  CHECK(blocks.reserved() == 100 * std::int64_t{MiB});
  void* const huge = blocks.allocate(1024 * MiB);  // more than one segment
  REQUIRE(huge != nullptr);
  blocks.release(huge);
  blocks.release(large);
  blocks.trim();
  CHECK(blocks.reserved() == 0);
  CHECK(blocks.allocate(std::size_t{1} << 60) == nullptr);
}
