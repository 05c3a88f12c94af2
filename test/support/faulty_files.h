// A file system whose k-th call fails.
#pragma once

#include <rill/io/file.h>

struct FaultyFiles : rill::io::FileSystem {
  int calls = 0, fail_at = 0, error = 0;
  bool forever = false;
  std::size_t most_per_write = ~std::size_t{0};

  bool fails() {
    ++calls;
    return fail_at > 0 && (calls == fail_at || (forever && calls > fail_at));
  }
  int create(const std::string& path) override { return fails() ? -error : FileSystem::create(path); }
  std::int64_t write(int file, const std::byte* data, std::size_t count) override {
    return fails() ? -error : FileSystem::write(file, data, std::min(count, most_per_write));
  }
  int sync(int file) override { return fails() ? -error : FileSystem::sync(file); }
  int close(int file) override {
    const int r = FileSystem::close(file);  // as on Linux, the descriptor is gone even when close reports an error
    return fails() ? -error : r;
  }
  int rename(const std::string& from, const std::string& to) override { return fails() ? -error : FileSystem::rename(from, to); }
  int sync_directory(const std::string& path) override { return fails() ? -error : FileSystem::sync_directory(path); }
  int remove(const std::string& path) override { return FileSystem::remove(path); }
};
