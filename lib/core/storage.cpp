#include "lib/core/storage.h"

namespace rill {

std::function<void()>* Storage::on_device() noexcept {
  alignas(std::function<void()>) static std::byte place[sizeof(std::function<void()>)];
  return reinterpret_cast<std::function<void()>*>(place);
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

void Storage::destroy_other(Storage* s) noexcept {
  if (s->deleter == on_device()) {
    release_on_device(s);
    return pool::release(s, kHeader);
  }
  if (*s->deleter) (*s->deleter)();
  delete s->deleter;
  pool::release(s, kHeader);
}

}  // namespace rill
