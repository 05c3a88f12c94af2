#include <rill/core/named_tensors.h>

#include <map>

#include "lib/core/check.h"

namespace rill {
namespace {

/// Long lists are cut, so that a wrong file gives a readable sentence.
struct Names {
  std::string text;
  std::size_t count = 0;
  void add(const std::string& item) {
    constexpr std::size_t kShown = 20;
    if (++count <= kShown) text += (count > 1 ? ", " : "") + item;
    else if (count == kShown + 1) text += ", ...";
  }
};

}  // namespace

NamedTensors with_prefix(const std::string& prefix, const NamedTensors& tensors) {
  NamedTensors result;
  for (const auto& [name, tensor] : tensors) result.emplace_back(prefix + name, tensor);
  return result;
}
NamedTensors without_prefix(const std::string& prefix, const NamedTensors& tensors) {
  NamedTensors result;
  for (const auto& [name, tensor] : tensors)
    if (name.starts_with(prefix)) result.emplace_back(name.substr(prefix.size()), tensor);
  return result;
}

std::vector<Tensor> match(const std::string& op, const NamedTensors& expected, const NamedTensors& found, bool allow_unexpected) {
  std::map<std::string, Tensor> by_name;
  for (const auto& [name, tensor] : found) by_name[name] = tensor;
  std::vector<Tensor> result;
  Names missing, unexpected, different;
  for (const auto& [name, want] : expected) {
    const auto it = by_name.find(name);
    if (it == by_name.end()) {
      missing.add(name);
      continue;
    }
    const Tensor& have = it->second;
    if (have.shape() == want.shape() && have.dtype() == want.dtype()) result.push_back(have);
    else different.add(fmt::format("{}: {} {} expected, {} {} found", name, want.dtype(), want.shape(), have.dtype(), have.shape()));
    by_name.erase(it);
  }
  if (!allow_unexpected)
    for (const auto& [name, tensor] : found)
      if (by_name.count(name)) unexpected.add(name);
  std::string sentence;
  const auto part = [&](const Names& names, const char* what) {
    if (names.count == 0) return;
    sentence += fmt::format("{}{}{} ({})", sentence.empty() ? "" : ", ", names.count, what, names.text);
  };
  part(missing, missing.count == 1 ? " tensor missing" : " tensors missing");
  part(unexpected, " unexpected");
  part(different, " with another shape or dtype");
  if (!sentence.empty()) fail<ValueError>(op, "{}; nothing was changed", sentence);
  return result;
}

}  // namespace rill
