// Layers that give a tensor another shape and keep its values; the functions are in rill/ops/view.h and rill/ops/shape.h.
#pragma once

#include <rill/nn/function.h>

namespace rill::nn {

struct Identity : Function { Identity(); };
/// Merges the axes start..end; by default all but the batch axis.
struct Flatten : Function { explicit Flatten(std::int64_t start = 1, std::int64_t end = -1); };
/// Splits one axis into several; one size may be -1.
struct Unflatten : Function { Unflatten(std::int64_t axis, const Shape& sizes); };
/// [N, C r^2, H, W] -> [N, C, H r, W r] and back. Shi et al. 2016. ValueError for a factor below 1.
struct PixelShuffle : Function { explicit PixelShuffle(std::int64_t factor); };
struct PixelUnshuffle : Function { explicit PixelUnshuffle(std::int64_t factor); };
/// Channel c of group g becomes channel g of group c. Zhang et al. 2018.
struct ChannelShuffle : Function { explicit ChannelShuffle(std::int64_t groups); };

}  // namespace rill::nn
