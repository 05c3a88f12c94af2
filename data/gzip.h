// A stream of bytes from a plain or gzip-compressed file.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include <rill/io/file.h>

namespace rill::data {

/// Reads forward; gzip is recognised by its first two bytes. Members that follow each other count as one stream.
class ByteStream {
 public:
  explicit ByteStream(const std::string& path);
  ~ByteStream();
  const std::string& path() const noexcept { return file_.path(); }
  bool compressed() const noexcept { return inflate_ != nullptr; }
  /// Fills as much of `out` as the stream still holds and returns how much that is. Throws DataLoss for a damaged gzip stream,
  /// with the offset in the file; its checksum is verified when its end is reached.
  std::size_t read(std::span<std::byte> out);
  /// Bytes handed out so far.
  std::int64_t position() const noexcept { return position_; }
  /// The most bytes that the rest of the stream can hold (deflate packs at most 1032 : 1).
  std::int64_t at_most_left() const noexcept;

 private:
  struct Inflate;
  std::size_t read_compressed(std::span<std::byte> out);
  io::FileReader file_;
  std::unique_ptr<Inflate> inflate_;
  std::int64_t offset_ = 0, position_ = 0;
};

}  // namespace rill::data
