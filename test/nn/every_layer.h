// One list of all layers with all their options, for tests that hold for each of them. The keys are those of test/oracle/layer_goldens.py.
#pragma once

#include <map>

#include <rill/nn/containers.h>

namespace rill {

using MakeLayer = nn::AnyModule (*)();
const std::map<std::string, MakeLayer>& every_layer();

}  // namespace rill
