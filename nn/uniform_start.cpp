#include "nn/uniform_start.h"

#include <cmath>

#include <rill/nn/init.h>

namespace rill::nn {

void uniform_start(const Tensor& weight, const Tensor& bias) {
  init::kaiming_uniform_(weight, {.slope = std::sqrt(5.0)});  // = U(-1 / sqrt(fan_in), 1 / sqrt(fan_in))
  if (!bias.defined()) return;
  const double bound = 1 / std::sqrt(static_cast<double>(init::fan(weight).in));
  init::uniform_(bias, -bound, bound);
}

}  // namespace rill::nn
