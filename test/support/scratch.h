// A folder of its own for each test, removed at the end.
#pragma once

#include <filesystem>
#include <fstream>
#include <random>
#include <string>

struct ScratchFolder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("rill-test-" + std::to_string(std::random_device{}()) + "-" + std::to_string(std::random_device{}()));
  ScratchFolder() { std::filesystem::create_directories(path); }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string operator/(const std::string& name) const { return (path / name).string(); }
};

inline std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void spill(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }
