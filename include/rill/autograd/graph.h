// The tape behind a tensor, as text and as lists.
#pragma once

#include <string>
#include <vector>

#include <rill/core/named_tensors.h>

namespace rill {

/// One line per step, from `t` towards the leaves: "n0 sum <- n1", "n3 leaf float32 [2, 3] weight". Names of leaves come from
/// `names`, those of ops from the NameScope that was open ("n1 add layer1/add <- n2, n4").
std::string graph_text(const Tensor& t, const NamedTensors& names = {});
/// The same for Graphviz: `dot -Tsvg`.
std::string graph_dot(const Tensor& t, const NamedTensors& names = {});
/// Names of tensors that require grad but that `t` does not depend on: the usual reason why a parameter does not learn.
std::vector<std::string> unused_leaves(const Tensor& t, const NamedTensors& parameters);
/// Names of parameters without `.grad`.
std::vector<std::string> without_grad(const NamedTensors& parameters);

}  // namespace rill
