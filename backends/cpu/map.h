#pragma once

#include <span>

#include "backends/api/backend.h"

namespace rill::cpu {

/// Kernels::map of the CPU.
void map(const MapSpec& spec, const View& out, std::span<const View> inputs);
/// Kernels::copy of the CPU.
void copy(const View& from, const View& to);
/// Kernels::fill of the CPU.
void fill(const void* value, const View& to);

}  // namespace rill::cpu
