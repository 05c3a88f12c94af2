#include "backends/cuda/runtime.h"

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

#define RILL_GPU cuda
#include "backends/cuda/kernels/runtime.h"
#include "backends/cuda/virtual_memory.h"
#include "lib/core/capture.h"
#include "lib/core/check.h"
#include "lib/core/op_range.h"

namespace rill::cuda {
namespace {

constexpr int kMaxDevices = 64;

// Note [Which op failed]: a kernel's error shows at some later call. Every launch leaves the name of its op in a ring for its device,
// which is emptied when the device is known to have come through; the error then names the ops that it can have come from. In blocking
// mode that is one.
struct Launches {
  static constexpr unsigned kKept = 16;
  std::array<std::atomic<const char*>, kKept> ops{};
  std::atomic<unsigned> count{0};
  void add(const char* op) noexcept {
    const unsigned at = count.fetch_add(1, std::memory_order_relaxed);
    ops[at % kKept].store(op, std::memory_order_relaxed);
  }
  std::string names() const {
    const unsigned n = count.load(), from = n > kKept ? n - kKept : 0;
    std::string s, last;
    for (unsigned i = from; i < n; ++i) {
      const char* op = ops[i % kKept].load();
      if (!op || !*op || last == op) continue;
      s += (s.empty() ? "" : ", ") + std::string(op);
      last = op;
    }
    return s.empty() ? "unknown" : s;
  }
};
Launches g_launches[kMaxDevices];

std::atomic<bool> g_blocking{[] {
  const char* wish = std::getenv("RILL_CUDA_BLOCKING");
  return wish && *wish && std::strcmp(wish, "0") != 0;
}()};

struct ThreadDevices {
  int device = -1;  // none chosen yet
  int stream[kMaxDevices] = {};
  int captures_on = -1, pool = -1;  // the device and its memory pool
};
constinit thread_local ThreadDevices t_devices;

/// Errors after which a context can do nothing any more.
bool is_fatal(cudaError_t status) {
  switch (status) {
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchFailure:
    case cudaErrorLaunchTimeout:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorAssert:
    case cudaErrorECCUncorrectable: return true;
    default: return false;
  }
}

}  // namespace

void check_runtime(cudaError_t status, const char* what) {
  if (status == cudaSuccess) [[likely]] return;
  (void)cudaGetLastError();  // what can be cleared is
  const int device = std::max(t_devices.device, 0);
  const char* op = profiler::current_op();
  if (!*op) op = what;
  if (is_fatal(status)) {
    if (blocking_mode()) fail<DeviceLost>(op, "cuda:{} failed: {}; its memory is lost, start the program anew", device, cudaGetErrorString(status));
    fail<DeviceLost>(what, "cuda:{} failed: {}; it was one of the ops launched since the device was last known to be well: {}; run with RILL_CUDA_BLOCKING=1 to see which", device,
                     cudaGetErrorString(status), g_launches[device].names());
  }
  if (status == cudaErrorMemoryAllocation) fail<OutOfMemory>(op, "{}: no memory is left on cuda:{}; use smaller tensors or release some", what, device);
  fail<Error>(op, "{} on cuda:{}: {}", what, device, cudaGetErrorString(status));
}

void remember_launch(int device) noexcept { g_launches[device].add(profiler::current_op()); }
void mark_well(int device) noexcept { g_launches[device].count.store(0, std::memory_order_relaxed); }
void set_blocking_mode(bool on) noexcept { g_blocking = on; }
bool blocking_mode() noexcept { return g_blocking.load(std::memory_order_relaxed); }

// ---- devices and streams ----------------------------------------------------------------------------------------------------------

std::string why_no_device(cudaError_t status, int driver_version) {
  if (status == cudaErrorInsufficientDriver && driver_version == 0) return "no NVIDIA driver is installed; install one for CUDA 13";
  if (status == cudaErrorInsufficientDriver)
    return fmt::format("the NVIDIA driver is for CUDA {}.{}, rill was built with CUDA {}.{}; update the driver", driver_version / 1000, driver_version % 1000 / 10, CUDART_VERSION / 1000,
                       CUDART_VERSION % 1000 / 10);
  if (status == cudaErrorNoDevice || status == cudaSuccess) return "the NVIDIA driver shows no device; check nvidia-smi and CUDA_VISIBLE_DEVICES";
  return fmt::format("the NVIDIA driver does not start ({}); check nvidia-smi", cudaGetErrorString(status));
}
int count_devices(std::string& why) noexcept {
  int count = 0, driver = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess && count > 0) return std::min(count, kMaxDevices);
  (void)cudaGetLastError();
  (void)cudaDriverGetVersion(&driver);
  why = why_no_device(status, driver);
  return 0;
}

