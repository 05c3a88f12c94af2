// Resizing of images and windows as columns.
#pragma once

#include <optional>
#include <vector>

#include <rill/ops/conv.h>

namespace rill {

/// `linear` is bilinear and trilinear on two and three spatial axes; `cubic` (Keys, A = -0.75) takes two; `area` is adaptive average pooling.
enum class ResizeMode : std::uint8_t { nearest, nearest_exact, linear, cubic, area };
struct ResizeOptions {
  PerAxis size = {};                 ///< either this
  std::vector<double> scale = {};    ///< or this: one factor, or one per axis; the size is floor(L scale)
  ResizeMode mode = ResizeMode::nearest;
  bool align_corners = false;        ///< linear and cubic: the centres of corner elements stay in place, not the corners
  bool antialias = false;            ///< linear and cubic on two axes: filter before elements are left out (cubic with A = -0.5, as Pillow)
  bool recompute_scale = false;      ///< positions from the rounded sizes also when `scale` is given
};

/// x [N, C, spatial..] of rank 3 to 5, floating, at other spatial sizes: nearest takes element floor(i L / size), nearest_exact floor((i + 0.5) L / size),
/// linear and cubic interpolate at (i + 0.5) L / size - 0.5. With scale, 1 / scale stands for L / size. Linear in x; every order of derivative.
Tensor interpolate(const Tensor& x, const ResizeOptions& options);

struct UnfoldOptions {
  PerAxis stride = 1, padding = 0, dilation = 1;
};
/// The windows of x [N, C, H, W] as columns: [N, C kernel_h kernel_w, positions]; also without the batch axis.
Tensor unfold(const Tensor& x, const PerAxis& kernel, const UnfoldOptions& options = {});
/// The adjoint: adds columns [N, C kernel_h kernel_w, positions] up to images [N, C, size_h, size_w].
Tensor fold(const Tensor& columns, const PerAxis& size, const PerAxis& kernel, const UnfoldOptions& options = {});

}  // namespace rill
