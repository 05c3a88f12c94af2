// Memory on CUDA devices: blocks are kept for reuse, one cache for each stream.
#pragma once

#include <cstdint>

#include <rill/core/tensor.h>
#include <rill/cuda/stream.h>

namespace rill::cuda {

struct MemoryStats {
  std::int64_t allocated_bytes = 0;  ///< in blocks in use
  std::int64_t peak_bytes = 0;       ///< largest allocated_bytes since the start or the last reset
  std::int64_t reserved_bytes = 0;   ///< taken from the device: in use or cached
  std::int64_t blocks = 0;           ///< in use
  std::int64_t device_calls = 0;     ///< requests to the device for memory since the start; constant in a steady state
  std::int64_t retries = 0;          ///< times that the cache was given back because the device had no memory left
};
MemoryStats memory_stats(Device device = Device::cuda());
void reset_peak_memory(Device device = Device::cuda());
/// Gives cached memory that no block uses back to the device.
void empty_cache(Device device = Device::cuda());

/// Lets the memory of streams lie in segments that grow instead of segments of fixed size, for allocations from now on: less is lost between
/// blocks when sizes vary from step to step. Other devices of the program cannot read such memory directly. Off at the start; where the driver has
/// no such thing, nothing changes.
void use_growing_segments(bool on, Device device = Device::cuda());

/// Tells that `stream` uses `x` although it was made on another one: its memory is not reused before the stream has come so far.
void record_stream(const Tensor& x, const Stream& stream);

/// A copy in host memory that the device reads and writes at full speed, and without making the host wait.
Tensor pin_memory(const Tensor& x);

}  // namespace rill::cuda
