// The block logic of the caching allocator over a device that the test makes up.
#include "backends/cuda/caching_allocator.h"

#include <random>

#include <rill/core/error.h>

#include "test/support/catch.h"
#include "test/support/message.h"

using namespace rill;
using cuda::CachingAllocator;
using Block = CachingAllocator::Block;

namespace {

constexpr std::size_t kMiB = 1 << 20;

/// A device of `capacity` bytes whose addresses are numbers.
class FakeDevice final : public cuda::RawMemory {
 public:
  explicit FakeDevice(std::size_t capacity) : capacity_(capacity) {}
  void* allocate(std::size_t bytes) override {
    ++calls;
    if (used + bytes > capacity_) return nullptr;
    used += bytes;
    const std::uintptr_t at = next_;
    next_ += (bytes + kMiB) / kMiB * kMiB + kMiB;  // segments never touch
    segments[at] = bytes;
    return reinterpret_cast<void*>(at);
  }
  void release(void* data) noexcept override {
    const auto at = segments.find(reinterpret_cast<std::uintptr_t>(data));
    if (at == segments.end()) std::abort();
    used -= at->second;
    segments.erase(at);
  }
  void* reserve() override {
    if (!grows) return nullptr;
    const std::uintptr_t at = next_;
    next_ += reservation() + kMiB;
    reserved[at] = reservation();
    return reinterpret_cast<void*>(at);
  }
  std::size_t reservation() noexcept override { return 2 * capacity_ / (20 * kMiB) * (20 * kMiB); }
  bool map(void* data, std::size_t bytes, std::size_t granule) override {
    ++calls;
    const auto at = reinterpret_cast<std::uintptr_t>(data);
    const auto home = std::prev(reserved.upper_bound(at));
    if ((at - home->first) % granule || bytes % granule || bytes == 0 || at + bytes > home->first + home->second) std::abort();
    for (std::uintptr_t i = at; i < at + bytes; i += kMiB)
      if (mapped.count(i)) std::abort();
    if (used + bytes > capacity_) return false;
    used += bytes;
    for (std::uintptr_t i = at; i < at + bytes; i += kMiB) mapped.insert(i);
    return true;
  }
  bool unmap(void* data, std::size_t bytes) noexcept override {
    if (busy) return false;
    const auto at = reinterpret_cast<std::uintptr_t>(data);
    for (std::uintptr_t i = at; i < at + bytes; i += kMiB)
      if (mapped.erase(i) == 0) std::abort();
    used -= bytes;
    return true;
  }
  std::size_t free_bytes() noexcept override { return capacity_ - used; }
  void* record_event(int stream) override {
    recorded.push_back(stream);
    return reinterpret_cast<void*>(recorded.size());
  }
  bool query_event(void* event) noexcept override { return reinterpret_cast<std::uintptr_t>(event) <= finished; }
  void wait_event(void* event) noexcept override { finished = std::max<std::uintptr_t>(finished, reinterpret_cast<std::uintptr_t>(event)); }
  void destroy_event(void*) noexcept override { ++destroyed; }

  /// There is memory behind all of it.
  bool holds(const Block* b) const {
    const auto at = reinterpret_cast<std::uintptr_t>(b->data);
    const auto segment = segments.upper_bound(at);
    if (segment != segments.begin() && at + b->bytes <= std::prev(segment)->first + std::prev(segment)->second) return true;
    for (std::uintptr_t i = at / kMiB * kMiB; i < at + b->bytes; i += kMiB)
      if (!mapped.count(i)) return false;
    return true;
  }

  std::map<std::uintptr_t, std::size_t> segments, reserved;
  std::set<std::uintptr_t> mapped;  // pieces of 1 MiB
  bool grows = false, busy = false;
  std::size_t used = 0;
  int calls = 0;
  std::vector<int> recorded;
  std::uintptr_t finished = 0;  // events 1..finished are done
  int destroyed = 0;

 private:
  std::size_t capacity_;
  std::uintptr_t next_ = kMiB;
};

}  // namespace

TEST_CASE("sizes are rounded and segments have three kinds", "[cuda][allocator]") {
  CHECK(CachingAllocator::rounded(1) == 512);
  CHECK(CachingAllocator::rounded(513) == 1024);
  CHECK(CachingAllocator::segment_for(512) == 2 * kMiB);
  CHECK(CachingAllocator::segment_for(kMiB) == 2 * kMiB);
  CHECK(CachingAllocator::segment_for(kMiB + 512) == 20 * kMiB);
  CHECK(CachingAllocator::segment_for(10 * kMiB + 512) == 12 * kMiB);
}

