// CUDA devices: which there are, waiting for them, finding the op that failed.
#pragma once

#include <rill/core/device.h>

namespace rill::cuda {

/// True when this build has the CUDA backend and the driver shows at least one device.
bool is_available() noexcept;
/// 0 when nothing is available.
int device_count() noexcept;
/// One sentence why `is_available` is false and what to do about it; empty when it is true.
std::string why_unavailable();

/// Waits until all work on the device is done; throws the error of an op that failed there.
void synchronize(Device device = Device::cuda());

/// Debug switch: every op waits for its kernels, so that an error names the op it belongs to. RILL_CUDA_BLOCKING=1 in the environment
/// switches it on from the start.
void set_blocking(bool on) noexcept;
bool is_blocking() noexcept;

/// Lets matrix products and convolutions of float32 round their operands to the 10 fraction bits of TF32: several times faster, errors
/// of about 1e-3. Off at the start.
void allow_tf32(bool on) noexcept;
bool tf32_allowed() noexcept;

/// Lets convolutions use algorithms whose sums are formed in the order in which threads finish: the last bits of a result differ from run
/// to run. Off at the start.
void allow_nondeterministic(bool on) noexcept;
bool nondeterministic_allowed() noexcept;

/// The first convolution of each shape tries the algorithms that cuDNN recommends and keeps the fastest, instead of the first one. Pays for
/// programs that meet the same shapes often. Which one wins may differ from run to run, and the last bits of results with it. Off at the start.
void set_benchmark(bool on) noexcept;
bool benchmark() noexcept;

}  // namespace rill::cuda
