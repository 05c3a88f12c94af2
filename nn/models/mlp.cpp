#include <rill/nn/models/mlp.h>

#include <rill/ops/elementwise.h>

#include "lib/core/check.h"

namespace rill::nn::models {

Mlp::Mlp(const std::vector<std::int64_t>& sizes, const MlpOptions& o) : dropout(o.dropout), activation(o.activation) {
  check<ValueError>(sizes.size() >= 2, "Mlp", "{} sizes are given; it needs those of the input and the output at least, as {{784, 500, 10}}", sizes.size());
  if (!activation) activation = [](const Tensor& x) { return relu(x); };
  for (std::size_t i = 1; i < sizes.size(); ++i) layers.emplace_back(sizes[i - 1], sizes[i], LinearOptions{.bias = o.bias, .tensor = o.tensor});
}
Tensor Mlp::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) {
    Tensor y = layers.front()(x);
    for (std::size_t i = 1; i < layers.size(); ++i) y = layers[i](dropout(activation(y)));
    return y;
  });
}

}  // namespace rill::nn::models
