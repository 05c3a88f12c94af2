// The CUDA backend, as the registry sees it.
#pragma once

#include "backends/api/device_backend.h"

namespace rill::cuda {
DeviceBackend& backend();
}
