#include <rill/autograd/across_devices.h>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/elementwise.h>

#include "backends/api/backend.h"
#include "backends/api/device_backend.h"

namespace rill {
namespace {

/// All on CUDA devices of their own and dense, so that a library may add in place.
bool can_reduce_in_place(const std::vector<Tensor>& tensors) {
  for (std::size_t k = 0; k < tensors.size(); ++k) {
    const auto& t = impl(tensors[k]);
    if (t.device.is_cpu() || !t.contiguous) return false;
    for (std::size_t j = 0; j < k; ++j)
      if (impl(tensors[j]).device == t.device) return false;
  }
  return tensors.size() > 1;
}

/// In their order.
Tensor ordered_sum(const std::vector<Tensor>& tensors, Device device) {
  Tensor sum = tensors[0].to(device);
  for (std::size_t k = 1; k < tensors.size(); ++k) sum = sum + tensors[k].to(device);
  return sum;
}
/// Those of all devices that are defined.
std::vector<Tensor> defined_parts(const std::vector<std::vector<Tensor>>& parts, std::size_t i) {
  std::vector<Tensor> tensors;
  for (const auto& list : parts)
    if (list[i].defined()) tensors.push_back(list[i].detach());
  return tensors;
}

}  // namespace

std::vector<Tensor> sum_across_devices(const std::vector<std::vector<Tensor>>& parts) {
  constexpr const char* op = "sum_across_devices";
  const NoGrad off;
  std::vector<Tensor> sums(parts.empty() ? 0 : parts[0].size());
  std::vector<DeviceSum> in_place;  // of the tensors `with_library`
  std::vector<std::size_t> with_library;
  for (const auto& list : parts) check<ValueError>(list.size() == sums.size(), op, "the first device has {} tensors, another one {}; give as many of each", sums.size(), list.size());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::vector<Tensor> tensors = defined_parts(parts, i);
    if (tensors.empty()) continue;
    for (const Tensor& t : tensors) {
      check<ShapeError>(t.shape() == tensors[0].shape(), op, "tensor {} has shapes {} and {}; they must match", i, tensors[0].shape(), t.shape());
      check<DtypeError>(t.dtype() == tensors[0].dtype(), op, "tensor {} has dtypes {} and {}; they must match", i, tensors[0].dtype(), t.dtype());
    }
    if (tensors.size() == parts.size() && can_reduce_in_place(tensors)) {
      DeviceSum s{impl(tensors[0]).dtype, impl(tensors[0]).numel, {}};
      for (const Tensor& t : tensors) s.parts.emplace_back(impl(t).device.index(), impl(t).data);
      in_place.push_back(std::move(s)), with_library.push_back(i);
      continue;
    }
    sums[i] = ordered_sum(tensors, tensors[0].device());
  }
  if (in_place.empty()) return sums;
  const bool summed = cuda_backend()->sum(in_place);
  for (const std::size_t i : with_library) {
    const std::vector<Tensor> tensors = defined_parts(parts, i);
    sums[i] = summed ? tensors[0] : ordered_sum(tensors, tensors[0].device());
  }
  return sums;
}

}  // namespace rill
