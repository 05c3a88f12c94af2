#include <rill/io/checkpoint.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "lib/core/check.h"
#include "lib/io/text.h"

namespace rill::io {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kExtension = ".safetensors";

/// Savers of one folder take turns. Where the file system has no locks, they do not, and nothing is cleaned up.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder) : file_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    held_ = file_ >= 0 && ::flock(file_, LOCK_EX) == 0;
  }
  ~FolderLock() { if (file_ >= 0) ::close(file_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  bool held() const noexcept { return held_; }

 private:
  int file_;
  bool held_ = false;
};

/// The step in "prefix-<digits>.safetensors".
std::optional<std::int64_t> step_of(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix) || !name.ends_with(kExtension) || name.size() < prefix.size() + 2 + kExtension.size() || name[prefix.size()] != '-') return {};
  name = name.substr(prefix.size() + 1, name.size() - prefix.size() - 1 - kExtension.size());
  std::int64_t step = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
  if (error != std::errc() || end != name.data() + name.size() || name[0] == '-') return {};
  return step;
}

/// Reads one flat object; anything deeper, repeated or of another kind ends the parse.
class StateHandler : public nlohmann::json_sax<nlohmann::json> {
 public:
  State state;
  bool null() override { return false; }
  bool boolean(bool v) override { return put(v); }
  bool number_integer(number_integer_t v) override { return put(std::int64_t{v}); }
  bool number_unsigned(number_unsigned_t v) override { return v <= std::uint64_t{INT64_MAX} && put(static_cast<std::int64_t>(v)); }
  bool number_float(number_float_t v, const string_t&) override { return put(v); }
  bool string(string_t& v) override { return put(v); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return depth_++ == 0; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return false; }
  bool end_array() override { return false; }
  bool key(string_t& k) override {
    key_ = k;
    return state.size() < 1'000'000 && state.count(key_) == 0;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  bool put(StateValue v) {
    if (depth_ != 1) return false;
    state[key_] = std::move(v);
    return true;
  }
  std::string key_;
  int depth_ = 0;
};

}  // namespace

template <class T> T get(const State& state, const std::string& key) {
  const auto it = state.find(key);
  check<DataLoss>(it != state.end(), "get", "the state has no entry {}", shown(key));
  if (const T* v = std::get_if<T>(&it->second)) return *v;
  if constexpr (std::is_same_v<T, double>)
    if (const auto* v = std::get_if<std::int64_t>(&it->second)) return static_cast<double>(*v);
  constexpr const char* kNames[] = {"a boolean", "an integer", "a number", "a string"};
  fail<DataLoss>("get", "state entry {} is {}, expected {}", shown(key), kNames[it->second.index()], kNames[StateValue(T{}).index()]);
}
template bool get<bool>(const State&, const std::string&);
template std::int64_t get<std::int64_t>(const State&, const std::string&);
template double get<double>(const State&, const std::string&);
template std::string get<std::string>(const State&, const std::string&);

std::string to_json(const State& state) {
  nlohmann::json j = nlohmann::json::object();
  for (const auto& [key, value] : state) {
    const auto* number = std::get_if<double>(&value);
    const auto* text = std::get_if<std::string>(&value);
    check<ValueError>(!number || std::isfinite(*number), "to_json", "state entry {} is not finite, which JSON cannot hold", shown(key));
    check<ValueError>(is_utf8(key) && (!text || is_utf8(*text)), "to_json", "state entry {} is not UTF-8", shown(key));
    std::visit([&, &name = key](const auto& v) { j[name] = v; }, value);
  }
  return j.dump();
}
State state_from_json(const std::string& text) {
  StateHandler handler;
  check<DataLoss>(text.find('\0') == std::string::npos && nlohmann::json::sax_parse(text, &handler), "state_from_json",
                  "{} is not a flat JSON object of booleans, numbers and strings", shown(text));
  return std::move(handler.state);
}

std::vector<CheckpointFile> list_checkpoints(const std::string& folder, const std::string& prefix) {
  std::vector<CheckpointFile> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (const auto step = step_of(it->path().filename().string(), prefix)) found.push_back({it->path().string(), *step});
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.step < b.step; });
  return found;
}

std::optional<CheckpointFile> latest_checkpoint(const std::string& folder, const std::string& prefix) {
  auto all = list_checkpoints(folder, prefix);
  if (all.empty()) return {};
  return std::move(all.back());
}

std::string save_checkpoint(const std::string& folder, std::int64_t step, const NamedTensors& tensors, const State& given, const CheckpointOptions& options) {
  const char* op = "save_checkpoint";
  check<ValueError>(step >= 0, op, "step {} is negative", step);
  check<ValueError>(options.keep >= 0, op, "keep is {}; use 0 to keep all", options.keep);
  check<ValueError>(is_name(options.prefix) && options.prefix.find('/') == std::string::npos, op, "prefix {} cannot begin a file name", shown(options.prefix));
  State state = given;
  state["step"] = step;
  const Metadata metadata = {{"state", to_json(state)}};
  std::error_code error;
  fs::create_directories(folder, error);
  if (!fs::is_directory(folder)) fail<NotCommitted>(op, "folder {} could not be made ({}); nothing was changed", shown(folder), error ? error.message() : "a file of that name exists");

  const FolderLock lock(folder);
  if (lock.held())
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      const std::string name = it->path().filename().string();
      std::error_code ignored;
      if (name.starts_with("." + options.prefix + "-") && name.find(std::string(kExtension) + ".tmp-") != std::string::npos) fs::remove(it->path(), ignored);
    }
  const std::string path = (fs::path(folder) / fmt::format("{}-{:09d}{}", options.prefix, step, kExtension)).string();
  save_safetensors(path, tensors, metadata, options.files ? *options.files : system_files());
  if (options.keep > 0) {
    auto all = list_checkpoints(folder, options.prefix);
    const auto beyond = std::ssize(all) - options.keep;
    for (std::ptrdiff_t i = 0; i < beyond; ++i)
      if (all[static_cast<std::size_t>(i)].path != path) fs::remove(all[static_cast<std::size_t>(i)].path, error);
  }
  return path;
}

Checkpoint load_checkpoint(const std::string& path) {
  Safetensors file = load_safetensors(path);
  check<DataLoss>(file.verified, "load_checkpoint", "{} carries no checksums; it was not written by save_checkpoint", shown(path));
  const auto state = file.metadata.find("state");
  check<DataLoss>(state != file.metadata.end(), "load_checkpoint", "{} holds tensors but no training state; read it with load_safetensors", shown(path));
  Checkpoint c{path, 0, std::move(file.tensors), state_from_json(state->second)};
  c.step = get<std::int64_t>(c.state, "step");
  return c;
}

LatestCheckpoint load_latest_checkpoint(const std::string& folder, const std::string& prefix) {
  LatestCheckpoint result;
  auto all = list_checkpoints(folder, prefix);
  while (!all.empty()) {
    try {
      result.checkpoint = load_checkpoint(all.back().path);
      return result;
    } catch (const Error& e) {  // damaged, or removed meanwhile by a saver that keeps only the last few
      result.skipped.push_back(e.what());
      all.pop_back();
    }
  }
  return result;
}

}  // namespace rill::io
