#include <rill/core/named_tensors.h>

#include <algorithm>
#include <map>
#include <string_view>

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

NamedTensors without_wrappers(const NamedTensors& tensors) {
  NamedTensors result = tensors;
  for (auto& entry : result) {
    constexpr std::string_view kCompiled = "_orig_mod.";
    std::string& name = entry.first;
    for (std::size_t at = 0; (at = name.find(kCompiled, at)) != std::string::npos;) {
      if (at == 0 || name[at - 1] == '.') name.erase(at, kCompiled.size());
      else at += kCompiled.size();
    }
  }
  constexpr std::string_view kParallel = "module.";
  while (!result.empty() && std::all_of(result.begin(), result.end(), [&](const auto& entry) { return entry.first.starts_with(kParallel); }))
    for (auto& entry : result) entry.first.erase(0, kParallel.size());
  return result;
}

std::vector<Tensor> match(const std::string& op, const NamedTensors& expected, const NamedTensors& found, const LoadOptions& options) {
  std::map<std::string, Tensor> by_name;
  for (const auto& [name, tensor] : found) by_name[name] = tensor;
  std::vector<Tensor> result;
  Names missing, unexpected, different;
  for (const auto& [name, want] : expected) {
    const auto it = by_name.find(name);
    if (it == by_name.end()) {
      if (!options.allow_missing) missing.add(name);
      result.emplace_back();
      continue;
    }
    const Tensor& have = it->second;
    if (have.shape() == want.shape() && have.dtype() == want.dtype()) result.push_back(have);
    else different.add(fmt::format("{}: {} {} expected, {} {} found", name, want.dtype(), want.shape(), have.dtype(), have.shape()));
    by_name.erase(it);
  }
  if (!options.allow_unexpected)
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
