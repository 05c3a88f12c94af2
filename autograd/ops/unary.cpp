// Elementwise functions of one operand: one line each; everything they share is in autograd/elementwise.h.
#include <rill/ops/elementwise.h>

#include "autograd/elementwise.h"
#include "lib/core/op_range.h"

namespace rill {

Tensor abs(const Tensor& x) { return unary<fn::Abs>(x); }
Tensor abs_(const Tensor& x) { return unary_<fn::Abs>(x); }
Tensor neg(const Tensor& x) { return unary<fn::Neg>(x); }
Tensor neg_(const Tensor& x) { return unary_<fn::Neg>(x); }
Tensor square(const Tensor& x) { return unary<fn::Square>(x); }
Tensor square_(const Tensor& x) { return unary_<fn::Square>(x); }
Tensor sign(const Tensor& x) { return unary<fn::Sign>(x); }
Tensor sign_(const Tensor& x) { return unary_<fn::Sign>(x); }
Tensor sqrt(const Tensor& x) { return unary<fn::Sqrt>(x); }
Tensor sqrt_(const Tensor& x) { return unary_<fn::Sqrt>(x); }
Tensor rsqrt(const Tensor& x) { return unary<fn::Rsqrt>(x); }
Tensor rsqrt_(const Tensor& x) { return unary_<fn::Rsqrt>(x); }
Tensor reciprocal(const Tensor& x) { return unary<fn::Reciprocal>(x); }
Tensor reciprocal_(const Tensor& x) { return unary_<fn::Reciprocal>(x); }
Tensor floor(const Tensor& x) { return unary<fn::Floor>(x); }
Tensor floor_(const Tensor& x) { return unary_<fn::Floor>(x); }
Tensor ceil(const Tensor& x) { return unary<fn::Ceil>(x); }
Tensor ceil_(const Tensor& x) { return unary_<fn::Ceil>(x); }
Tensor round(const Tensor& x) { return unary<fn::Round>(x); }
Tensor round_(const Tensor& x) { return unary_<fn::Round>(x); }
Tensor trunc(const Tensor& x) { return unary<fn::Trunc>(x); }
Tensor trunc_(const Tensor& x) { return unary_<fn::Trunc>(x); }
Tensor frac(const Tensor& x) { return unary<fn::Frac>(x); }
Tensor frac_(const Tensor& x) { return unary_<fn::Frac>(x); }
Tensor exp(const Tensor& x) { return unary<fn::Exp>(x); }
Tensor exp_(const Tensor& x) { return unary_<fn::Exp>(x); }
Tensor exp2(const Tensor& x) { return unary<fn::Exp2>(x); }
Tensor exp2_(const Tensor& x) { return unary_<fn::Exp2>(x); }
Tensor expm1(const Tensor& x) { return unary<fn::Expm1>(x); }
Tensor expm1_(const Tensor& x) { return unary_<fn::Expm1>(x); }
Tensor log(const Tensor& x) { return unary<fn::Log>(x); }
Tensor log_(const Tensor& x) { return unary_<fn::Log>(x); }
Tensor log1p(const Tensor& x) { return unary<fn::Log1p>(x); }
Tensor log1p_(const Tensor& x) { return unary_<fn::Log1p>(x); }
Tensor log2(const Tensor& x) { return unary<fn::Log2>(x); }
Tensor log2_(const Tensor& x) { return unary_<fn::Log2>(x); }
Tensor log10(const Tensor& x) { return unary<fn::Log10>(x); }
Tensor log10_(const Tensor& x) { return unary_<fn::Log10>(x); }
Tensor sin(const Tensor& x) { return unary<fn::Sin>(x); }
Tensor sin_(const Tensor& x) { return unary_<fn::Sin>(x); }
Tensor cos(const Tensor& x) { return unary<fn::Cos>(x); }
Tensor cos_(const Tensor& x) { return unary_<fn::Cos>(x); }
Tensor tan(const Tensor& x) { return unary<fn::Tan>(x); }
Tensor tan_(const Tensor& x) { return unary_<fn::Tan>(x); }
Tensor asin(const Tensor& x) { return unary<fn::Asin>(x); }
Tensor asin_(const Tensor& x) { return unary_<fn::Asin>(x); }
Tensor acos(const Tensor& x) { return unary<fn::Acos>(x); }
Tensor acos_(const Tensor& x) { return unary_<fn::Acos>(x); }
Tensor atan(const Tensor& x) { return unary<fn::Atan>(x); }
Tensor atan_(const Tensor& x) { return unary_<fn::Atan>(x); }
Tensor sinh(const Tensor& x) { return unary<fn::Sinh>(x); }
Tensor sinh_(const Tensor& x) { return unary_<fn::Sinh>(x); }
Tensor cosh(const Tensor& x) { return unary<fn::Cosh>(x); }
Tensor cosh_(const Tensor& x) { return unary_<fn::Cosh>(x); }
Tensor tanh(const Tensor& x) { return unary<fn::Tanh>(x); }
Tensor tanh_(const Tensor& x) { return unary_<fn::Tanh>(x); }
Tensor asinh(const Tensor& x) { return unary<fn::Asinh>(x); }
Tensor asinh_(const Tensor& x) { return unary_<fn::Asinh>(x); }
Tensor acosh(const Tensor& x) { return unary<fn::Acosh>(x); }
Tensor acosh_(const Tensor& x) { return unary_<fn::Acosh>(x); }
Tensor atanh(const Tensor& x) { return unary<fn::Atanh>(x); }
Tensor atanh_(const Tensor& x) { return unary_<fn::Atanh>(x); }
Tensor erf(const Tensor& x) { return unary<fn::Erf>(x); }
Tensor erf_(const Tensor& x) { return unary_<fn::Erf>(x); }
Tensor erfc(const Tensor& x) { return unary<fn::Erfc>(x); }
Tensor erfc_(const Tensor& x) { return unary_<fn::Erfc>(x); }
Tensor erfinv(const Tensor& x) { return unary<fn::Erfinv>(x); }
Tensor erfinv_(const Tensor& x) { return unary_<fn::Erfinv>(x); }
Tensor lgamma(const Tensor& x) { return unary<fn::Lgamma>(x); }
Tensor lgamma_(const Tensor& x) { return unary_<fn::Lgamma>(x); }
Tensor digamma(const Tensor& x) { return unary<fn::Digamma>(x); }
Tensor digamma_(const Tensor& x) { return unary_<fn::Digamma>(x); }
Tensor trigamma(const Tensor& x) { return unary<fn::Trigamma>(x); }
Tensor trigamma_(const Tensor& x) { return unary_<fn::Trigamma>(x); }
Tensor relu(const Tensor& x) { return unary<fn::Relu>(x); }
Tensor relu_(const Tensor& x) { return unary_<fn::Relu>(x); }
Tensor relu6(const Tensor& x) { return unary<fn::Relu6>(x); }
Tensor relu6_(const Tensor& x) { return unary_<fn::Relu6>(x); }
Tensor selu(const Tensor& x) { return unary<fn::Selu>(x); }
Tensor selu_(const Tensor& x) { return unary_<fn::Selu>(x); }
Tensor sigmoid(const Tensor& x) { return unary<fn::Sigmoid>(x); }
Tensor sigmoid_(const Tensor& x) { return unary_<fn::Sigmoid>(x); }
Tensor logsigmoid(const Tensor& x) { return unary<fn::LogSigmoid>(x); }
Tensor logsigmoid_(const Tensor& x) { return unary_<fn::LogSigmoid>(x); }
Tensor softsign(const Tensor& x) { return unary<fn::Softsign>(x); }
Tensor softsign_(const Tensor& x) { return unary_<fn::Softsign>(x); }
Tensor silu(const Tensor& x) { return unary<fn::Silu>(x); }
Tensor silu_(const Tensor& x) { return unary_<fn::Silu>(x); }
Tensor mish(const Tensor& x) { return unary<fn::Mish>(x); }
Tensor mish_(const Tensor& x) { return unary_<fn::Mish>(x); }
Tensor hardswish(const Tensor& x) { return unary<fn::Hardswish>(x); }
Tensor hardswish_(const Tensor& x) { return unary_<fn::Hardswish>(x); }
Tensor hardsigmoid(const Tensor& x) { return unary<fn::Hardsigmoid>(x); }
Tensor hardsigmoid_(const Tensor& x) { return unary_<fn::Hardsigmoid>(x); }

Tensor sinc(const Tensor& x) { return unary<fn::Sinc>(x); }
Tensor tanhshrink(const Tensor& x) { return unary<fn::Tanhshrink>(x); }
Tensor logit(const Tensor& x, std::optional<double> eps) {
  const OpRange here("logit", x);
  const double infinity = std::numeric_limits<double>::infinity();
  return unary(x, eps ? fn::Logit{*eps, 1 - *eps} : fn::Logit{-infinity, infinity});
}

Tensor elu(const Tensor& x, double alpha) { return unary(x, fn::Elu{alpha}); }
Tensor leaky_relu(const Tensor& x, double slope) { return unary(x, fn::LeakyRelu{slope}); }
Tensor gelu(const Tensor& x, GeluOptions options) { return options.tanh_approximation ? unary<fn::GeluTanh>(x) : unary<fn::Gelu>(x); }

Tensor celu(const Tensor& x, double alpha) {
  check<ValueError>(alpha != 0, "celu", "alpha is 0; use a number other than 0");
  return unary(x, fn::Celu{alpha});
}
Tensor softplus(const Tensor& x, double beta, double threshold) {
  check<ValueError>(beta > 0, "softplus", "beta is {}; use a number above 0", beta);
  return unary(x, fn::Softplus{beta, threshold});
}
Tensor hardtanh(const Tensor& x, double low, double high) {
  check<ValueError>(low <= high, "hardtanh", "low {} is above high {}", low, high);
  return unary(x, fn::Hardtanh{low, high});
}
Tensor softshrink(const Tensor& x, double lambda) {
  check<ValueError>(lambda >= 0, "softshrink", "lambda is {}; use 0 or more", lambda);
  return unary(x, fn::Softshrink{lambda});
}
Tensor hardshrink(const Tensor& x, double lambda) {
  check<ValueError>(lambda >= 0, "hardshrink", "lambda is {}; use 0 or more", lambda);
  return unary(x, fn::Hardshrink{lambda});
}
Tensor threshold(const Tensor& x, double threshold, double value) { return unary(x, fn::Threshold{threshold, value}); }

namespace {
fn::Clamp bounds(const Tensor& x, std::optional<Scalar> low, std::optional<Scalar> high) {
  check_defined("clamp", x);
  check<ValueError>(low || high, "clamp", "both bounds are missing; give at least one");
  const double infinity = std::numeric_limits<double>::infinity();
  fn::Clamp f{low ? low->to_double() : -infinity, high ? high->to_double() : infinity};
  if (f.low > f.high) f.low = f.high;
  return f;
}
}  // namespace
Tensor clamp(const Tensor& x, std::optional<Scalar> low, std::optional<Scalar> high) {
  const OpRange here("clamp", x);
  const bool promote = x.defined() && !is_floating(x.dtype()) && ((low && low->is_floating()) || (high && high->is_floating()));
  return unary(promote ? x.to(default_dtype()) : x, bounds(x, low, high));
}
Tensor clamp_(const Tensor& x, std::optional<Scalar> low, std::optional<Scalar> high) { return unary_(x, bounds(x, low, high)); }

namespace {
fn::NanToNum replacements(Dtype d, double nan, std::optional<double> positive, std::optional<double> negative) {
  const double largest = d == Dtype::float64 ? std::numeric_limits<double>::max() : d == Dtype::float16 ? 65504.0 : d == Dtype::bfloat16 ? 3.3895313892515355e38 : std::numeric_limits<float>::max();
  return {nan, positive.value_or(largest), negative.value_or(-largest)};
}
}  // namespace
Tensor nan_to_num(const Tensor& x, double nan, std::optional<double> positive, std::optional<double> negative) {
  const OpRange here("nan_to_num", x);
  check_defined("nan_to_num", x);
  return is_floating(x.dtype()) ? unary(x, replacements(x.dtype(), nan, positive, negative)) : x;
}
Tensor nan_to_num_(const Tensor& x, double nan, std::optional<double> positive, std::optional<double> negative) {
  const OpRange here("nan_to_num_", x);
  check_defined("nan_to_num_", x);
  if (!is_floating(x.dtype())) return rewrite("nan_to_num_", x, [](const Tensor& before) { return before; });
  return unary_(x, replacements(x.dtype(), nan, positive, negative));
}

}  // namespace rill
