#include <rill/nn/linear.h>

#include <rill/ops/create.h>
#include <rill/ops/linalg.h>

#include "lib/core/check.h"
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
  return fmt::format("Linear(in_features={}, out_features={}, bias={})", weight.size(1), weight.size(0), repr::boolean(bias.defined()));
}
std::int64_t Linear::flops(const Tensor&, const Tensor& y) const { return 2 * y.numel() * weight.size(1); }

}  // namespace rill::nn
