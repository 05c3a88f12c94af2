// Initial values of weights. Every function overwrites the tensor, outside the tape, from the default generator, and returns it.
// Errors: ShapeError for a rank that the function does not take, ValueError for impossible options.
#pragma once

#include <string_view>
#include <vector>

#include <rill/core/tensor.h>

namespace rill::nn::init {

/// Which axes of a weight are inputs and outputs: [out, in, kernel..] as in rill and PyTorch, or [kernel.., in, out] as in TensorFlow.
enum class Layout { out_in, in_out };

/// Number of inputs of an output and of outputs of an input: in * kernel size and out * kernel size.
struct Fan {
  std::int64_t in, out;
};
/// ShapeError below rank 2, but for in_out: there a vector [n] has fans n and n, and a 0-dim tensor 1 and 1.
Fan fan(const Tensor& weight, Layout layout = Layout::out_in);

/// The factor by which a nonlinearity shrinks a signal, inverted: linear, (transposed) convolutions and sigmoid 1, tanh 5/3, relu sqrt(2),
/// selu 3/4, leaky_relu sqrt(2 / (1 + slope^2)). PyTorch's calculate_gain. ValueError for another name.
double gain(std::string_view nonlinearity, double slope = 0.01);

// ---- single values ------------------------------------------------------------------------------------------------------------------

const Tensor& constant_(const Tensor& w, double value);
/// The values in row-major order; the last one fills what is left. ValueError for none or too many.
const Tensor& constant_(const Tensor& w, const std::vector<double>& values);
const Tensor& zeros_(const Tensor& w);
const Tensor& ones_(const Tensor& w);
const Tensor& uniform_(const Tensor& w, double low = 0, double high = 1);
const Tensor& normal_(const Tensor& w, double mean = 0, double std = 1);

/// Normal values drawn again while they lie outside [low, high] standard deviations of the mean: TensorFlow's truncated_normal. The
/// result is not rescaled (its deviation is 0.8796 std).
struct TruncatedNormal { double mean = 0, std = 1, low = -2, high = 2; };
const Tensor& truncated_normal_(const Tensor& w, TruncatedNormal options = {});
/// PyTorch's trunc_normal_, which cuts at absolute values.
struct TruncNormal { double mean = 0, std = 1, low = -2, high = 2; };
const Tensor& trunc_normal_(const Tensor& w, TruncNormal options = {});

// ---- scaled by the fans --------------------------------------------------------------------------------------------------------------

/// U(-b, b), b = gain sqrt(6 / (fan_in + fan_out)); N(0, 2 gain^2 / (fan_in + fan_out)). Glorot and Bengio 2010.
const Tensor& xavier_uniform_(const Tensor& w, double gain = 1);
const Tensor& xavier_normal_(const Tensor& w, double gain = 1);

/// U(-b, b), b = gain sqrt(3 / fan); N(0, gain^2 / fan). He et al. 2015. `slope` is that of leaky_relu.
enum class Mode { fan_in, fan_out, fan_avg };
struct Kaiming { double slope = 0; Mode mode = Mode::fan_in; std::string_view nonlinearity = "leaky_relu"; };
const Tensor& kaiming_uniform_(const Tensor& w, Kaiming options = {});
const Tensor& kaiming_normal_(const Tensor& w, Kaiming options = {});

enum class Distribution { truncated_normal, untruncated_normal, uniform };
/// TensorFlow's: variance scale / max(1, fan). The truncated normal is cut at two deviations and widened so that its variance is that.
struct VarianceScaling {
  double scale = 1;  ///< above 0
  Mode mode = Mode::fan_in;
  Distribution distribution = Distribution::truncated_normal;
  Layout layout = Layout::out_in;
};
const Tensor& variance_scaling_(const Tensor& w, VarianceScaling options = {});
/// variance_scaling_ with (scale, mode): glorot (1, fan_avg), he (2, fan_in), lecun (1, fan_in); normal stands for the truncated one.
const Tensor& glorot_uniform_(const Tensor& w, Layout layout = Layout::out_in);
const Tensor& glorot_normal_(const Tensor& w, Layout layout = Layout::out_in);
const Tensor& he_uniform_(const Tensor& w, Layout layout = Layout::out_in);
const Tensor& he_normal_(const Tensor& w, Layout layout = Layout::out_in);
const Tensor& lecun_uniform_(const Tensor& w, Layout layout = Layout::out_in);
const Tensor& lecun_normal_(const Tensor& w, Layout layout = Layout::out_in);
/// TF-Slim's: the truncated normal has the deviation sqrt(1.3 factor / fan), 1.3 being about 1 / 0.8796^2; uniform as variance_scaling_.
struct SlimScaling {
  double factor = 2;  ///< above 0
  Mode mode = Mode::fan_in;
  bool uniform = false;
  Layout layout = Layout::out_in;
};
const Tensor& slim_variance_scaling_(const Tensor& w, SlimScaling options = {});
/// U(-b, b), b = factor sqrt(3 / n), n the product of all axes but that of the outputs. Sussillo and Abbott 2014.
const Tensor& uniform_unit_scaling_(const Tensor& w, double factor = 1, Layout layout = Layout::out_in);

// ---- structured ----------------------------------------------------------------------------------------------------------------------

/// gain times a matrix with orthonormal rows or columns, whichever are fewer: Q of a normal matrix [out, rest] ([rest, out] for in_out),
/// columns times the signs of R's diagonal. Saxe et al. 2014. float32 and float64 only.
const Tensor& orthogonal_(const Tensor& w, double gain = 1, Layout layout = Layout::out_in);
/// gain on the main diagonal of a matrix, 0 elsewhere.
const Tensor& eye_(const Tensor& w, double gain = 1);
/// A convolution of rank 3 to 5 passes its input channels on: 1 at the centre of the kernel, in each of the groups. ValueError unless groups
/// divides the outputs.
const Tensor& dirac_(const Tensor& w, std::int64_t groups = 1);
/// N(0, std) with ceil(sparsity rows) zeros in each column of a matrix. Martens 2010. ValueError for a sparsity outside [0, 1].
const Tensor& sparse_(const Tensor& w, double sparsity, double std = 0.01);

}  // namespace rill::nn::init
