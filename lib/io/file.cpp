#include <rill/io/file.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <random>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/core/check.h"
#include "lib/io/text.h"

namespace rill::io {
namespace {

int result(int r) { return r < 0 ? -errno : r; }
const char* reason(std::int64_t negative_errno) { return std::strerror(static_cast<int>(-negative_errno)); }

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

/// One attempt at a new content: removes its temporary file unless the commit was reached.
class Attempt {
 public:
  Attempt(const std::string& path, FileSystem& files) : path_(path), files_(files) {
    const auto slash = path.rfind('/');
    const auto name_at = slash == std::string::npos ? 0 : slash + 1;
    std::random_device random;
    for (int tries = 0; tries < 100; ++tries) {
      temporary_ = path.substr(0, name_at) + fmt::format(".{}.tmp-{}-{:08x}", path.substr(name_at), ::getpid(), random());
      file_ = files.create(temporary_);
      if (file_ != -EEXIST && file_ != -EINTR) break;
    }
    if (file_ < 0) refuse("creating a temporary file beside it", file_);
  }
  ~Attempt() {
    if (file_ >= 0) files_.close(file_);
    if (!committed_) files_.remove(temporary_);
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  void write(std::span<const std::byte> bytes) {
    int interrupted = 0;
    while (!bytes.empty()) {
      const auto n = files_.write(file_, bytes.data(), bytes.size());
      if (n == -EINTR && ++interrupted < 1000) continue;
      if (n <= 0) refuse("writing", n == 0 ? -EIO : n);
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      interrupted = 0;
    }
  }
  void commit() {
    // A failed flush is not repeated: the kernel may already have dropped the data it could not write.
    if (const int r = files_.sync(file_); r < 0) refuse("flushing", r);
    const int file = std::exchange(file_, -1);
    if (const int r = files_.close(file); r < 0) refuse("closing", r);
    if (const int r = files_.rename(temporary_, path_); r < 0) refuse("renaming the temporary file to it", r);
    committed_ = true;
  }

 private:
  [[noreturn]] void refuse(const char* step, std::int64_t error) const {
    fail<NotCommitted>("write_file", "{}: {} failed ({}); nothing was changed", shown(path_), step, reason(error));
  }
  const std::string& path_;
  FileSystem& files_;
  std::string temporary_;
  int file_ = -1;
  bool committed_ = false;
};

}  // namespace

int FileSystem::create(const std::string& path) { return result(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666)); }
std::int64_t FileSystem::write(int file, const std::byte* data, std::size_t count) {
  const auto n = ::write(file, data, count);
  return n < 0 ? -errno : n;
}
int FileSystem::sync(int file) {
#ifdef F_FULLFSYNC
  return result(::fcntl(file, F_FULLFSYNC));
#else
  return result(::fsync(file));
#endif
}
int FileSystem::close(int file) { return result(::close(file)); }
int FileSystem::rename(const std::string& from, const std::string& to) { return result(::rename(from.c_str(), to.c_str())); }
int FileSystem::sync_directory(const std::string& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return -errno;
  const int synced = result(::fsync(folder)), closed = result(::close(folder));
  return synced < 0 ? synced : closed;
}
int FileSystem::remove(const std::string& path) { return result(::unlink(path.c_str())); }

FileSystem& system_files() {
  static FileSystem files;
  return files;
}

void write_file(const std::string& path, std::span<const std::span<const std::byte>> pieces, FileSystem& files) {
  check<ValueError>(!path.empty() && path.back() != '/' && path.find('\0') == std::string::npos, "write_file", "{} is not the name of a file", shown(path));
  {
    Attempt attempt(path, files);
    for (const auto& piece : pieces) attempt.write(piece);
    attempt.commit();
  }
  if (const int r = files.sync_directory(folder_of(path)); r < 0)
    fail<DurabilityUncertain>("write_file", "{} was replaced, but flushing its folder failed ({}); the new file may be lost on power failure", shown(path), reason(r));
}

void write_file(const std::string& path, const std::string& text, FileSystem& files) {
  const std::span<const std::byte> piece = std::as_bytes(std::span(text));
  write_file(path, std::span(&piece, 1), files);
}

// ---- reading --------------------------------------------------------------------------------------------------------------

FileReader::FileReader(std::string path) : path_(std::move(path)) {
  check<ValueError>(path_.find('\0') == std::string::npos, "open", "{} is not the name of a file", shown(path_));
  file_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe must not block before its kind is known
  if (file_ < 0) {
    if (errno == ENOENT || errno == ENOTDIR) fail<NotFound>("open", "{}: no such file", shown(path_));
    fail<IoError>("open", "{}: {}", shown(path_), std::strerror(errno));
  }
  struct stat info;
  const int r = ::fstat(file_, &info);
  if (r < 0 || !S_ISREG(info.st_mode)) {
    ::close(file_);
    fail<IoError>("open", "{} is not a regular file", shown(path_));
  }
  size_ = info.st_size;
}
FileReader::~FileReader() { ::close(file_); }

void FileReader::read(std::int64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const auto n = ::pread(file_, out.data(), out.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    check<IoError>(n >= 0, "read", "{} at offset {}: {}", shown(path_), offset, std::strerror(errno));
    check<DataLoss>(n > 0, "read", "{} ends at offset {}, {} more bytes were expected; the file is truncated", shown(path_), offset, out.size());
    out = out.subspan(static_cast<std::size_t>(n));
    offset += n;
  }
}

std::vector<std::byte> read_file(const std::string& path, std::int64_t max_bytes) {
  const FileReader file(path);
  check<LimitExceeded>(file.size() <= max_bytes, "read_file", "{} has {} bytes, max_bytes is {}", shown(path), file.size(), max_bytes);
  std::vector<std::byte> bytes(static_cast<std::size_t>(file.size()));
  file.read(0, bytes);
  return bytes;
}

}  // namespace rill::io
