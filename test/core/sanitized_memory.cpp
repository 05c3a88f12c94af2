// In builds for the address sanitizer the pool hides nothing from it: a block ends where it was asked to end, and is gone when it is released.
#include "lib/core/storage.h"

#include "test/support/catch.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer) && defined(RILL_SYSTEM_POOL)

using namespace rill;

TEST_CASE("reads before and behind a tensor, and after its release, are seen", "[core][memory]") {
  for (const std::size_t bytes : {1, 8, 60, 64, 100, 1000, 4096, 65472, 70000, 1 << 20}) {
    INFO(bytes << " bytes");
    auto storage = Storage::allocate(bytes, {});
    std::byte* const data = storage->data;
    CHECK(reinterpret_cast<std::uintptr_t>(data) % 64 == 0);
    CHECK(!__asan_region_is_poisoned(data, bytes));
    CHECK(__asan_address_is_poisoned(data - 1));
    CHECK(__asan_address_is_poisoned(data + bytes));
    storage = {};
    CHECK(__asan_region_is_poisoned(data, bytes) == data);
  }
}

#endif
#endif
