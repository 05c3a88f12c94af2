// Pooling layers; formulas, sizes and errors are those of rill/ops/pool.h. Layers have no parameters.
#pragma once

#include <rill/nn/function.h>
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
struct MaxPool1d : MaxPool { explicit MaxPool1d(const PerAxis& kernel, const MaxPoolOptions& options = {}) : MaxPool("MaxPool1d", 1, kernel, options) {} };
struct MaxPool2d : MaxPool { explicit MaxPool2d(const PerAxis& kernel, const MaxPoolOptions& options = {}) : MaxPool("MaxPool2d", 2, kernel, options) {} };
struct MaxPool3d : MaxPool { explicit MaxPool3d(const PerAxis& kernel, const MaxPoolOptions& options = {}) : MaxPool("MaxPool3d", 3, kernel, options) {} };

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
struct AvgPool1d : AvgPool { explicit AvgPool1d(const PerAxis& kernel, const AvgPoolOptions& options = {}) : AvgPool("AvgPool1d", 1, kernel, options) {} };
struct AvgPool2d : AvgPool { explicit AvgPool2d(const PerAxis& kernel, const AvgPoolOptions& options = {}) : AvgPool("AvgPool2d", 2, kernel, options) {} };
struct AvgPool3d : AvgPool { explicit AvgPool3d(const PerAxis& kernel, const AvgPoolOptions& options = {}) : AvgPool("AvgPool3d", 3, kernel, options) {} };

/// What the adaptive pools have in common: `size` results per axis, whatever the input's size; nn::AdaptiveAvgPool2d(1) is global pooling,
/// nn::AdaptiveAvgPool2d({-1, 7}) keeps the rows. ValueError for other sizes below 1.
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
struct AdaptiveAvgPool1d : AdaptivePool { explicit AdaptiveAvgPool1d(const PerAxis& size) : AdaptivePool("AdaptiveAvgPool1d", 1, adaptive_avg_pool1d, size) {} };
struct AdaptiveAvgPool2d : AdaptivePool { explicit AdaptiveAvgPool2d(const PerAxis& size) : AdaptivePool("AdaptiveAvgPool2d", 2, adaptive_avg_pool2d, size) {} };
struct AdaptiveAvgPool3d : AdaptivePool { explicit AdaptiveAvgPool3d(const PerAxis& size) : AdaptivePool("AdaptiveAvgPool3d", 3, adaptive_avg_pool3d, size) {} };
struct AdaptiveMaxPool1d : AdaptivePool { explicit AdaptiveMaxPool1d(const PerAxis& size) : AdaptivePool("AdaptiveMaxPool1d", 1, adaptive_max_pool1d, size) {} };
struct AdaptiveMaxPool2d : AdaptivePool { explicit AdaptiveMaxPool2d(const PerAxis& size) : AdaptivePool("AdaptiveMaxPool2d", 2, adaptive_max_pool2d, size) {} };
struct AdaptiveMaxPool3d : AdaptivePool { explicit AdaptiveMaxPool3d(const PerAxis& size) : AdaptivePool("AdaptiveMaxPool3d", 3, adaptive_max_pool3d, size) {} };

/// What LPPool1d, 2d and 3d have in common: the root of the sum of powers, (sum x^p)^(1/p). ValueError for p = 0.
class LPPool : public Function {
 protected:
  LPPool(const char* layer, int axes, double p, const PerAxis& kernel, const LpPoolOptions& options);
};
struct LPPool1d : LPPool { LPPool1d(double p, const PerAxis& kernel, const LpPoolOptions& options = {}) : LPPool("LPPool1d", 1, p, kernel, options) {} };
struct LPPool2d : LPPool { LPPool2d(double p, const PerAxis& kernel, const LpPoolOptions& options = {}) : LPPool("LPPool2d", 2, p, kernel, options) {} };
struct LPPool3d : LPPool { LPPool3d(double p, const PerAxis& kernel, const LpPoolOptions& options = {}) : LPPool("LPPool3d", 3, p, kernel, options) {} };

/// What MaxUnpool1d, 2d and 3d have in common: puts values back where MaxPool::with_indices found them, zeros elsewhere.
class MaxUnpool : public Module {
 public:
  /// output_size: spatial sizes of the result, when they are not the smallest possible.
  Tensor operator()(const Tensor& x, const Tensor& indices, const PerAxis& output_size = {}) const;
  void parts(Parts&) override {}
  std::string describe() const override;

  PerAxis kernel, stride, padding;

 protected:
  MaxUnpool(const char* layer, int axes, const PerAxis& kernel, const PerAxis& stride, const PerAxis& padding);

 private:
  int axes_;
};
struct UnpoolOptions { PerAxis stride = {}, padding = 0; };
struct MaxUnpool1d : MaxUnpool { explicit MaxUnpool1d(const PerAxis& kernel, const UnpoolOptions& o = {}) : MaxUnpool("MaxUnpool1d", 1, kernel, o.stride, o.padding) {} };
struct MaxUnpool2d : MaxUnpool { explicit MaxUnpool2d(const PerAxis& kernel, const UnpoolOptions& o = {}) : MaxUnpool("MaxUnpool2d", 2, kernel, o.stride, o.padding) {} };
struct MaxUnpool3d : MaxUnpool { explicit MaxUnpool3d(const PerAxis& kernel, const UnpoolOptions& o = {}) : MaxUnpool("MaxUnpool3d", 3, kernel, o.stride, o.padding) {} };

/// Maxima of windows at random places, as many as `size` or `ratio` say: nn::FractionalMaxPool2d(2, {.ratio = {0.7}}). Graham 2014.
struct FractionalMaxPool2d : Function { FractionalMaxPool2d(const PerAxis& kernel, const FractionalPoolOptions& options); };
struct FractionalMaxPool3d : Function { FractionalMaxPool3d(const PerAxis& kernel, const FractionalPoolOptions& options); };

}  // namespace rill::nn
