// Pieces of describe() in Python's spelling, so that the print of a model can be compared with PyTorch's line by line.
#pragma once

#include <string>

#include <rill/ops/conv.h>

namespace rill::nn::repr {

inline const char* boolean(bool b) { return b ? "True" : "False"; }
/// 0.5, 1.0, 1e-05: the shortest digits that give the value back.
std::string number(double v);
/// (3, 5), or (3,) for one value.
std::string tuple(const Dims& values);
/// The values of all axes: (3, 3) for a 3 on two axes.
std::string tuple(const PerAxis& values, int axes);
/// As it was given: 3 or (3, 5); None for nothing.
std::string given(const PerAxis& values);

}  // namespace rill::nn::repr