int current_device() noexcept { return std::max(t_devices.device, 0); }
void use_device(int device) {
  if (t_devices.device == device) [[likely]] return;
  check_runtime(cudaSetDevice(device), "cudaSetDevice");
  t_devices.device = device;
}

namespace {
/// The calling thread works on a device for the time of a scope.
class DeviceScope {
 public:
  explicit DeviceScope(int device) : before_(t_devices.device) { use_device(device); }
  ~DeviceScope() {
    if (before_ >= 0 && before_ != t_devices.device && cudaSetDevice(before_) == cudaSuccess) t_devices.device = before_;
  }
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

 private:
  int before_;
};

std::mutex g_streams_mutex;
std::atomic<cudaStream_t> g_streams[kMaxDevices][kStreams + 1];
}  // namespace

cudaStream_t stream_of(int device, int index) {
  if (index == 0) return nullptr;
  if (cudaStream_t s = g_streams[device][index].load(std::memory_order_acquire)) [[likely]] return s;
  const std::lock_guard lock(g_streams_mutex);
  cudaStream_t s = g_streams[device][index].load();
  if (s) return s;
  const DeviceScope scope(device);
  check_runtime(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking), "cudaStreamCreate");
  g_streams[device][index].store(s, std::memory_order_release);
  return s;
}
int current_stream_index(int device) noexcept { return t_devices.stream[device]; }
void set_current_stream_index(int device, int index) noexcept { t_devices.stream[device] = index; }
int allocation_order(int device) noexcept { return t_devices.captures_on == device ? t_devices.pool : t_devices.stream[device]; }
void set_capture_pool(int device, int pool) noexcept { t_devices.captures_on = pool < 0 ? -1 : device, t_devices.pool = pool; }

// ---- memory -----------------------------------------------------------------------------------------------------------------------

namespace {
/// Lets a capturing thread ask for memory; what it gets is no part of the graph.
class Relaxed {
 public:
  Relaxed() { (void)cudaThreadExchangeStreamCaptureMode(&mode_); }
  ~Relaxed() { (void)cudaThreadExchangeStreamCaptureMode(&mode_); }
  Relaxed(const Relaxed&) = delete;
  Relaxed& operator=(const Relaxed&) = delete;

