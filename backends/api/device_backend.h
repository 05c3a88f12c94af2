// What a kind of device besides the CPU provides. One object per kind; the registry knows which there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rill/core/device.h>
#include <rill/core/dtype.h>
#include <rill/cuda/memory.h>

namespace rill {

struct Kernels;

/// Memory that a backend has handed out; `handle` finds it again.
struct DeviceMemory {
  void* data = nullptr;
  void* handle = nullptr;
};

/// A sum of dense tensors on different devices, after which each of them holds it.
struct DeviceSum {
  Dtype dtype;
  std::int64_t numel;
  std::vector<std::pair<int, void*>> parts;  // device and data
};

/// Indices of devices and streams are checked by the callers. Stream 0 of a device is the one that every thread starts on.
class DeviceBackend {
 public:
  virtual ~DeviceBackend() = default;

  virtual int device_count() noexcept = 0;
  /// Why device_count() is 0: "no NVIDIA driver is installed", ...
  virtual std::string why_none() = 0;
  /// The kernel table. What the calling thread runs from it until the next call goes to the current stream of that device.
  virtual const Kernels& kernels(int device) = 0;

  /// Aligned to 256 bytes, in the order of the current stream. Throws OutOfMemory.
  virtual DeviceMemory allocate(int device, std::size_t bytes) = 0;
  virtual void release(int device, void* handle) noexcept = 0;
  virtual void record_stream(int device, void* handle, int stream) = 0;
  virtual cuda::MemoryStats memory_stats(int device) = 0;
  virtual void reset_peak_memory(int device) = 0;
  virtual void empty_cache(int device) = 0;
  virtual void use_growing_segments(int device, bool on) = 0;
  virtual void* allocate_pinned(std::size_t bytes) = 0;
  virtual void release_pinned(void* data) noexcept = 0;

  /// In the order of the current streams of both devices. Returns when host memory that is read may change and host memory that is
  /// written is complete.
  virtual void copy(void* to, Device to_device, const void* from, Device from_device, std::size_t bytes) = 0;
  virtual void synchronize(int device) = 0;
  virtual void set_blocking(bool on) noexcept = 0;
  virtual bool is_blocking() noexcept = 0;

  virtual int next_stream(int device) = 0;
  virtual int current_stream(int device) = 0;
  virtual void set_current_stream(int device, int stream) = 0;
  virtual void synchronize_stream(int device, int stream) = 0;
  virtual bool query_stream(int device, int stream) = 0;
  virtual void* native_stream(int device, int stream) = 0;
  virtual void stream_wait(int device, int stream, void* event) = 0;
  virtual void* make_event(int device) = 0;
  virtual void destroy_event(int device, void* event) noexcept = 0;
  virtual void record_event(int device, void* event, int stream) = 0;
  virtual bool query_event(int device, void* event) = 0;
  virtual void synchronize_event(int device, void* event) = 0;
  virtual double elapsed_time(void* begin, void* end) = 0;

  /// From now on the work of the calling thread on the current stream, which is not stream 0, is recorded. What it allocates on the device
  /// comes from memory of the graph's own.
  virtual void begin_capture(int device) = 0;
  /// While a thread captures: memory that no other work of the graph uses, so that it can be filled before a launch.
  virtual DeviceMemory allocate_apart(int device, std::size_t bytes) = 0;
  /// A graph to launch any number of times, on the current stream.
  virtual void* end_capture(int device) = 0;
  /// Ends a capture whose work is given up.
  virtual void abort_capture(int device) noexcept = 0;
  virtual void launch_graph(int device, void* graph) = 0;
  /// Its memory is given back as far as no tensor uses it.
  virtual void destroy_graph(int device, void* graph) noexcept = 0;
  /// Copies host memory in the order of the current stream and returns at once; `from` may change then.
  virtual void upload(int device, void* to, const void* from, std::size_t bytes) = 0;
  /// In the order of the current streams of the devices. False: there is no library for it, and nothing was done.
  virtual bool sum(std::span<const DeviceSum> sums) = 0;
};

/// The backend of CUDA devices; null in a build without one.
DeviceBackend* cuda_backend() noexcept;
/// Tests put an emulation in its place; null restores it.
void replace_cuda_backend(DeviceBackend* backend) noexcept;
/// The backend of a device that can be used; throws DeviceError otherwise.
DeviceBackend& backend_of(const char* op, Device device);
/// Why no CUDA device can be used; empty when one can.
std::string why_no_cuda();

}  // namespace rill