TEST_CASE("a released block serves the next request of its stream without a call to the device", "[cuda][allocator]") {
  FakeDevice device(100 * kMiB);
  CachingAllocator a(device, "cuda:0");
  Block* x = a.allocate(1000, 0);
  CHECK(x->bytes == 1024);
  CHECK(device.calls == 1);
  char* const place = x->data;
  a.release(x);
  Block* y = a.allocate(900, 0);
  CHECK(y->data == place);
  CHECK(device.calls == 1);
  Block* z = a.allocate(900, 3);  // another stream has its own memory
  CHECK(device.calls == 2);
  a.release(y), a.release(z);
  const auto s = a.stats();
  CHECK(s.allocated_bytes == 0);
  CHECK(s.blocks == 0);
  CHECK(s.reserved_bytes == 4 * static_cast<std::int64_t>(kMiB));
  CHECK(s.peak_bytes == 2048);
  a.empty_cache();
  CHECK(device.used == 0);
  CHECK(a.stats().reserved_bytes == 0);
}

TEST_CASE("the smallest block that fits is taken, split, and merged again", "[cuda][allocator]") {
  FakeDevice device(100 * kMiB);
  CachingAllocator a(device, "cuda:0");
  std::vector<Block*> all;
  for (int i = 0; i < 8; ++i) all.push_back(a.allocate(256 << 10, 0));  // one segment of 2 MiB
  CHECK(device.calls == 1);
  for (int i = 1; i < 8; ++i) CHECK(all[i]->data == all[i - 1]->data + (256 << 10));
  a.release(all[1]), a.release(all[2]);               // a hole of 512 KiB
  a.release(all[5]);                                  // and one of 256 KiB
  Block* small = a.allocate(200 << 10, 0);
  CHECK(small->data == all[4]->data + (256 << 10));   // the smaller hole
  Block* large = a.allocate(512 << 10, 0);
  CHECK(large->data == all[0]->data + (256 << 10));   // both neighbours had become one
  CHECK(device.calls == 1);
  for (Block* b : {all[0], all[3], all[4], all[6], all[7], small, large}) a.release(b);
  Block* whole = a.allocate(kMiB, 0);
  CHECK(device.calls == 1);
  a.release(whole);
  a.empty_cache();
  CHECK(device.used == 0);                            // everything merged into whole segments
}

TEST_CASE("when the device is full the cache is given back, then the error says what there is", "[cuda][allocator]") {
  FakeDevice device(64 * kMiB);
  CachingAllocator a(device, "cuda:1");
  Block* x = a.allocate(30 * kMiB, 0);
  Block* y = a.allocate(30 * kMiB, 0);
  a.release(x);
  Block* z = a.allocate(32 * kMiB, 0);  // fits only in place of x
  CHECK(a.stats().retries == 1);
  CHECK(device.used == 62 * kMiB);
  CHECK(MESSAGE(OutOfMemory, a.allocate(20 * kMiB, 0)) ==
        "allocate: 20971520 bytes are not available on cuda:1 (65011712 bytes are in use, 0 cached in pieces that are too small, 2097152 free on the device); use smaller tensors or release some");
  CHECK(a.stats().blocks == 2);
  a.release(y), a.release(z);
  CHECK_NOTHROW(a.release(a.allocate(60 * kMiB, 0)));
  CHECK_THROWS_AS(a.allocate(std::size_t{1} << 62, 0), OutOfMemory);
}

TEST_CASE("memory that another stream used waits for that stream", "[cuda][allocator]") {
  FakeDevice device(64 * kMiB);
  CachingAllocator a(device, "cuda:0");
  Block* x = a.allocate(4000, 0);
  char* const place = x->data;
  a.record_stream(x, 0);  // its own: nothing to wait for
  a.record_stream(x, 7);
  a.release(x);
  CHECK(device.recorded == std::vector<int>{7});
  Block* y = a.allocate(4000, 0);
  CHECK(y->data != place);
  device.finished = 1;
  Block* z = a.allocate(4000, 0);
  CHECK(z->data == place);
  CHECK(device.destroyed == 1);
  a.record_stream(z, 7), a.release(z), a.release(y);
  a.empty_cache();  // waits
  CHECK(device.destroyed == 2);
  CHECK(device.used == 0);
}

TEST_CASE("memory of a graph is given back when the graph is dropped, and not before", "[cuda][allocator]") {
  FakeDevice device(64 * kMiB);
  CachingAllocator a(device, "cuda:0");
  const int pool = a.make_pool(), other = a.make_pool();
  REQUIRE(pool != other);
  Block* x = a.allocate(4 * kMiB, pool);
  char* const place = x->data;
  a.release(x);
  Block* y = a.allocate(4 * kMiB, 0);  // neither a stream nor another graph gets what the graph once used
  Block* z = a.allocate(4 * kMiB, other);
  CHECK(y->data != place);
  CHECK(z->data != place);
  Block* again = a.allocate(4 * kMiB, pool);  // the graph does
  CHECK(again->data == place);
  a.release(again), a.release(y);
  a.empty_cache();
  CHECK(a.stats().reserved_bytes == 40 * static_cast<std::int64_t>(kMiB));  // those of both graphs
  CHECK_THROWS_AS(a.allocate(40 * kMiB, 0), OutOfMemory);
  a.drop_pool(pool);
  CHECK(a.stats().reserved_bytes == 20 * static_cast<std::int64_t>(kMiB));
  a.drop_pool(other);  // a result of its graph is still in use
  CHECK(device.used == 20 * kMiB);
  a.release(z);
  a.empty_cache();
  CHECK(device.used == 0);
}

