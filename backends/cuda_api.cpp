// The public interface of CUDA devices over the backend that was built.
#include <rill/cuda/device.h>
#include <rill/cuda/memory.h>
#include <rill/cuda/stream.h>

#include "backends/api/backend.h"
#include "backends/api/device_backend.h"
#include "lib/core/checked.h"

namespace rill::cuda {

namespace {
DeviceBackend& backend_for(const char* op, Device device) {
  check<DeviceError>(!device.is_cpu(), op, "{} is no CUDA device; use Device::cuda()", device);
  return backend_of(op, device);
}
}  // namespace

// ---- devices ----------------------------------------------------------------------------------------------------------------------

int device_count() noexcept {
  DeviceBackend* b = cuda_backend();
  return b ? b->device_count() : 0;
}
bool is_available() noexcept { return device_count() > 0; }
std::string why_unavailable() { return why_no_cuda(); }
void synchronize(Device device) { backend_for("synchronize", device).synchronize(device.index()); }
void set_blocking(bool on) noexcept {
  if (DeviceBackend* b = cuda_backend()) b->set_blocking(on);
}
bool is_blocking() noexcept {
  DeviceBackend* b = cuda_backend();
  return b && b->is_blocking();
}

namespace {
constinit std::atomic<bool> g_tf32{false}, g_nondeterministic{false}, g_benchmark{false};
}
void allow_tf32(bool on) noexcept { g_tf32 = on; }
bool tf32_allowed() noexcept { return g_tf32.load(std::memory_order_relaxed); }
void allow_nondeterministic(bool on) noexcept { g_nondeterministic = on; }
bool nondeterministic_allowed() noexcept { return g_nondeterministic.load(std::memory_order_relaxed); }
void set_benchmark(bool on) noexcept { g_benchmark = on; }
bool benchmark() noexcept { return g_benchmark.load(std::memory_order_relaxed); }

// ---- memory -----------------------------------------------------------------------------------------------------------------------

MemoryStats memory_stats(Device device) { return backend_for("memory_stats", device).memory_stats(device.index()); }
void reset_peak_memory(Device device) { backend_for("reset_peak_memory", device).reset_peak_memory(device.index()); }
void empty_cache(Device device) { backend_for("empty_cache", device).empty_cache(device.index()); }
void use_growing_segments(bool on, Device device) { backend_for("use_growing_segments", device).use_growing_segments(device.index(), on); }
void record_stream(const Tensor& x, const Stream& stream) {
  check_defined("record_stream", x);
  check<DeviceError>(x.device() == stream.device(), "record_stream", "{} and the stream of {} do not belong together", describe(x), stream.device());
  if (void* handle = device_memory_of(*impl(x).storage)) backend_for("record_stream", x.device()).record_stream(x.device().index(), handle, stream.index());
}
Tensor pin_memory(const Tensor& x) {
  check_defined("pin_memory", x);
  check<DeviceError>(x.device().is_cpu(), "pin_memory", "{} is not in host memory; copy it with .to(Device::cpu()) first", describe(x));
  DeviceBackend& backend = backend_for("pin_memory", Device::cuda());
  const std::size_t bytes = x.nbytes();
  void* data = backend.allocate_pinned(bytes);
  Tensor t = adopt(new TensorImpl);
  auto& i = impl(t);
  i.storage = Storage::borrow(data, bytes, Device::cpu(), [&backend, data] { backend.release_pinned(data); });
  i.dtype = x.dtype(), i.numel = x.numel(), i.data = static_cast<std::byte*>(data), i.shape = x.shape(), i.strides = row_major_strides(x.shape());
  cpu_kernels().copy(view(x), view(t));
  return t;
}

// ---- streams ----------------------------------------------------------------------------------------------------------------------

Stream::Stream(Device device) : device_(device), index_(backend_for("Stream", device).next_stream(device.index())) {}
Stream Stream::current(Device device) { return {device, backend_for("Stream", device).current_stream(device.index())}; }
void Stream::synchronize() const { backend_for("Stream", device_).synchronize_stream(device_.index(), index_); }
bool Stream::query() const { return backend_for("Stream", device_).query_stream(device_.index(), index_); }
void* Stream::native() const { return backend_for("Stream", device_).native_stream(device_.index(), index_); }
void Stream::wait(const Event& event) const { backend_for("Stream", device_).stream_wait(device_.index(), index_, event.handle_.get()); }

StreamGuard::StreamGuard(const Stream& stream) : before_(Stream::current(stream.device())) {
  backend_for("StreamGuard", stream.device()).set_current_stream(stream.device().index(), stream.index());
}
StreamGuard::~StreamGuard() { cuda_backend()->set_current_stream(before_.device().index(), before_.index()); }

Event::Event(Device device) : device_(device) {
  DeviceBackend& b = backend_for("Event", device);
  handle_ = std::shared_ptr<void>(b.make_event(device.index()), [&b, index = device.index()](void* event) { b.destroy_event(index, event); });
}
void Event::record(const Stream& stream) {
  check<DeviceError>(stream.device() == device_, "Event", "an event of {} cannot be recorded on a stream of {}", device_, stream.device());
  backend_for("Event", device_).record_event(device_.index(), handle_.get(), stream.index());
}
bool Event::query() const { return backend_for("Event", device_).query_event(device_.index(), handle_.get()); }
void Event::synchronize() const { backend_for("Event", device_).synchronize_event(device_.index(), handle_.get()); }
double Event::elapsed_time(const Event& end) const {
  synchronize(), end.synchronize();
  return backend_for("Event", device_).elapsed_time(handle_.get(), end.handle_.get());
}

}  // namespace rill::cuda
