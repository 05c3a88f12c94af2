// Sums of tensors that lie on different devices: what training on several of them needs.
#pragma once

#include <vector>

#include <rill/core/tensor.h>

namespace rill {

/// parts[k][i] is tensor i of device k: for each i the sum over k, on the device of the first one that is defined, off the tape. Undefined tensors count as 0; where all are,
/// so is the sum. Between CUDA devices NCCL adds, where the build found it, and may use parts as its memory; otherwise parts are brought to the first device
/// and added in their order. ShapeError and DtypeError when shapes or dtypes differ.
std::vector<Tensor> sum_across_devices(const std::vector<std::vector<Tensor>>& parts);

}  // namespace rill
