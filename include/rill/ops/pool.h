// Pooling over sliding or adaptive windows. x is [N, C, spatial..] or [C, spatial..]; a channels-last x gives a channels-last result.
// Options that are not given: stride is the kernel, padding 0, dilation 1. Padding may be at most half of the window. Average pools take
// floating dtypes, maxima any dtype but bool. Differentiable any number of times. Errors: ShapeError, ValueError, DtypeError.
#pragma once

#include <vector>

#include <rill/core/random.h>
#include <rill/ops/conv.h>

namespace rill {

struct MaxPoolOptions {
  PerAxis stride = {};
  PerAxis padding = 0;    ///< with values below every other
  PerAxis dilation = 1;
  bool ceil_mode = false; ///< also a last window that overhangs, if it starts inside x or the padding before it
};
/// What was found, and where: row-major positions among the spatial positions of a channel (int64).
struct PoolResult { Tensor values, indices; };

/// The largest value of each window; NaN if the window has one, the last of several.
Tensor max_pool1d(const Tensor& x, const PerAxis& kernel, const MaxPoolOptions& options = {});
Tensor max_pool2d(const Tensor& x, const PerAxis& kernel, const MaxPoolOptions& options = {});
Tensor max_pool3d(const Tensor& x, const PerAxis& kernel, const MaxPoolOptions& options = {});
PoolResult max_pool1d_with_indices(const Tensor& x, const PerAxis& kernel, const MaxPoolOptions& options = {});
PoolResult max_pool2d_with_indices(const Tensor& x, const PerAxis& kernel, const MaxPoolOptions& options = {});
PoolResult max_pool3d_with_indices(const Tensor& x, const PerAxis& kernel, const MaxPoolOptions& options = {});

struct AvgPoolOptions {
  PerAxis stride = {};
  PerAxis padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;      ///< padding counts in the divisor; what overhangs beyond it never does
  std::int64_t divisor_override = 0;  ///< if not 0: divides every sum
};
/// The mean of each window.
Tensor avg_pool1d(const Tensor& x, const PerAxis& kernel, const AvgPoolOptions& options = {});
Tensor avg_pool2d(const Tensor& x, const PerAxis& kernel, const AvgPoolOptions& options = {});
Tensor avg_pool3d(const Tensor& x, const PerAxis& kernel, const AvgPoolOptions& options = {});

/// `size` results per axis, -1 for as many as x has (PyTorch's None); window i reaches from floor(i L / size) to ceil((i + 1) L / size).
Tensor adaptive_avg_pool1d(const Tensor& x, const PerAxis& size);
Tensor adaptive_avg_pool2d(const Tensor& x, const PerAxis& size);
Tensor adaptive_avg_pool3d(const Tensor& x, const PerAxis& size);
Tensor adaptive_max_pool1d(const Tensor& x, const PerAxis& size);
Tensor adaptive_max_pool2d(const Tensor& x, const PerAxis& size);
Tensor adaptive_max_pool3d(const Tensor& x, const PerAxis& size);
PoolResult adaptive_max_pool1d_with_indices(const Tensor& x, const PerAxis& size);
PoolResult adaptive_max_pool2d_with_indices(const Tensor& x, const PerAxis& size);
PoolResult adaptive_max_pool3d_with_indices(const Tensor& x, const PerAxis& size);

/// (sum |x|^p sign(x)^p over a window)^(1/p), as PyTorch's: x^p is averaged, and the mean times the size of a whole window takes the root (of a
/// negative sum: minus the root of its magnitude). The gradient is 0 where the sum is 0. ValueError for p = 0.
struct LpPoolOptions {
  PerAxis stride = {};
  bool ceil_mode = false;
};
Tensor lp_pool1d(const Tensor& x, double p, const PerAxis& kernel, const LpPoolOptions& options = {});
Tensor lp_pool2d(const Tensor& x, double p, const PerAxis& kernel, const LpPoolOptions& options = {});
Tensor lp_pool3d(const Tensor& x, double p, const PerAxis& kernel, const LpPoolOptions& options = {});

struct MaxUnpoolOptions {
  PerAxis stride = {};
  PerAxis padding = 0;
  PerAxis output_size = {};  ///< spatial sizes of the result; default (L - 1) stride - 2 padding + kernel, from which it may differ by less than stride
};
/// The reverse of a maximum with indices: zeros with x at the indices; of several values for one place the last one stays.
Tensor max_unpool1d(const Tensor& x, const Tensor& indices, const PerAxis& kernel, const MaxUnpoolOptions& options = {});
Tensor max_unpool2d(const Tensor& x, const Tensor& indices, const PerAxis& kernel, const MaxUnpoolOptions& options = {});
Tensor max_unpool3d(const Tensor& x, const Tensor& indices, const PerAxis& kernel, const MaxUnpoolOptions& options = {});

struct FractionalPoolOptions {
  PerAxis size = {};               ///< of the result; either this
  std::vector<double> ratio = {};  ///< or this: one factor in (0, 1), or one per axis; the size is floor(L ratio)
  Tensor samples = {};             ///< [N, C, spatial axes] in [0, 1): where windows start; drawn when undefined
};
/// The largest value of windows whose starts are (L - kernel) / (size - 1) apart, rounded down after a random shift. Graham 2014.
Tensor fractional_max_pool2d(const Tensor& x, const PerAxis& kernel, const FractionalPoolOptions& options, const Generator& generator = default_generator());
Tensor fractional_max_pool3d(const Tensor& x, const PerAxis& kernel, const FractionalPoolOptions& options, const Generator& generator = default_generator());
PoolResult fractional_max_pool2d_with_indices(const Tensor& x, const PerAxis& kernel, const FractionalPoolOptions& options, const Generator& generator = default_generator());
PoolResult fractional_max_pool3d_with_indices(const Tensor& x, const PerAxis& kernel, const FractionalPoolOptions& options, const Generator& generator = default_generator());

}  // namespace rill