 private:
  cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;
};
class RuntimeMemory final : public RawMemory {
 public:
  explicit RuntimeMemory(int device) : device_(device) {}
  void* allocate(std::size_t bytes) override {
    const DeviceScope scope(device_);
    const Relaxed here;
    void* data = nullptr;
    const cudaError_t status = cudaMalloc(&data, bytes);
    if (status == cudaErrorMemoryAllocation) return (void)cudaGetLastError(), nullptr;
    check_runtime(status, "cudaMalloc");
    return data;
  }
  void release(void* data) noexcept override {
    const Relaxed here;
    (void)cudaFree(data);
  }
  void* reserve() override { return virtual_memory::reserve(reservation()); }
  std::size_t reservation() noexcept override {  // with room for what rounding leaves over
    std::size_t free = 0, total = 0;
    return cudaMemGetInfo(&free, &total) == cudaSuccess ? (total + total / 8) >> 25 << 25 : 0;
  }
  bool map(void* data, std::size_t bytes, std::size_t granule) override {
    const DeviceScope scope(device_);
    const Relaxed here;
    return virtual_memory::map(device_, data, bytes, granule);
  }
  bool unmap(void* data, std::size_t bytes) noexcept override {
    if (current_capture || cudaDeviceSynchronize() != cudaSuccess) return false;
    return virtual_memory::unmap(data, bytes), true;
  }
  std::size_t free_bytes() noexcept override {
    std::size_t free = 0, total = 0;
    return cudaMemGetInfo(&free, &total) == cudaSuccess ? free : 0;
  }
  void* record_event(int stream) override {
    const DeviceScope scope(device_);
    const Relaxed here;
    cudaEvent_t event = nullptr;
    check_runtime(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreate");
    check_runtime(cudaEventRecord(event, stream_of(device_, stream)), "cudaEventRecord");
    return event;
  }
  bool query_event(void* event) noexcept override {
    const Relaxed here;
    const bool done = cudaEventQuery(static_cast<cudaEvent_t>(event)) != cudaErrorNotReady;
    (void)cudaGetLastError();
    return done;
  }
  void wait_event(void* event) noexcept override {
    const Relaxed here;
    (void)cudaEventSynchronize(static_cast<cudaEvent_t>(event));
  }
  void destroy_event(void* event) noexcept override { (void)cudaEventDestroy(static_cast<cudaEvent_t>(event)); }

 private:
  int device_;
};
struct DeviceMemoryPool {
  explicit DeviceMemoryPool(int device) : raw(device), allocator(raw, to_string(Device::cuda(device))) {}
  RuntimeMemory raw;
  CachingAllocator allocator;
};
std::mutex g_pools_mutex;
std::atomic<DeviceMemoryPool*> g_pools[kMaxDevices];
}  // namespace

CachingAllocator& allocator_of(int device) {
  if (DeviceMemoryPool* pool = g_pools[device].load(std::memory_order_acquire)) [[likely]] return pool->allocator;
  const std::lock_guard lock(g_pools_mutex);
  DeviceMemoryPool* pool = g_pools[device].load();
  if (!pool) g_pools[device].store(pool = new DeviceMemoryPool(device), std::memory_order_release);  // never destroyed: tensors may outlive static destructors
  return pool->allocator;
}

// ---- what kernels ask for (kernels/runtime.h) --------------------------------------------------------------------------------------

void* stream() {
  const int device = current_device();
  return stream_of(device, t_devices.stream[device]);
}
void launched() {
  const int device = current_device();
  remember_launch(device);
  check_runtime(cudaGetLastError(), "launch");
  if (blocking_mode() && !current_capture) {
    check_runtime(cudaStreamSynchronize(static_cast<cudaStream_t>(stream())), "launch");
    mark_well(device);
  }
}
bool capturing() { return current_capture != nullptr; }
void copy_to_host(void* to, const void* from, std::int64_t bytes) {
  check_not_captured("a copy to the host");
  const auto s = static_cast<cudaStream_t>(stream());
  check_runtime(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToHost, s), "copy");
  check_runtime(cudaStreamSynchronize(s), "copy");
}
void copy_to_device(void* to, const void* from, std::int64_t bytes) {
  if (bytes <= kMostUploaded || current_capture) return upload(to, from, bytes);
  const auto s = static_cast<cudaStream_t>(stream());
  check_runtime(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyHostToDevice, s), "copy");
  check_runtime(cudaStreamSynchronize(s), "copy");
}
void copy_on_device(void* to, const void* from, std::int64_t bytes) {
  check_runtime(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToDevice, static_cast<cudaStream_t>(stream())), "copy");
  launched();
}
void clear(void* data, std::int64_t bytes) {
  check_runtime(cudaMemsetAsync(data, 0, static_cast<std::size_t>(bytes), static_cast<cudaStream_t>(stream())), "clear");
  launched();
}
Scratch::Scratch(std::int64_t bytes) : device_(current_device()) {
  if (bytes == 0) return;
  CachingAllocator::Block* block = allocator_of(device_).allocate(static_cast<std::size_t>(bytes), allocation_order(device_));
  data_ = block->data, handle_ = block;
}
Scratch::~Scratch() {
  if (handle_) allocator_of(device_).release(static_cast<CachingAllocator::Block*>(handle_));
}

}  // namespace rill::cuda
