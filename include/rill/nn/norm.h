// Normalisation layers; formulas and errors are those of rill/ops/norm.h. Weights start with 1, biases with 0.
#pragma once

#include <optional>

#include <rill/nn/module.h>
#include <rill/ops/norm.h>

namespace rill::nn {

struct BatchNormOptions {
  double eps = 1e-5;
  std::optional<double> momentum = 0.1;  ///< running = (1 - momentum) running + momentum batch; none: the plain average over all batches
  bool affine = true;                    ///< has a weight
  bool bias = true;                      ///< and, if affine, a bias
  bool track_running_stats = true;       ///< off: the statistics of the batch also in evaluation
  bool relu = false;                     ///< max(0, ...) in the same pass
  Options tensor = {};
};

/// What BatchNorm1d, 2d and 3d have in common. Training normalises x [N, C, ...] with the mean and the biased variance of the batch and
/// updates the running statistics (the variance unbiased), evaluation uses those. ShapeError for x of another rank; ValueError
/// in training for one value per channel, and for momentum outside [0, 1]. Ioffe and Szegedy 2015.
class BatchNorm : public Module {
 public:
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override;
  std::string describe() const override;
  /// Running mean 0, running variance 1, no batches counted.
  void reset_running_stats();

  Parameter weight, bias;
  Buffer running_mean, running_var, num_batches_tracked;
  std::int64_t channels;
  BatchNormOptions options;
  bool training = true;

 protected:
  BatchNorm(const char* layer, int least_rank, int most_rank, std::int64_t channels, const BatchNormOptions& options);

 private:
  int least_rank_, most_rank_;
};

/// x [N, C] or [N, C, L].
struct BatchNorm1d : BatchNorm { explicit BatchNorm1d(std::int64_t channels, const BatchNormOptions& options = {}) : BatchNorm("BatchNorm1d", 2, 3, channels, options) {} };
/// x [N, C, H, W].
struct BatchNorm2d : BatchNorm { explicit BatchNorm2d(std::int64_t channels, const BatchNormOptions& options = {}) : BatchNorm("BatchNorm2d", 4, 4, channels, options) {} };
/// x [N, C, D, H, W].
struct BatchNorm3d : BatchNorm { explicit BatchNorm3d(std::int64_t channels, const BatchNormOptions& options = {}) : BatchNorm("BatchNorm3d", 5, 5, channels, options) {} };

struct InstanceNormOptions {
  double eps = 1e-5;
  double momentum = 0.1;
  bool affine = false;
  bool bias = true;                  ///< if affine
  bool track_running_stats = false;  ///< on: evaluation uses running statistics
  Options tensor = {};
};

/// What InstanceNorm1d, 2d and 3d have in common: x [N, C, spatial..] or [C, spatial..] normalised per sample and channel.
/// Ulyanov et al. 2016.
class InstanceNorm : public Module {
 public:
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override;
  std::string describe() const override;

  Parameter weight, bias;
  Buffer running_mean, running_var, num_batches_tracked;
  std::int64_t channels;
  InstanceNormOptions options;
  bool training = true;

 protected:
  InstanceNorm(const char* layer, int rank, std::int64_t channels, const InstanceNormOptions& options);

 private:
  int rank_;  // with the batch axis
};

struct InstanceNorm1d : InstanceNorm { explicit InstanceNorm1d(std::int64_t channels, const InstanceNormOptions& options = {}) : InstanceNorm("InstanceNorm1d", 3, channels, options) {} };
struct InstanceNorm2d : InstanceNorm { explicit InstanceNorm2d(std::int64_t channels, const InstanceNormOptions& options = {}) : InstanceNorm("InstanceNorm2d", 4, channels, options) {} };
struct InstanceNorm3d : InstanceNorm { explicit InstanceNorm3d(std::int64_t channels, const InstanceNormOptions& options = {}) : InstanceNorm("InstanceNorm3d", 5, channels, options) {} };

struct LayerNormOptions {
  double eps = 1e-5;
  bool elementwise_affine = true;  ///< has a weight
  bool bias = true;                ///< and, if affine, a bias
  Options tensor = {};
};
/// Normalises over the last axes, whose sizes are `normalized_shape`: nn::LayerNorm({512}). Ba et al. 2016.
class LayerNorm : public Module {
 public:
  explicit LayerNorm(const Shape& normalized_shape, const LayerNormOptions& options = {});
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override { p("weight", weight)("bias", bias); }
  std::string describe() const override;

  Parameter weight, bias;
  Shape normalized_shape;
  double eps;
};

struct RMSNormOptions {
  std::optional<double> eps = {};  ///< none: the machine epsilon of the computation
  bool elementwise_affine = true;
  Options tensor = {};
};
/// x / sqrt(mean(x^2) + eps) * weight over the last axes. Zhang and Sennrich 2019.
class RMSNorm : public Module {
 public:
  explicit RMSNorm(const Shape& normalized_shape, const RMSNormOptions& options = {});
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override { p("weight", weight); }
  std::string describe() const override;

  Parameter weight;
  Shape normalized_shape;
  std::optional<double> eps;
};

struct GroupNormOptions {
  double eps = 1e-5;
  bool affine = true;  ///< has a weight
  bool bias = true;    ///< and, if affine, a bias
  Options tensor = {};
};
/// Normalises each sample's groups of channels / groups channels. ValueError unless groups divides channels. Wu and He 2018.
class GroupNorm : public Module {
 public:
  GroupNorm(std::int64_t groups, std::int64_t channels, const GroupNormOptions& options = {});
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override { p("weight", weight)("bias", bias); }
  std::string describe() const override;

  Parameter weight, bias;
  std::int64_t groups, channels;
  double eps;
};

/// x / (k + alpha mean(x^2))^beta, the mean over `size` neighbouring channels. Krizhevsky et al. 2012.
struct LocalResponseNormOptions { double alpha = 1e-4, beta = 0.75, k = 1; };
class LocalResponseNorm : public Module {
 public:
  explicit LocalResponseNorm(std::int64_t size, const LocalResponseNormOptions& options = {});
  Tensor operator()(const Tensor& x) const;
  void parts(Parts&) override {}
  std::string describe() const override;

  std::int64_t size;
  LocalResponseNormOptions options;
};

}  // namespace rill::nn
