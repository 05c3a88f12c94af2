// Sums over several GPUs by NCCL, one call for all tensors; communicators are kept for each set of devices.
#include "backends/cuda/nccl.h"

#ifdef RILL_WITH_NCCL
#include <map>
#include <mutex>

#include "backends/cuda/libraries.h"
#include "backends/cuda/runtime.h"
#include "lib/core/check.h"
#endif

namespace rill::cuda {

#ifdef RILL_WITH_NCCL
namespace {

void check_nccl(ncclResult_t status, const char* what) {
  if (status != ncclSuccess) fail<Error>("sum_across_devices", "{} of NCCL failed: {}; NCCL_DEBUG=INFO says more", what, ncclGetErrorString(status));
}

ncclDataType_t type_of(Dtype d) {
  switch (d) {
    case Dtype::uint8: return ncclUint8;
    case Dtype::int8: return ncclInt8;
    case Dtype::int32: return ncclInt32;
    case Dtype::int64: return ncclInt64;
    case Dtype::float16: return ncclFloat16;
    case Dtype::bfloat16: return ncclBfloat16;
    case Dtype::float32: return ncclFloat32;
    case Dtype::float64: return ncclFloat64;
    default: return ncclNumTypes;
  }
}

/// One for each device, in the order of the list. Never destroyed: the driver may be gone when static destructors run.
const std::vector<ncclComm_t>& communicators(const std::vector<int>& devices) {
  static auto* const known = new std::map<std::vector<int>, std::vector<ncclComm_t>>;
  auto& list = (*known)[devices];
  if (list.empty()) {
    std::vector<ncclComm_t> made(devices.size());
    check_nccl(ncclCommInitAll(made.data(), static_cast<int>(devices.size()), devices.data()), "the start");
    list = std::move(made);
  }
  return list;
}

}  // namespace

bool sum_by_nccl(std::span<const DeviceSum> sums) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);  // calls of several threads on one communicator must not mix
  const int before = current_device();
  for (const DeviceSum& s : sums)
    if (type_of(s.dtype) == ncclNumTypes) return false;
  std::vector<const std::vector<ncclComm_t>*> list;  // made outside of the group
  for (const DeviceSum& s : sums) {
    std::vector<int> devices;
    for (const auto& part : s.parts) devices.push_back(part.first);
    list.push_back(&communicators(devices));
  }
  check_nccl(ncclGroupStart(), "a group");
  for (std::size_t i = 0; i < sums.size(); ++i)
    for (std::size_t k = 0; k < sums[i].parts.size(); ++k) {
      const auto& [device, data] = sums[i].parts[k];
      check_nccl(ncclAllReduce(data, data, static_cast<std::size_t>(sums[i].numel), type_of(sums[i].dtype), ncclSum, (*list[i])[k], stream_of(device, current_stream_index(device))), "a sum");
      remember_launch(device);
    }
  check_nccl(ncclGroupEnd(), "a group");
  check_runtime(cudaSetDevice(before), "cudaSetDevice");  // NCCL may have changed it
  return true;
}
#else
bool sum_by_nccl(std::span<const DeviceSum>) { return false; }
#endif

}  // namespace rill::cuda
