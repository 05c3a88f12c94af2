#include <rill/nn/linear.h>

#include <cmath>

#include <rill/nn/init.h>
#include <rill/ops/create.h>
#include <rill/ops/linalg.h>

#include "lib/core/check.h"
#include "nn/place.h"
#include "nn/repr.h"
#include "nn/uniform_start.h"

namespace rill::nn {

Linear::Linear(std::int64_t in, std::int64_t out, LinearOptions options) {
  check<ValueError>(in >= 1 && out >= 1, "Linear", "sizes are {} in and {} out; both must be at least 1", in, out);
  weight = Parameter(empty({out, in}, options.tensor));
  if (options.bias) bias = Parameter(empty({out}, options.tensor));
  uniform_start(weight, bias);
}
Tensor Linear::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return linear(x, weight, bias); });
}
std::string Linear::describe() const {
  return fmt::format("{}(in_features={}, out_features={}, bias={})", class_name(*this), weight.size(1), weight.size(0), repr::boolean(bias.defined()));
}
std::int64_t Linear::flops(const Tensor&, const Tensor& y) const { return 2 * y.numel() * weight.size(1); }

Bilinear::Bilinear(std::int64_t in1, std::int64_t in2, std::int64_t out, LinearOptions options) {
  check<ValueError>(in1 >= 1 && in2 >= 1 && out >= 1, "Bilinear", "sizes are {} and {} in, {} out; all must be at least 1", in1, in2, out);
  weight = Parameter(empty({out, in1, in2}, options.tensor));
  if (options.bias) bias = Parameter(empty({out}, options.tensor));
  const double bound = 1 / std::sqrt(static_cast<double>(in1));
  init::uniform_(weight, -bound, bound);
  if (options.bias) init::uniform_(bias, -bound, bound);
}
Tensor Bilinear::operator()(const Tensor& a, const Tensor& b) const {
  return call(a, [&](const Tensor& a) { return bilinear(a, b, weight, bias); });
}
std::string Bilinear::describe() const {
  return fmt::format("{}(in1_features={}, in2_features={}, out_features={}, bias={})", class_name(*this), weight.size(1), weight.size(2), weight.size(0), repr::boolean(bias.defined()));
}
/// a weight, then the product with b.
std::int64_t Bilinear::flops(const Tensor&, const Tensor& y) const { return 2 * y.numel() * (weight.size(1) + 1) * weight.size(2); }

}  // namespace rill::nn
