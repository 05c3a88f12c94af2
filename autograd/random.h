// Random fills shared by ops.
#pragma once

#include <rill/core/random.h>

namespace rill {

/// From this range on PyTorch's randint draws 64 bits.
inline constexpr std::uint64_t kTorchWideRange = std::uint64_t{1} << 28;

/// 1 with probability p, else 0; t is contiguous and floating.
void fill_bernoulli(const Tensor& t, double p, const Generator& g);

}  // namespace rill
