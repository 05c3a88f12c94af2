// What a machine without a CUDA device says.
#include <rill/rill.h>
#include <rill/cuda/memory.h>

#include "backends/api/backend.h"
#include "backends/cuda/runtime.h"
#include "lib/core/op_range.h"
#include "test/cuda/backends.h"
#include "test/support/message.h"

using namespace rill;

TEST_CASE("each reason for having no device has its sentence", "[cuda]") {
  CHECK(cuda::why_no_device(cudaErrorInsufficientDriver, 0) == "no NVIDIA driver is installed; install one for CUDA 13");
  CHECK(cuda::why_no_device(cudaErrorInsufficientDriver, 12040).starts_with("the NVIDIA driver is for CUDA 12.4, rill was built with CUDA 13."));
  CHECK(cuda::why_no_device(cudaErrorNoDevice, 13000) == "the NVIDIA driver shows no device; check nvidia-smi and CUDA_VISIBLE_DEVICES");
  CHECK(cuda::why_no_device(cudaErrorUnknown, 13000).starts_with("the NVIDIA driver does not start ("));
}

TEST_CASE("without a device every call that needs one says so", "[cuda]") {
  if (cuda::is_available()) SKIP("there is a device");
  const std::string why = " cannot be used: " + cuda::why_unavailable() + ", or use Device::cpu()";
  CHECK(cuda::device_count() == 0);
  CHECK_FALSE(cuda::why_unavailable().empty());
  CHECK(MESSAGE(DeviceError, ones({2}).to(Device::cuda())) == "to: cuda:0" + why);
  CHECK(MESSAGE(DeviceError, ones({2}, {.device = Device::cuda(1)})) == "device: cuda:1" + why);
  CHECK(MESSAGE(DeviceError, cuda::synchronize()) == "synchronize: cuda:0" + why);
  CHECK(MESSAGE(DeviceError, cuda::Stream()) == "Stream: cuda:0" + why);
  CHECK(MESSAGE(DeviceError, cuda::memory_stats()) == "memory_stats: cuda:0" + why);
  CHECK(MESSAGE(DeviceError, cuda::synchronize(Device::cpu())) == "synchronize: cpu is no CUDA device; use Device::cuda()");
}

TEST_CASE("an index beyond the devices is refused with their number", "[cuda][emulated]") {
  const emulated::Emulation here;
  CHECK(MESSAGE(DeviceError, ones({2}).to(Device::cuda(7))) == "to: cuda:7 cannot be used: there are 2 CUDA devices, so indices go from 0 to 1");
}

TEST_CASE("an op without a kernel names itself, the device and the dtype", "[cuda][emulated]") {
  const emulated::Emulation here;
  const Tensor x = ones({2, 2}).to(Device::cuda());
  const OpRange running("some_op", x);
  CHECK(MESSAGE(Unimplemented, kernels(x).pack_panels(view(x), nullptr)) == "some_op: no kernel for float32 on cuda; move the operands with .to(Device::cpu())");
}
