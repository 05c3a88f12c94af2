#include "lib/core/storage.h"

#include "lib/core/check.h"

namespace rill {

void Storage::throw_no_memory_on(Device device) {
  fail<DeviceError>("allocate", "this build of rill has no backend for {}; use Device::cpu()", device);
}

Ref<Storage> Storage::borrow(void* data, std::size_t bytes, Device device, std::function<void()> deleter) {
  auto* s = new (pool::allocate(kHeader)) Storage;
  auto ref = Ref<Storage>::adopt(s);
  s->deleter = new std::function<void()>(std::move(deleter));
  s->data = static_cast<std::byte*>(data);
  s->bytes = bytes;
  s->device = device;
  return ref;
}

void Storage::destroy_borrowed(Storage* s) noexcept {
  if (*s->deleter) (*s->deleter)();
  delete s->deleter;
  pool::release(s, kHeader);
}

}  // namespace rill
