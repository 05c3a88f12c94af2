// Sampling at free positions: spatial transformers (Jaderberg et al. 2015), optical flow, warps.
#pragma once

#include <cstdint>

#include <rill/core/tensor.h>

namespace rill {

/// `linear` is bilinear and trilinear; `cubic` (Keys, A = -0.75) takes two spatial axes.
enum class GridMode : std::uint8_t { linear, nearest, cubic };
/// What stands outside of x: zeros, the border element, or the mirror image.
enum class GridPadding : std::uint8_t { zeros, border, reflection };
struct GridSampleOptions {
  GridMode mode = GridMode::linear;
  GridPadding padding = GridPadding::zeros;
  bool align_corners = false;  ///< -1 and 1 are the centres of the corner elements, not their outer edges
};

/// x [N, C, H, W] at grid [N, h, w, 2], or x [N, C, D, H, W] at grid [N, d, h, w, 3]: [N, C, h, w] or [N, C, d, h, w]. The last axis of grid
/// is (x, y) or (x, y, z), -1 to 1 over the width, height and depth: pixel ((p + 1) size - 1) / 2, or (p + 1) (size - 1) / 2 with
/// align_corners. Differentiable any number of times with respect to both (nearest: the gradient of grid is 0). A NaN position gives
/// NaN. ShapeError when sizes do not fit, DtypeError unless both have one floating dtype.
Tensor grid_sample(const Tensor& x, const Tensor& grid, const GridSampleOptions& options = {});

struct AffineGridOptions { bool align_corners = false; };
/// The positions theta (x, y, 1)^T of all elements of an image [N, C, H, W] (`size`): theta [N, 2, 3] gives [N, H, W, 2]; or theta [N, 3, 4]
/// and size [N, C, D, H, W] give [N, D, H, W, 3].
Tensor affine_grid(const Tensor& theta, const Shape& size, const AffineGridOptions& options = {});

}  // namespace rill
