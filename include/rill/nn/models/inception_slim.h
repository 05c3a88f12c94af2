// Weights of Inception-v3 that TF-Slim has trained.
#pragma once

#include <rill/nn/models/inception_v3.h>

namespace rill::nn::models {

/// Units of the network and the scopes of the same in TF-Slim: ("Mixed_5b.branch1x1", "InceptionV3/Mixed_5b/Branch_0/Conv2d_0a_1x1"), ...,
/// ("fc", "InceptionV3/Logits/Conv2d_1c_1x1").
std::vector<std::pair<std::string, std::string>> slim_scopes(const InceptionV3& model);

/// The state for model.load() from the variables of a TF-Slim checkpoint. Kernels [h, w, in, out] become [out, in, h, w], beta the bias of a
/// normalisation, gamma its weight (1 where there is none), and a head of classes + 1 outputs loses the first, the background. Other
/// variables (global_step, optimizer slots, averages) are left out. ValueError lists every variable that is missing or has another rank.
NamedTensors from_slim(const InceptionV3& model, const NamedTensors& variables);

}  // namespace rill::nn::models
