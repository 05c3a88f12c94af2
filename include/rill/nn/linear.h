// Fully connected layers.
#pragma once

#include <rill/nn/module.h>

namespace rill::nn {

struct LinearOptions {
  bool bias = true;
  Options tensor = {};  ///< dtype and device of the parameters
};

/// x w^T + b: [.., in] -> [.., out]. weight [out, in] and bias [out] start uniform in +-1 / sqrt(in), weight first, as PyTorch's do.
class Linear : public Module {
 public:
  /// ValueError unless both sizes are at least 1.
  Linear(std::int64_t in, std::int64_t out, LinearOptions options = {});
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override { p("weight", weight)("bias", bias); }
  std::string describe() const override;
  std::int64_t flops(const Tensor& x, const Tensor& y) const override;

  Parameter weight, bias;
};

/// y[.., o] = sum over i, j of a[.., i] weight[o, i, j] b[.., j] + bias[o]: a [.., in1], b [.., in2] -> [.., out]. weight [out, in1, in2] and
/// bias [out] start uniform in +-1 / sqrt(in1), weight first, as PyTorch's do.
class Bilinear : public Module {
 public:
  /// ValueError unless all sizes are at least 1.
  Bilinear(std::int64_t in1, std::int64_t in2, std::int64_t out, LinearOptions options = {});
  Tensor operator()(const Tensor& a, const Tensor& b) const;
  void parts(Parts& p) override { p("weight", weight)("bias", bias); }
  std::string describe() const override;
  std::int64_t flops(const Tensor& x, const Tensor& y) const override;

  Parameter weight, bias;
};

}  // namespace rill::nn
