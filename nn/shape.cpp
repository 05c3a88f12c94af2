#include <rill/nn/shape.h>

#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "nn/arguments.h"
#include "nn/repr.h"

namespace rill::nn {

Identity::Identity() : Function([](const Tensor& x) { return x; }) {}
Flatten::Flatten(std::int64_t start, std::int64_t end) : Function([=](const Tensor& x) { return flatten(x, start, end); }, fmt::format("start_dim={}, end_dim={}", start, end)) {}
Unflatten::Unflatten(std::int64_t axis, const Shape& sizes)
    : Function([=](const Tensor& x) { return unflatten(x, axis, sizes); }, fmt::format("dim={}, unflattened_size={}", axis, repr::tuple(sizes))) {}
PixelShuffle::PixelShuffle(std::int64_t factor) : Function([=](const Tensor& x) { return pixel_shuffle(x, factor); }, fmt::format("upscale_factor={}", factor)) {
  check_size("PixelShuffle", "the factor", factor);
}
PixelUnshuffle::PixelUnshuffle(std::int64_t factor) : Function([=](const Tensor& x) { return pixel_unshuffle(x, factor); }, fmt::format("downscale_factor={}", factor)) {
  check_size("PixelUnshuffle", "the factor", factor);
}
ChannelShuffle::ChannelShuffle(std::int64_t groups) : Function([=](const Tensor& x) { return channel_shuffle(x, groups); }, fmt::format("groups={}", groups)) {
  check_size("ChannelShuffle", "the number of groups", groups);
}

}  // namespace rill::nn
