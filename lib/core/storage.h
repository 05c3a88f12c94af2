// Bytes on one device, shared by every view of them.
#pragma once

#include <functional>

#include "lib/core/ref.h"

namespace rill {

struct Storage : Counted {
  std::atomic<std::uint32_t> version{0};  // raised by each in-place write
  std::byte* data = nullptr;
  std::size_t bytes = 0;
  Device device;
  std::function<void()>* deleter = nullptr;  // foreign memory only

  /// Header and data in one pooled block; data is 64-byte aligned. Contents are undefined (NaN / 0x5A pattern in test builds).
  static Ref<Storage> allocate(std::size_t bytes, Device device);
  /// Borrowed memory; `deleter` (may be empty) runs when the last view is gone.
  static Ref<Storage> borrow(void* data, std::size_t bytes, Device device, std::function<void()> deleter);
  static void destroy(Storage* s) noexcept;
};
static_assert(sizeof(Storage) <= 64);

}  // namespace rill
