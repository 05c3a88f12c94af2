// Activation functions: elementwise unless noted, of any shape and strides; integers are promoted as in rill/ops/elementwise.h, which also
// states the errors. Differentiable any number of times.
#pragma once

#include <rill/core/tensor.h>

namespace rill {

/// max(x, 0); the derivative at 0 is 0, NaN passes through.
Tensor relu(const Tensor& x);
Tensor relu_(const Tensor& x);
/// min(max(x, 0), 6); the derivative at 0 and 6 is 0.
Tensor relu6(const Tensor& x);
Tensor relu6_(const Tensor& x);
/// Klambauer et al. 2017.
Tensor selu(const Tensor& x);
Tensor selu_(const Tensor& x);
/// 1 / (1 + e^-x).
Tensor sigmoid(const Tensor& x);
Tensor sigmoid_(const Tensor& x);
/// log(sigmoid(x)).
Tensor logsigmoid(const Tensor& x);
Tensor logsigmoid_(const Tensor& x);
/// x / (1 + |x|).
Tensor softsign(const Tensor& x);
Tensor softsign_(const Tensor& x);
/// x sigmoid(x), also called swish.
Tensor silu(const Tensor& x);
Tensor silu_(const Tensor& x);
/// x tanh(softplus(x)); Misra 2019.
Tensor mish(const Tensor& x);
Tensor mish_(const Tensor& x);
/// x relu6(x + 3) / 6; Howard et al. 2019.
Tensor hardswish(const Tensor& x);
Tensor hardswish_(const Tensor& x);
/// relu6(x + 3) / 6.
Tensor hardsigmoid(const Tensor& x);
Tensor hardsigmoid_(const Tensor& x);
/// relu(concat(x, -x)) on `axis`, which doubles (TensorFlow's crelu; Shang et al. 2016).
Tensor crelu(const Tensor& x, std::int64_t axis = -1);
/// x above 0, alpha (e^x - 1) below. Clevert et al. 2015.
Tensor elu(const Tensor& x, double alpha = 1);
/// max(0, x) + min(0, alpha (e^(x / alpha) - 1)). Barron 2017.
Tensor celu(const Tensor& x, double alpha = 1);
/// x above 0, slope x below and at 0 (TensorFlow's default slope is 0.2).
Tensor leaky_relu(const Tensor& x, double slope = 0.01);
/// x above 0, weight x below; weight has one element or one per channel (axis 1). He et al. 2015.
Tensor prelu(const Tensor& x, const Tensor& weight);
/// log(1 + e^(beta x)) / beta, linear where beta x > threshold.
Tensor softplus(const Tensor& x, double beta = 1, double threshold = 20);
/// x Phi(x); with `tanh_approximation` the formula of Hendrycks and Gimpel 2016.
struct GeluOptions { bool tanh_approximation = false; };
Tensor gelu(const Tensor& x, GeluOptions options = {});
/// x limited to [low, high]; the derivative at both bounds is 0.
Tensor hardtanh(const Tensor& x, double low = -1, double high = 1);
Tensor softshrink(const Tensor& x, double lambda = 0.5);
Tensor hardshrink(const Tensor& x, double lambda = 0.5);
Tensor tanhshrink(const Tensor& x);
/// x where x > threshold, otherwise `value`.
Tensor threshold(const Tensor& x, double threshold, double value);
/// First half of `axis` times sigmoid of the second half. Dauphin et al. 2016.
Tensor glu(const Tensor& x, std::int64_t axis = -1);

}  // namespace rill
