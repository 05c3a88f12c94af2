// Resizing layers, and windows as columns; formulas and errors are those of rill/ops/resize.h.
#pragma once

#include <rill/nn/function.h>
#include <rill/ops/resize.h>

namespace rill::nn {

/// nn::Upsample({.scale = {2}}), nn::Upsample({.size = 224, .mode = ResizeMode::linear}). ValueError unless there is either a size or a scale.
struct Upsample : Function { explicit Upsample(const ResizeOptions& options); };
struct Unfold : Function { explicit Unfold(const PerAxis& kernel, const UnfoldOptions& options = {}); };
struct Fold : Function { Fold(const PerAxis& size, const PerAxis& kernel, const UnfoldOptions& options = {}); };

}  // namespace rill::nn
