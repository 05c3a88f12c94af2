#include <rill/nn/pad.h>

#include <string_view>

#include "lib/core/check.h"
#include "nn/repr.h"

namespace rill::nn {
namespace {

std::string text(std::string_view layer, const Dims& pads, const PadOptions& o) {
  const std::string sides = repr::tuple(pads);
  return layer.starts_with("Constant") ? fmt::format("padding={}, value={}", sides, repr::number(o.value.to_double())) : sides;
}

}  // namespace

Dims Sides::of(const char* layer, int axes) const {
  if (same_) return Dims(2 * axes, values_[0]);
  check<ValueError>(values_.rank() == 2 * axes, layer, "{} sides are given; give one number, or {}: before and after each axis, the last axis first", values_.rank(), 2 * axes);
  return values_;
}

Padding::Padding(const char* layer, int axes, const Sides& sides, const PadOptions& o)
    : Function([pads = sides.of(layer, axes), o](const Tensor& x) { return pad(x, pads, o); }, text(layer, sides.of(layer, axes), o)) {}

}  // namespace rill::nn
