// Activations as layers, for Sequential and for prints; the functions are in rill/ops/elementwise.h and rill/ops/softmax.h.
#pragma once

#include <rill/nn/function.h>
#include <rill/ops/elementwise.h>

namespace rill::nn {

struct ReLU : Function { ReLU(); };
struct ReLU6 : Function { ReLU6(); };
struct SELU : Function { SELU(); };
struct SiLU : Function { SiLU(); };
struct Mish : Function { Mish(); };
struct Sigmoid : Function { Sigmoid(); };
struct LogSigmoid : Function { LogSigmoid(); };
struct Hardsigmoid : Function { Hardsigmoid(); };
struct Hardswish : Function { Hardswish(); };
struct Tanh : Function { Tanh(); };
struct Tanhshrink : Function { Tanhshrink(); };
struct Softsign : Function { Softsign(); };

struct ELU : Function { explicit ELU(double alpha = 1); };
struct CELU : Function { explicit CELU(double alpha = 1); };
struct LeakyReLU : Function { explicit LeakyReLU(double slope = 0.01); };
struct Hardtanh : Function { explicit Hardtanh(double low = -1, double high = 1); };
struct Softplus : Function { explicit Softplus(double beta = 1, double threshold = 20); };
struct Softshrink : Function { explicit Softshrink(double lambda = 0.5); };
struct Hardshrink : Function { explicit Hardshrink(double lambda = 0.5); };
struct Threshold : Function { Threshold(double threshold, double value); };
struct GELU : Function { explicit GELU(GeluOptions options = {}); };

struct GLU : Function { explicit GLU(std::int64_t axis = -1); };
struct CReLU : Function { explicit CReLU(std::int64_t axis = -1); };  ///< TensorFlow's
struct Softmax : Function { explicit Softmax(std::int64_t axis); };
struct LogSoftmax : Function { explicit LogSoftmax(std::int64_t axis); };
struct Softmin : Function { explicit Softmin(std::int64_t axis); };
struct Softmax2d : Function { Softmax2d(); };  ///< over the channels of [N, C, H, W] or [C, H, W]

struct PReLUOptions {
  double init = 0.25;  ///< every slope at the start
  Options tensor = {};
};
/// x above 0, weight x below; one trained slope for all, or one per channel (axis 1). He et al. 2015.
class PReLU : public Module {
 public:
  explicit PReLU(std::int64_t slopes = 1, const PReLUOptions& options = {});
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override { p("weight", weight); }
  std::string describe() const override;

  Parameter weight;
};

/// x above 0, a x below; a is drawn uniform in [lower, upper) for each element in training, and is their mean in evaluation. Xu et al. 2015.
class RReLU : public Module {
 public:
  explicit RReLU(double lower = 1.0 / 8, double upper = 1.0 / 3);
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override { p.mode(training); }
  std::string describe() const override;

  double lower, upper;
  bool training = true;
};

}  // namespace rill::nn
