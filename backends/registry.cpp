// The one file that knows which backends were built.
#include <atomic>

#include "backends/api/backend.h"
#include "backends/api/device_backend.h"
#include "lib/core/op_range.h"
#ifdef RILL_WITH_CUDA
#include "backends/cuda/backend.h"
#endif

namespace rill {
namespace {
constinit std::atomic<DeviceBackend*> g_replacement{nullptr};
}

void replace_cuda_backend(DeviceBackend* backend) noexcept { g_replacement = backend; }

DeviceBackend* cuda_backend() noexcept {
  if (DeviceBackend* b = g_replacement.load(std::memory_order_relaxed)) return b;
#ifdef RILL_WITH_CUDA
  return &cuda::backend();
#else
  return nullptr;
#endif
}

std::string why_no_cuda() {
  DeviceBackend* b = cuda_backend();
  if (!b) return "this build of rill has no CUDA backend; configure it with -DRILL_CUDA=ON";
  return b->device_count() ? "" : b->why_none();
}

DeviceBackend& backend_of(const char* op, Device device) {
  DeviceBackend* b = cuda_backend();
  const int count = b ? b->device_count() : 0;
  check<DeviceError>(count > 0, op, "{} cannot be used: {}, or use Device::cpu()", device, why_no_cuda());
  check<DeviceError>(device.index() >= 0 && device.index() < count, op, "{} cannot be used: there are {} CUDA devices, so indices go from 0 to {}", device, count, count - 1);
  profiler::remember_names();
  return *b;
}

const Kernels& device_kernels(Device device) { return backend_of("kernels", device).kernels(device.index()); }

void throw_devices_differ(const char* op, const Tensor& a, const Tensor& b) {
  fail<DeviceError>(op, "tensors live on {} and {}; move one with .to(Device)", impl(a).device, impl(b).device);
}

void copy_between(const Tensor& from, const Tensor& to) {
  const auto &x = impl(from), &y = impl(to);
  const std::size_t bytes = static_cast<std::size_t>(x.numel) * size_of(x.dtype);
  if (bytes) backend_of("copy", x.device.is_cpu() ? y.device : x.device).copy(y.data, y.device, x.data, x.device, bytes);
}

// ---- storage on a device ----------------------------------------------------------------------------------------------------------

namespace {
struct DeviceStorage : Storage {
  void* handle = nullptr;
};
}  // namespace

Ref<Storage> Storage::allocate_on_device(std::size_t bytes, Device device) {
  static_assert(sizeof(DeviceStorage) <= kHeader);
  DeviceBackend& backend = backend_of("device", device);
  auto* s = new (pool::allocate(kHeader)) DeviceStorage;
  s->deleter = on_device();
  s->device = device;
  auto ref = Ref<Storage>::adopt(s);
  if (bytes) {
    const DeviceMemory memory = backend.allocate(device.index(), bytes);
    s->data = static_cast<std::byte*>(memory.data);
    s->handle = memory.handle;
    s->bytes = bytes;
  }
  return ref;
}
void Storage::release_on_device(Storage* s) noexcept {
  if (void* handle = static_cast<DeviceStorage*>(s)->handle) cuda_backend()->release(s->device.index(), handle);
}
void* device_memory_of(const Storage& s) noexcept { return s.deleter == Storage::on_device() ? static_cast<const DeviceStorage&>(s).handle : nullptr; }

}  // namespace rill
