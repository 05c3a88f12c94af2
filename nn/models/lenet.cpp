#include <rill/nn/models/lenet.h>

#include <rill/nn/init.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/pool.h>

#include "lib/core/check.h"

namespace rill::nn::models {

LeNet5::LeNet5(const LeNet5Options& o)
    : conv1(1, o.filters[0], {.kernel = 5, .padding = 2, .tensor = o.tensor}), conv2(o.filters[0], o.filters[1], {.kernel = 5, .padding = o.second_padding, .tensor = o.tensor}), dropout(o.dropout) {
  check<ValueError>(!o.second_padding.is_same() && o.second_padding.count() == 1, "LeNet5", "second_padding must be one number; 2 keeps the size");
  const std::int64_t grid = (14 + 2 * o.second_padding[0] - 4) / 2;
  std::int64_t in = o.filters[1] * grid * grid;
  for (const std::int64_t size : o.hidden) fc.emplace_back(std::exchange(in, size), size, LinearOptions{.tensor = o.tensor});
  fc.emplace_back(in, o.classes, LinearOptions{.tensor = o.tensor});
  if (o.std == 0) return;
  for (const Conv2d* layer : {&conv1, &conv2}) init::truncated_normal_(layer->weight, {.std = o.std}), init::zeros_(layer->bias);
  for (const Linear& layer : fc) init::truncated_normal_(layer.weight, {.std = o.std}), init::constant_(layer.bias, 0.1);
}

Tensor LeNet5::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) {
    check_defined("LeNet5", x, "the image");
    check<ShapeError>(x.dim() == 4 && x.size(1) == 1 && x.size(2) == 28 && x.size(3) == 28, "LeNet5", "x has shape {}; expected [N, 1, 28, 28]", x.shape());
    Tensor y = max_pool2d(relu(conv1(x)), 2);
    y = max_pool2d(relu(conv2(y)), 2).flatten(1);
    for (std::size_t i = 0; i + 1 < fc.size(); ++i) y = dropout(relu(fc[i](y)));
    return fc.back()(y);
  });
}

std::vector<Tensor> LeNet5::linear_weights() const {
  std::vector<Tensor> weights;
  for (const Linear& layer : fc) weights.push_back(layer.weight);
  return weights;
}

}  // namespace rill::nn::models
