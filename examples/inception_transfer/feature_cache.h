// What a frozen network makes of each photograph, kept in a file: the network runs once per photograph, not once per step of training.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <rill/io/safetensors.h>

namespace transfer {

class FeatureCache {
 public:
  /// `key` stands for everything that the features depend on beside the photographs: weights, preprocessing. A file with another key counts as empty,
  /// as does one that is damaged; `discarded()` says why.
  FeatureCache(std::string path, std::string key) : path_(std::move(path)), key_(std::move(key)) {
    if (!std::filesystem::exists(path_)) return;
    try {
      const auto file = rill::io::load_safetensors(path_);
      const auto found = file.metadata.find("key");
      if (found == file.metadata.end() || found->second != key_) discarded_ = "it was made with other weights or settings";
      else
        for (const auto& [name, features] : file.tensors) entries_[name] = {features, false};
    } catch (const rill::DataLoss& e) {
      discarded_ = e.what();
    }
  }
  const std::string& discarded() const { return discarded_; }

  /// The features of a photograph with this content, or an undefined tensor.
  rill::Tensor find(const std::string& name, std::uint64_t content) {
    const auto at = entries_.find(key_of(name, content));
    if (at == entries_.end()) return {};
    at->second.used = true;
    return at->second.features;
  }
  void add(const std::string& name, std::uint64_t content, const rill::Tensor& features) {
    entries_[key_of(name, content)] = {features, true};
    ++added_;
  }
  std::int64_t added() const { return added_; }
  void save() const {
    rill::NamedTensors all;
    for (const auto& [name, entry] : entries_) all.emplace_back(name, entry.features);
    rill::io::save_safetensors(path_, all, {{"key", key_}});
  }
  /// Forgets what was neither found nor added: photographs that are gone or have changed.
  void drop_unused() {
    std::erase_if(entries_, [](const auto& e) { return !e.second.used; });
  }

 private:
  struct Entry { rill::Tensor features; bool used; };
  static std::string key_of(const std::string& name, std::uint64_t content) { return name + "#" + std::to_string(content); }

  std::string path_, key_, discarded_;
  std::map<std::string, Entry> entries_;
  std::int64_t added_ = 0;
};

}  // namespace transfer