TEST_CASE("a segment that grows continues what is free, and gives back what lies in between", "[cuda][allocator]") {
  FakeDevice device(100 * kMiB);
  device.grows = true;
  CachingAllocator a(device, "cuda:0");
  a.use_growing_segments(true);
  Block* x = a.allocate(30 * kMiB, 0);
  CHECK(device.used == 40 * kMiB);
  char* const place = x->data;
  a.release(x);
  Block* y = a.allocate(70 * kMiB, 0);  // would not fit beside the first
  CHECK(y->data == place);
  CHECK(device.used == 80 * kMiB);
  CHECK(a.stats().retries == 0);
  a.release(y);
  Block* p = a.allocate(20 * kMiB, 0);
  Block* q = a.allocate(30 * kMiB, 0);
  Block* r = a.allocate(25 * kMiB, 0);
  a.release(q);
  a.empty_cache();
  CHECK(device.used == 60 * kMiB);  // [0, 20) and [40, 80): q lay in [20, 50)
  CHECK(a.stats().reserved_bytes == 60 * static_cast<std::int64_t>(kMiB));
  Block* s = a.allocate(20 * kMiB, 4);  // another stream uses what was given back
  CHECK(device.used == 80 * kMiB);
  Block* t = a.allocate(15 * kMiB, 0);  // in the hole again
  CHECK(t->data == p->data + 20 * kMiB);
  Block* small = nullptr;
  CHECK_THROWS_AS(small = a.allocate(1000, 0), OutOfMemory);
  a.release(s);
  CHECK_NOTHROW(small = a.allocate(1000, 0));
  CHECK(a.stats().retries == 2);
  device.busy = true;
  a.release(r);
  a.empty_cache();  // cannot be waited for
  device.busy = false;
  Block* again = a.allocate(25 * kMiB, 0);
  CHECK((again->data == p->data + 35 * kMiB));  // behind t, over the end of what q was
  for (Block* b : {p, t, small, again}) a.release(b);
  a.empty_cache();
  CHECK(device.used == 0);
  CHECK(a.stats().reserved_bytes == 0);
}

TEST_CASE("a device whose segments do not grow gets the other kind", "[cuda][allocator]") {
  FakeDevice device(100 * kMiB);
  CachingAllocator a(device, "cuda:0");
  a.use_growing_segments(true);
  Block* x = a.allocate(30 * kMiB, 0);
  CHECK(device.segments.size() == 1);
  a.release(x), a.empty_cache();
  CHECK(device.used == 0);
}

TEST_CASE("random requests never overlap and leave nothing behind", "[cuda][allocator]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  FakeDevice device(200 * kMiB);
  CachingAllocator a(device, "cuda:0");
  device.grows = GENERATE(false, true);
  a.use_growing_segments(true);
  std::map<char*, std::pair<std::size_t, Block*>> used;
  int refused = 0;
  for (int step = 0; step < 20000; ++step) {
    if (used.empty() || random() % 100 < 52) {
      const int kind = static_cast<int>(random() % 10);
      const std::size_t bytes = kind < 7 ? random() % (64 << 10) + 1 : kind < 9 ? random() % (4 * kMiB) + 1 : random() % (30 * kMiB) + 1;
      try {
        Block* b = a.allocate(bytes, static_cast<int>(random() % 3));
        REQUIRE(b->bytes >= bytes);
        REQUIRE(reinterpret_cast<std::uintptr_t>(b->data) % 512 == 0);
        const auto next = used.lower_bound(b->data);
        if (next != used.end()) REQUIRE(b->data + b->bytes <= next->first);
        if (next != used.begin()) REQUIRE(std::prev(next)->first + std::prev(next)->second.first <= b->data);
        REQUIRE(device.holds(b));
        used[b->data] = {b->bytes, b};
      } catch (const OutOfMemory&) {
        ++refused;
        for (int i = 0; i < 20 && !used.empty(); ++i) a.release(used.begin()->second.second), used.erase(used.begin());
      }
    } else {
      auto at = used.begin();
      std::advance(at, static_cast<long>(random() % used.size()));
      if (random() % 200 == 0) a.empty_cache();
      if (random() % 10 == 0) a.record_stream(at->second.second, static_cast<int>(random() % 3));
      a.release(at->second.second);
      used.erase(at);
      device.finished = device.recorded.size() - device.recorded.size() % 5;
    }
  }
  CHECK(refused > 0);
  for (const auto& [data, entry] : used) a.release(entry.second);
  CHECK(a.stats().allocated_bytes == 0);
  a.empty_cache();
  CHECK(device.used == 0);
  CHECK(device.destroyed == static_cast<int>(device.recorded.size()));
}
