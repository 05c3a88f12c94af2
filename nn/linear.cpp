#include <rill/nn/linear.h>

#include <cmath>

#include <rill/nn/init.h>
#include <rill/ops/create.h>
#include <rill/ops/linalg.h>

#include "lib/core/check.h"

namespace rill::nn {

Linear::Linear(std::int64_t in, std::int64_t out, LinearOptions options) {
  check<ValueError>(in >= 1 && out >= 1, "Linear", "sizes are {} in and {} out; both must be at least 1", in, out);
  weight = Parameter(empty({out, in}, options.tensor));
  init::kaiming_uniform_(weight, {.slope = std::sqrt(5.0)});  // = U(-1 / sqrt(in), 1 / sqrt(in))
  if (!options.bias) return;
  bias = Parameter(empty({out}, options.tensor));
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  init::uniform_(bias, -bound, bound);
}
Tensor Linear::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return linear(x, weight, bias); });
}
std::string Linear::describe() const {
  return fmt::format("Linear(in_features={}, out_features={}, bias={})", weight.size(1), weight.size(0), bias.defined());
}

}  // namespace rill::nn
