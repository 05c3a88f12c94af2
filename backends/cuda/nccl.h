#pragma once

#include <span>

#include "backends/api/device_backend.h"

namespace rill::cuda {

/// DeviceBackend::sum by all-reduce of NCCL; false in a build without it, and for bool.
bool sum_by_nccl(std::span<const DeviceSum> sums);

}  // namespace rill::cuda
