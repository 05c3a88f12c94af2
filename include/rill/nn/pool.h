// Pooling layers; formulas, sizes and errors are those of rill/ops/pool.h. Layers have no parameters.
#pragma once

#include <rill/nn/module.h>
#include <rill/ops/pool.h>

namespace rill::nn {

/// What MaxPool1d, 2d and 3d have in common: nn::MaxPool2d(3, {.stride = 2, .padding = 1}). The stride is the kernel unless given.
class MaxPool : public Module {
 public:
  Tensor operator()(const Tensor& x) const;
  /// Also where the values were found, for MaxUnpool.
  PoolResult with_indices(const Tensor& x) const;
  void parts(Parts&) override {}
  std::string describe() const override;

  PerAxis kernel;
  MaxPoolOptions options;

 protected:
  MaxPool(const char* layer, int axes, const PerAxis& kernel, const MaxPoolOptions& options);

 private:
  int axes_;
};
class MaxPool1d : public MaxPool {
 public:
  explicit MaxPool1d(const PerAxis& kernel, const MaxPoolOptions& options = {}) : MaxPool("MaxPool1d", 1, kernel, options) {}
};
class MaxPool2d : public MaxPool {
 public:
  explicit MaxPool2d(const PerAxis& kernel, const MaxPoolOptions& options = {}) : MaxPool("MaxPool2d", 2, kernel, options) {}
};
class MaxPool3d : public MaxPool {
 public:
  explicit MaxPool3d(const PerAxis& kernel, const MaxPoolOptions& options = {}) : MaxPool("MaxPool3d", 3, kernel, options) {}
};

/// What AvgPool1d, 2d and 3d have in common.
class AvgPool : public Module {
 public:
  Tensor operator()(const Tensor& x) const;
  void parts(Parts&) override {}
  std::string describe() const override;

  PerAxis kernel;
  AvgPoolOptions options;

 protected:
  AvgPool(const char* layer, int axes, const PerAxis& kernel, const AvgPoolOptions& options);

 private:
  int axes_;
};
class AvgPool1d : public AvgPool {
 public:
  explicit AvgPool1d(const PerAxis& kernel, const AvgPoolOptions& options = {}) : AvgPool("AvgPool1d", 1, kernel, options) {}
};
class AvgPool2d : public AvgPool {
 public:
  explicit AvgPool2d(const PerAxis& kernel, const AvgPoolOptions& options = {}) : AvgPool("AvgPool2d", 2, kernel, options) {}
};
class AvgPool3d : public AvgPool {
 public:
  explicit AvgPool3d(const PerAxis& kernel, const AvgPoolOptions& options = {}) : AvgPool("AvgPool3d", 3, kernel, options) {}
};

/// What the adaptive pools have in common: `size` results per axis, whatever the input's size; nn::AdaptiveAvgPool2d(1) is global pooling.
class AdaptivePool : public Module {
 public:
  Tensor operator()(const Tensor& x) const;
  void parts(Parts&) override {}
  std::string describe() const override;

  PerAxis size;

 protected:
  using Op = Tensor (*)(const Tensor&, const PerAxis&);
  AdaptivePool(const char* layer, int axes, Op op, const PerAxis& size);

 private:
  Op op_;
};
class AdaptiveAvgPool1d : public AdaptivePool {
 public:
  explicit AdaptiveAvgPool1d(const PerAxis& size) : AdaptivePool("AdaptiveAvgPool1d", 1, adaptive_avg_pool1d, size) {}
};
class AdaptiveAvgPool2d : public AdaptivePool {
 public:
  explicit AdaptiveAvgPool2d(const PerAxis& size) : AdaptivePool("AdaptiveAvgPool2d", 2, adaptive_avg_pool2d, size) {}
};
class AdaptiveAvgPool3d : public AdaptivePool {
 public:
  explicit AdaptiveAvgPool3d(const PerAxis& size) : AdaptivePool("AdaptiveAvgPool3d", 3, adaptive_avg_pool3d, size) {}
};
class AdaptiveMaxPool1d : public AdaptivePool {
 public:
  explicit AdaptiveMaxPool1d(const PerAxis& size) : AdaptivePool("AdaptiveMaxPool1d", 1, adaptive_max_pool1d, size) {}
};
class AdaptiveMaxPool2d : public AdaptivePool {
 public:
  explicit AdaptiveMaxPool2d(const PerAxis& size) : AdaptivePool("AdaptiveMaxPool2d", 2, adaptive_max_pool2d, size) {}
};
class AdaptiveMaxPool3d : public AdaptivePool {
 public:
  explicit AdaptiveMaxPool3d(const PerAxis& size) : AdaptivePool("AdaptiveMaxPool3d", 3, adaptive_max_pool3d, size) {}
};

}  // namespace rill::nn
