// Where a program computes: --device cpu, cuda or cuda:1.
#pragma once

#include <charconv>
#include <string>

#include <rill/core/tensor.h>

#include "examples/support/flags.h"

namespace examples {

inline constexpr const char* kDeviceHelp = "where to compute: cpu, cuda or cuda:1";

/// The device of that name. A CUDA device that cannot be used is refused by the first tensor on it.
inline rill::Device device_of(const std::string& name) {
  if (name == "cpu") return rill::Device::cpu();
  if (name == "cuda") return rill::Device::cuda();
  int index = -1;
  if (name.starts_with("cuda:")) {
    const auto [end, error] = std::from_chars(name.data() + 5, name.data() + name.size(), index);
    if (error == std::errc() && end == name.data() + name.size() && index >= 0) return rill::Device::cuda(index);
  }
  throw UsageError("device", "\"" + name + "\" is no device; use cpu, cuda or cuda:1");
}

/// A module moved there.
template <class M> M on(rill::Device device, M module) {
  module.to({.device = device});
  return module;
}

}  // namespace examples
