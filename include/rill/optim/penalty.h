// Penalties on the size of weights: scalars to be added to the loss.
#pragma once

#include <vector>

#include <rill/core/named_tensors.h>

namespace rill::optim {

/// scale * sum(w^2) / 2 over all tensors; its gradient is scale * w, as that of PyTorch's weight_decay = scale. ValueError for a
/// negative scale or an empty list.
Tensor l2(const std::vector<Tensor>& weights, double scale);
/// scale * sum(|w|).
Tensor l1(const std::vector<Tensor>& weights, double scale);
/// The parameters that are usually penalised: rank 2 and above, so no biases and no scales of normalisations.
std::vector<Tensor> decayable(const NamedTensors& parameters);

}  // namespace rill::optim
