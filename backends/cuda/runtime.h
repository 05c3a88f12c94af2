// The CUDA runtime as the host side of the backend uses it: devices and streams of threads, errors, memory.
#pragma once

#include <cuda_runtime_api.h>

#include <string>

#include "backends/cuda/caching_allocator.h"

namespace rill::cuda {

inline constexpr int kStreams = 32;  // for each device, besides the one that threads start on
inline constexpr int kApart = kStreams + 1;  // the order of memory that only launches of graphs use

/// Throws when a call of the runtime failed: OutOfMemory, DeviceLost for what a device does not recover from, Error for the rest.
void check_runtime(cudaError_t status, const char* what);

/// How many devices can be used; 0 and a sentence in `why` when there is none.
int count_devices(std::string& why) noexcept;
/// The sentence for a status of cudaGetDeviceCount.
std::string why_no_device(cudaError_t status, int driver_version);

/// The device that the calling thread's kernels run on, and making another one it.
int current_device() noexcept;
void use_device(int device);
/// Stream number `index` of a device; made at first use.
cudaStream_t stream_of(int device, int index);
int current_stream_index(int device) noexcept;
void set_current_stream_index(int device, int index) noexcept;

CachingAllocator& allocator_of(int device);
/// What the calling thread's allocations on the device are made for: its current stream, or the memory pool of the graph that it captures.
int allocation_order(int device) noexcept;
/// Sets that pool; -1: none. A thread captures on one device at a time.
void set_capture_pool(int device, int pool) noexcept;

void set_blocking_mode(bool on) noexcept;
bool blocking_mode() noexcept;
/// The op that runs has launched work on the device.
void remember_launch(int device) noexcept;
/// The work that was launched on the device so far is known to be well.
void mark_well(int device) noexcept;

}  // namespace rill::cuda
