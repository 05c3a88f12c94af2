// CUDA devices made up in host memory: the allocator of the CUDA backend over a small fake device, and the kernels of
// backends/cuda/kernels compiled for the host.
#pragma once

#include "backends/api/device_backend.h"

namespace rill::emulated {

/// Kernels launched so far.
std::int64_t launches() noexcept;
/// Two devices. `Emulation here;` puts them in the place of cuda:0 and cuda:1 until the end of the scope.
DeviceBackend& backend();
/// How often a linear layer of float32, or its gradients, were computed in one pass.
inline int one_pass_calls = 0;
class Emulation {
 public:
  Emulation() { replace_cuda_backend(&backend()); }
  ~Emulation() { replace_cuda_backend(nullptr); }
  Emulation(const Emulation&) = delete;
  Emulation& operator=(const Emulation&) = delete;
};

}  // namespace rill::emulated
