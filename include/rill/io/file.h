// Files that are never half-written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <rill/core/error.h>

namespace rill::io {

/// The system calls behind write_file, so that tests can make the k-th one fail. Every call returns -errno on failure.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual int create(const std::string& path);  ///< a descriptor of a new file; fails when the name exists, links included
  virtual std::int64_t write(int file, const std::byte* data, std::size_t count);  ///< bytes written, perhaps fewer than asked
  virtual int sync(int file);
  virtual int close(int file);
  virtual int rename(const std::string& from, const std::string& to);
  virtual int sync_directory(const std::string& path);
  virtual int remove(const std::string& path);
};
FileSystem& system_files();

/// Writes the pieces, one after the other, as the new content of `path` in one atomic step: a temporary file in the same folder is
/// written, flushed to the disk and renamed over the target. Readers see the old or the new content, never a mixture.
/// Throws NotCommitted when any step up to the rename fails (the old file is untouched, the temporary one is removed) and
/// DurabilityUncertain when only the folder could not be flushed (the new file is visible but may be lost on power failure).
void write_file(const std::string& path, std::span<const std::span<const std::byte>> pieces, FileSystem& files = system_files());
void write_file(const std::string& path, const std::string& text, FileSystem& files = system_files());

/// A regular file opened for reading. Throws NotFound when it does not exist, IoError when it cannot be read or is not a regular file.
class FileReader {
 public:
  explicit FileReader(std::string path);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;
  const std::string& path() const noexcept { return path_; }
  std::int64_t size() const noexcept { return size_; }
  /// Fills `out` from `offset` on. Throws DataLoss when the file has become shorter.
  void read(std::int64_t offset, std::span<std::byte> out) const;

 private:
  std::string path_;
  int file_ = -1;
  std::int64_t size_ = 0;
};

/// The whole content. Throws as FileReader, and LimitExceeded when it is larger than max_bytes.
std::vector<std::byte> read_file(const std::string& path, std::int64_t max_bytes = std::int64_t{1} << 32);

}  // namespace rill::io
