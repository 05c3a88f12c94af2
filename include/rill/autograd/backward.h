// Reverse mode: gradients of outputs with respect to leaves (`backward`) or to chosen tensors (`grad`).
#pragma once

#include <optional>
#include <vector>

#include <rill/core/tensor.h>

namespace rill {

struct BackwardOptions {
  std::optional<bool> retain_graph = {};  ///< keep saved tensors for another pass; default: same as create_graph
  bool create_graph = false;              ///< record the backward pass itself, for higher derivatives
  bool allow_unused = false;              ///< `grad` only: an input that the outputs do not depend on gives an undefined tensor
};

/// Adds d(sum outputs . gradients) / d(leaf) into `.grad` of every leaf. `gradients` may be empty when all outputs have one
/// element; otherwise one per output, of the output's shape. With `inputs`, only those leaves receive gradients.
/// Throws GradError when an output is not on the tape, when the graph was released, or when a saved tensor has changed.
void backward(const std::vector<Tensor>& outputs, const std::vector<Tensor>& gradients = {}, const BackwardOptions& options = {},
              const std::vector<Tensor>& inputs = {});

/// The gradients themselves, one per input, in order; `.grad` of the leaves stays untouched.
/// Throws GradError for an input that the outputs do not depend on, unless `allow_unused`.
std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& gradients = {}, const BackwardOptions& options = {});

}  // namespace rill
