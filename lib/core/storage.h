// Bytes on one device, shared by every view of them.
#pragma once

#include <cstring>
#include <functional>
#include <new>

#include "lib/core/memory_pool.h"
#include "lib/core/ref.h"

namespace rill {

struct Storage : Counted {
  std::atomic<std::uint32_t> version{0};  // raised by each in-place write
  std::byte* data = nullptr;
  std::size_t bytes = 0;
  Device device;
  std::function<void()>* deleter = nullptr;  // foreign memory only

  /// Header and data in one pooled block; data is 64-byte aligned. Contents are undefined (NaN / -1 in builds that poison memory).
  static Ref<Storage> allocate(std::size_t bytes, Device device) {
    if (!device.is_cpu()) [[unlikely]] throw_no_memory_on(device);
    auto* block = static_cast<std::byte*>(pool::allocate(kHeader + bytes));
    auto* s = new (block) Storage;
    s->data = block + kHeader;
    s->bytes = bytes;
#ifdef RILL_POISON_MEMORY
    std::memset(s->data, 0xff, bytes);
#endif
    return Ref<Storage>::adopt(s);
  }
  /// Borrowed memory; `deleter` (may be empty) runs when the last view is gone.
  static Ref<Storage> borrow(void* data, std::size_t bytes, Device device, std::function<void()> deleter);
  static void destroy(Storage* s) noexcept {
    if (s->deleter) [[unlikely]] return destroy_borrowed(s);
    pool::release(s, kHeader + s->bytes);
  }

 private:
  static constexpr std::size_t kHeader = 64;  // data follows the header
  [[noreturn]] static void throw_no_memory_on(Device device);
  static void destroy_borrowed(Storage* s) noexcept;
};
static_assert(sizeof(Storage) <= 64);

}  // namespace rill
