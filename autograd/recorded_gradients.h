// Gradients of a fused op in a backward pass that is recorded itself.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include <rill/core/tensor.h>

namespace rill {

using ListFunction = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;

/// The gradients of f's outputs with respect to those of `inputs` that need one, as tensors of the tape. f computes with public ops
/// what the op computes in one piece. It runs on aliases of the inputs, so that an input made from another one counts as a
/// value of its own; nothing behind the aliases is touched, as the pass that asks is still walking there. Undefined gradients stand for zero.
std::vector<Tensor> recorded_gradients(const ListFunction& f, const std::vector<Tensor>& inputs, std::span<const Tensor> gradients);

}  // namespace rill
