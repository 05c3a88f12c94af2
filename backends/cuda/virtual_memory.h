// Addresses and memory of a device apart from each other: functions of the driver, found at run time, so that a program starts without one.
#pragma once

#include <cstddef>

namespace rill::cuda::virtual_memory {

/// Addresses without memory; null where driver or device have no such thing.
void* reserve(std::size_t bytes) noexcept;
/// Puts memory of the device behind them, in pieces of `granule` bytes; false when none is left, and then nothing has changed.
bool map(int device, void* data, std::size_t bytes, std::size_t granule) noexcept;
/// Whole pieces.
void unmap(void* data, std::size_t bytes) noexcept;

}  // namespace rill::cuda::virtual_memory
