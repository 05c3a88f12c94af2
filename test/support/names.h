// The names of tensors or modules in their order.
#pragma once

#include <string>
#include <vector>

namespace rill {

template <class Named> std::vector<std::string> names(const Named& list) {
  std::vector<std::string> result;
  for (const auto& entry : list) result.push_back(entry.first);
  return result;
}

}  // namespace rill
