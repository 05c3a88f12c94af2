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
[[noreturn]] void throw_no_backend(Device device);

[[gnu::always_inline]] inline const Kernels& kernels(const Tensor& t) {
  if (!impl(t).device.is_cpu()) [[unlikely]] throw_no_backend(impl(t).device);
  return cpu_kernels();
}

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
