// How ops reach kernels.
#pragma once

#include "backends/api/kernels.h"
#include "lib/core/check.h"
#include "lib/core/tensor_impl.h"

namespace rill {

const Kernels& make_cpu_kernels();  // backends/cpu/dispatch.cpp
inline constinit std::atomic<const Kernels*> g_cpu_kernels{nullptr};
/// The table of the CPU backend; filled at first use, constant afterwards.
[[gnu::always_inline]] inline const Kernels& cpu_kernels() {
  const Kernels* k = g_cpu_kernels.load(std::memory_order_acquire);
  return k ? *k : make_cpu_kernels();
}
/// The table of another device; what the calling thread runs from it goes to the current stream of that device (backends/registry.cpp).
[[gnu::cold]] const Kernels& device_kernels(Device device);

[[gnu::always_inline]] inline const Kernels& kernels(const Tensor& t) {
  if (!impl(t).device.is_cpu()) [[unlikely]] return device_kernels(impl(t).device);
  return cpu_kernels();
}
/// Copies the elements between devices: both tensors have one dtype and one dense layout.
void copy_between(const Tensor& from, const Tensor& to);
/// The handle of a backend's memory; null for other memory.
void* device_memory_of(const Storage& s) noexcept;

inline View view(const Tensor& t) {
  const auto& i = impl(t);
  return {i.data, i.dtype, i.shape.rank(), i.shape.data(), i.strides.data(), i.numel, i.contiguous};
}

/// Throws DeviceError when the tensors live on different devices.
[[noreturn]] void throw_devices_differ(const char* op, const Tensor& a, const Tensor& b);
[[gnu::always_inline]] inline void check_same_device(const char* op, const Tensor& a, const Tensor& b) {
  if (!(impl(a).device == impl(b).device)) [[unlikely]] throw_devices_differ(op, a, b);
}

}  // namespace rill
