// Tensors in golden files: "2x3" is a shape, "1,2,nan" values, "float32 2x3 1,2,3,4,5,6" a tensor.
#pragma once

#include <rill/ops/create.h>
#include <rill/ops/view.h>

#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

namespace rill::text {

inline std::vector<std::string> split(const std::string& s, char by) {  // "" has no parts
  std::vector<std::string> parts;
  std::istringstream in(s);
  for (std::string part; std::getline(in, part, by);) parts.push_back(part);
  return parts;
}
inline Shape shape(const std::string& s) {
  Shape result;
  for (const auto& part : split(s, 'x')) result.push_back(std::stoll(part));
  return result;
}
inline std::vector<double> values(const std::string& s) {
  std::vector<double> result;
  for (const auto& part : split(s, ',')) result.push_back(std::strtod(part.c_str(), nullptr));
  return result;
}
inline Dtype dtype(const std::string& name) {
  for (int d = 0; d < kDtypeCount; ++d)
    if (to_string(static_cast<Dtype>(d)) == name) return static_cast<Dtype>(d);
  throw std::runtime_error("no dtype " + name);
}
inline Tensor tensor(const std::string& s) {
  const auto parts = split(s, ' ');  // the shape of a 0-dim tensor and the values of an empty one are missing texts
  return rill::tensor(values(parts.size() > 2 ? parts[2] : "")).to(dtype(parts.at(0))).reshape(shape(parts.size() > 1 ? parts[1] : ""));
}

}  // namespace rill::text
