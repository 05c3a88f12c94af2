// Dropout. Nothing is kept for backward but the place in the random stream: the mask is drawn again (Philox) or, with a
// torch-compatible generator, saved. All forms can be differentiated any number of times.
#pragma once

#include <rill/core/random.h>

namespace rill {

/// Zeroes each element with probability p and divides the others by 1 - p; without `training` x itself. Srivastava et al. 2014.
/// p = 1 gives zeros. ValueError when p is outside [0, 1], DtypeError when x is not floating point.
Tensor dropout(const Tensor& x, double p = 0.5, bool training = true, const Generator& generator = default_generator());
/// Drops whole feature maps: one decision per (sample, channel) of x [N, C, ...]. Tompson et al. 2015. ShapeError below rank 2.
Tensor feature_dropout(const Tensor& x, double p = 0.5, bool training = true, const Generator& generator = default_generator());
/// feature_dropout with the ranks checked: [N, C, L] or [C, L]; [N, C, H, W] or [N, C, L]; [N, C, D, H, W] or [C, D, H, W].
Tensor dropout1d(const Tensor& x, double p = 0.5, bool training = true, const Generator& generator = default_generator());
Tensor dropout2d(const Tensor& x, double p = 0.5, bool training = true, const Generator& generator = default_generator());
Tensor dropout3d(const Tensor& x, double p = 0.5, bool training = true, const Generator& generator = default_generator());
/// For selu networks: dropped elements become -1.7581, then an affine map restores mean 0 and variance 1. Klambauer et al. 2017.
Tensor alpha_dropout(const Tensor& x, double p = 0.5, bool training = true, const Generator& generator = default_generator());
Tensor feature_alpha_dropout(const Tensor& x, double p = 0.5, bool training = true, const Generator& generator = default_generator());

}  // namespace rill
