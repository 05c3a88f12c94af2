#include "backends/cuda/virtual_memory.h"

#include <cudaTypedefs.h>
#include <cuda_runtime_api.h>

#include <cstdint>

namespace rill::cuda::virtual_memory {
namespace {

constexpr unsigned kVersion = 10020;  // of CUDA, where these functions appeared in this form

struct Driver {
  PFN_cuMemAddressReserve_v10020 reserve = nullptr;
  PFN_cuMemCreate_v10020 create = nullptr;
  PFN_cuMemMap_v10020 map = nullptr;
  PFN_cuMemSetAccess_v10020 set_access = nullptr;
  PFN_cuMemUnmap_v10020 unmap = nullptr;
  PFN_cuMemRelease_v10020 release = nullptr;
  bool complete;
  Driver() {
    complete = find("cuMemAddressReserve", reserve) && find("cuMemCreate", create) && find("cuMemMap", map) && find("cuMemSetAccess", set_access) && find("cuMemUnmap", unmap) &&
               find("cuMemRelease", release);
    (void)cudaGetLastError();
  }
  template <class F> static bool find(const char* name, F& f) {
    void* found = nullptr;
    cudaDriverEntryPointQueryResult result{};
    if (cudaGetDriverEntryPointByVersion(name, &found, kVersion, cudaEnableDefault, &result) != cudaSuccess || result != cudaDriverEntryPointSuccess) return false;
    f = reinterpret_cast<F>(found);
    return f != nullptr;
  }
};
const Driver& driver() {
  static const Driver d;
  return d;
}
CUdeviceptr address(void* data) { return reinterpret_cast<CUdeviceptr>(data); }

}  // namespace

void* reserve(std::size_t bytes) noexcept {
  CUdeviceptr data = 0;
  if (bytes == 0 || !driver().complete || driver().reserve(&data, bytes, 0, 0, 0) != CUDA_SUCCESS) return nullptr;
  return reinterpret_cast<void*>(data);
}

bool map(int device, void* data, std::size_t bytes, std::size_t granule) noexcept {
  CUmemAllocationProp kind{};
  kind.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  kind.location = {CU_MEM_LOCATION_TYPE_DEVICE, {device}};
  std::size_t done = 0;
  for (; done < bytes; done += granule) {
    CUmemGenericAllocationHandle piece = 0;
    if (driver().create(&piece, granule, &kind, 0) != CUDA_SUCCESS) break;
    const bool mapped = driver().map(address(data) + done, granule, 0, piece, 0) == CUDA_SUCCESS;
    (void)driver().release(piece);  // it lives as long as it is mapped
    if (!mapped) break;
  }
  CUmemAccessDesc access{};
  access.location = kind.location, access.flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
  if (done == bytes && driver().set_access(address(data), bytes, &access, 1) == CUDA_SUCCESS) return true;
  if (done) unmap(data, done);
  return false;
}

void unmap(void* data, std::size_t bytes) noexcept { (void)driver().unmap(address(data), bytes); }

}  // namespace rill::cuda::virtual_memory
