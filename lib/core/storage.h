// Bytes on one device, shared by every view of them.
#pragma once

#include <cstring>
#include <functional>
#include <new>

#ifdef RILL_SYSTEM_POOL
#include <sanitizer/asan_interface.h>
#endif

#include "lib/core/memory_pool.h"
#include "lib/core/ref.h"

namespace rill {

struct Storage : Counted {
  std::atomic<std::uint32_t> version{0};  // raised by each in-place write
  std::byte* data = nullptr;
  std::size_t bytes = 0;
  Device device;
  std::function<void()>* deleter = nullptr;  // memory that is not from the pool: foreign, or on a device (`on_device`)

  /// Header and data in one pooled block; data is 64-byte aligned. Contents are undefined (NaN / -1 in builds that poison memory).
  static Ref<Storage> allocate(std::size_t bytes, Device device) {
    if (!device.is_cpu()) [[unlikely]] return allocate_on_device(bytes, device);
    auto* block = static_cast<std::byte*>(pool::allocate(kHeader + bytes));
    auto* s = new (block) Storage;
    s->data = block + kHeader;
    s->bytes = bytes;
#ifdef RILL_SYSTEM_POOL
    ASAN_POISON_MEMORY_REGION(block + sizeof(Storage), kHeader - sizeof(Storage));  // reads before the first element
#endif
#ifdef RILL_POISON_MEMORY
    std::memset(s->data, 0xff, bytes);
#endif
    return Ref<Storage>::adopt(s);
  }
  /// Borrowed memory; `deleter` (may be empty) runs when the last view is gone.
  static Ref<Storage> borrow(void* data, std::size_t bytes, Device device, std::function<void()> deleter);
  static void destroy(Storage* s) noexcept {
    if (s->deleter) [[unlikely]] return destroy_other(s);
    pool::release(s, kHeader + s->bytes);
  }
  /// The deleter of device memory; only its address matters.
  static std::function<void()>* on_device() noexcept;

 private:
#ifdef RILL_SYSTEM_POOL
  static constexpr std::size_t kHeader = 128;
#else
  static constexpr std::size_t kHeader = 64;  // data follows the header
#endif
  [[gnu::cold]] static Ref<Storage> allocate_on_device(std::size_t bytes, Device device);  // backends/registry.cpp
  static void release_on_device(Storage* s) noexcept;                                     // backends/registry.cpp
  static void destroy_other(Storage* s) noexcept;
};
static_assert(sizeof(Storage) <= 64);

}  // namespace rill
