#include "lib/core/storage.h"

#include <cstring>
#include <new>

#include "lib/core/check.h"
#include "lib/core/memory_pool.h"

namespace rill {
namespace {
constexpr std::size_t kHeader = 64;  // data follows the header, still 64-byte aligned
}

Ref<Storage> Storage::allocate(std::size_t bytes, Device device) {
  check<DeviceError>(device.is_cpu(), "allocate", "this build of rill has no backend for {}; use Device::cpu()", device);
  auto* block = static_cast<std::byte*>(pool::allocate(kHeader + bytes));
  auto* s = new (block) Storage;
  s->data = block + kHeader;
  s->bytes = bytes;
#ifdef RILL_POISON_MEMORY
  std::memset(s->data, 0xff, bytes);  // NaN as floating point, -1 as integer: whoever reads it is seen
#endif
  return Ref<Storage>::adopt(s);
}

Ref<Storage> Storage::borrow(void* data, std::size_t bytes, Device device, std::function<void()> deleter) {
  auto* s = new (pool::allocate(kHeader)) Storage;
  auto ref = Ref<Storage>::adopt(s);
  s->data = static_cast<std::byte*>(data);
  s->bytes = bytes;
  s->device = device;
  s->deleter = new std::function<void()>(std::move(deleter));
  return ref;
}

void Storage::destroy(Storage* s) noexcept {
  std::size_t block = kHeader + s->bytes;
  if (s->deleter) {
    if (*s->deleter) (*s->deleter)();
    delete s->deleter;
    block = kHeader;
  }
  s->~Storage();
  pool::release(s, block);
}

}  // namespace rill
