// What the host side of kernels may ask for: backends/cuda/runtime.cpp answers, or the emulation in test/cuda.
#pragma once

#include <cstdint>

#ifndef RILL_GPU  // the namespace of kernels: nvcc's are for devices, another compiler's for the emulation
#ifdef __CUDACC__
#define RILL_GPU cuda
#else
#define RILL_GPU emulated
#endif
#endif

namespace rill::RILL_GPU {

/// The current stream of the device that the calling thread works on, a cudaStream_t.
void* stream();
/// To be called after every launch: throws when it failed; waits in blocking mode.
void launched();
/// True while the calling thread captures: launches are recorded, and the host cannot read what they compute.
bool capturing();
/// Copies between host memory and the device, in stream order; returns when the host memory may be used. `copy_to_host` throws in a capture.
void copy_to_host(void* to, const void* from, std::int64_t bytes);
void copy_to_device(void* to, const void* from, std::int64_t bytes);
/// The same without waiting: the bytes travel in the parameters of launches, and so stay what they are in a captured step (copy.cu).
void upload(void* to, const void* from, std::int64_t bytes);
inline constexpr std::int64_t kMostUploaded = 16 << 10;  // above that, a copy that waits is faster outside of a capture
/// Copies or clears device memory in stream order.
void copy_on_device(void* to, const void* from, std::int64_t bytes);
void clear(void* data, std::int64_t bytes);
/// order[i]: the place of the i-th smallest of n keys, compared without sign; equal ones stay in their order. sorted[i]: that key.
void sort_keys(const std::int64_t* keys, std::int64_t n, std::int64_t* sorted, std::int64_t* order);

/// Device memory for the time of a scope, in stream order; null for 0 bytes.
class Scratch {
 public:
  explicit Scratch(std::int64_t bytes);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  template <class T> T* as() const { return static_cast<T*>(data_); }

 private:
  void *data_ = nullptr, *handle_ = nullptr;
  int device_ = 0;
};

}  // namespace rill::RILL_GPU
