// Normalisation. Statistics are sums in double whatever the dtype; 16-bit floats compute in float32. Weight and bias may be left out
// (an undefined tensor) and have the dtype of x, or float32 for a 16-bit x. All can be differentiated any number of times.
// Errors: ShapeError when sizes do not fit, DtypeError for x that is not floating point or for parameters of another dtype.
#pragma once

#include <optional>

#include <rill/core/tensor.h>

namespace rill {

/// (x - mean) / sqrt(var + eps) * weight + bias with the mean and the biased variance over the last axes, whose sizes are
/// `normalized_shape`, also the shape of weight and bias. Ba et al. 2016.
Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight = {}, const Tensor& bias = {}, double eps = 1e-5);
/// x / sqrt(mean(x^2) + eps) * weight over the last axes. Without eps: the machine epsilon of float32, or
/// of float64 for a float64 x. Zhang and Sennrich 2019.
Tensor rms_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight = {}, std::optional<double> eps = {});
/// x [N, C, ...] normalised over each sample's groups of C / groups channels; weight and bias [C]. Wu and He 2018.
Tensor group_norm(const Tensor& x, std::int64_t groups, const Tensor& weight = {}, const Tensor& bias = {}, double eps = 1e-5);

struct BatchNormOptions {
  bool training = false;   ///< normalise with the statistics of x and update the running ones
  double momentum = 0.1;   ///< running = (1 - momentum) running + momentum batch
  double eps = 1e-5;
  bool relu = false;       ///< max(0, ...) in the same pass, which saves two passes over memory and the tensor between them
};
/// x [N, C, ...] normalised per channel; weight, bias and the running statistics are [C]. Training uses the mean and the biased
/// variance of x, and updates `running_mean` and, with the unbiased variance, `running_var` in place if they are defined;
/// otherwise the running statistics are constants that must be defined. The output keeps the memory format of x.
/// ValueError when training sees one value per channel. Ioffe and Szegedy 2015.
Tensor batch_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight = {}, const Tensor& bias = {}, const BatchNormOptions& options = {});

struct InstanceNormOptions {
  bool use_input_stats = true;  ///< off: the running statistics
  double momentum = 0.1;
  double eps = 1e-5;
};
/// x [N, C, ...] normalised per sample and channel. Running statistics, if defined, receive the average over the samples.
/// ValueError when there is one value per channel. Ulyanov et al. 2016.
Tensor instance_norm(const Tensor& x, const Tensor& running_mean = {}, const Tensor& running_var = {}, const Tensor& weight = {}, const Tensor& bias = {}, const InstanceNormOptions& options = {});

/// x / (k + alpha mean(x^2))^beta, the mean over `size` neighbouring channels (axis 1, zeros beyond the ends). Krizhevsky et al. 2012.
Tensor local_response_norm(const Tensor& x, std::int64_t size, double alpha = 1e-4, double beta = 0.75, double k = 1);

}  // namespace rill
