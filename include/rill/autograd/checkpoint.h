// Activation checkpointing: forget what a part of the network saves for backward and compute it again when it is needed.
#pragma once

#include <functional>
#include <vector>

#include <rill/core/random.h>

namespace rill {

struct CheckpointOptions {
  bool preserve_rng = true;               ///< draw the same random numbers again from the default generator (dropout)
  std::vector<Generator> generators = {}; ///< further generators that the function draws from
};

/// f(inputs), recorded without keeping the tensors that its ops save: backward calls f once more to get them (Chen et al. 2016).
/// f runs twice and must do the same both times; what it captures by reference must live until backward. Gradients of everything f
/// uses are as without checkpoint, also second ones. GradError in backward when f saved something else the second time.
std::vector<Tensor> checkpoint(std::function<std::vector<Tensor>(const std::vector<Tensor>&)> f, const std::vector<Tensor>& inputs, const CheckpointOptions& options = {});
Tensor checkpoint(std::function<Tensor(const Tensor&)> f, const Tensor& x, const CheckpointOptions& options = {});
/// The functions one after another, in `segments` checkpointed groups of about equal length. ValueError unless 1 <= segments <= count.
Tensor checkpoint_sequential(std::vector<std::function<Tensor(const Tensor&)>> functions, std::int64_t segments, const Tensor& x, const CheckpointOptions& options = {});

}  // namespace rill
