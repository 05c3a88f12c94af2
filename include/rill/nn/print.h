// Modules as text, in the form of PyTorch's print.
//
//   Sequential(
//     (0): Linear(in_features=4, out_features=2, bias=True)
//     (1): ReLU()
//   )
//
// Members of a std::vector appear as a ModuleList, those of a vector of pairs as a ModuleDict.
#pragma once

#include <string>

#include <rill/nn/module.h>

namespace rill::nn {

std::string to_string(const Module& module);
/// The same on standard output, with a line end.
void print(const Module& module);

}  // namespace rill::nn
