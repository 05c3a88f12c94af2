// Tensors with names: what modules, optimizers and averages hand to a file and take back.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <rill/core/tensor.h>

namespace rill {

/// Ordered as their owner lists them; names are unique.
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// The tensor of that name, or an undefined one.
inline Tensor find(const NamedTensors& tensors, const std::string& name) {
  for (const auto& [key, value] : tensors)
    if (key == name) return value;
  return {};
}

/// The same tensors under "prefix" + name.
NamedTensors with_prefix(const std::string& prefix, const NamedTensors& tensors);
/// Those whose name begins with the prefix, without it.
NamedTensors without_prefix(const std::string& prefix, const NamedTensors& tensors);

/// The same tensors with the names that a model had before PyTorch's wrappers added "module." in front of all of them (distributed training) and
/// "_orig_mod." anywhere (torch.compile).
NamedTensors without_wrappers(const NamedTensors& tensors);

struct LoadOptions {
  bool allow_missing = false;     ///< what is not found stays as it is
  bool allow_unexpected = false;  ///< the input may hold more
};
/// What the options let pass.
struct LoadResult {
  std::vector<std::string> missing, unexpected;
};

/// Compares what a file holds with what an owner expects. Throws ValueError "op: 2 tensors missing (a, b), 1 unexpected (c), 1 with
/// another shape or dtype (d: float32 [2, 3] expected, float32 [3, 2] found)" that lists every difference at once. Tensors in the
/// result follow the order of `expected`; missing ones are undefined.
std::vector<Tensor> match(const std::string& op, const NamedTensors& expected, const NamedTensors& found, const LoadOptions& options = {});

}  // namespace rill
