#include "data/gzip.h"

#include <algorithm>
#include <vector>

#include <zlib.h>

#include "lib/core/check.h"

namespace rill::data {

struct ByteStream::Inflate {
  z_stream z{};
  std::vector<std::byte> buffer = std::vector<std::byte>(1 << 16);
  bool inside = true;  // a member has begun and not ended
  Inflate() {
    if (inflateInit2(&z, 15 + 16) != Z_OK) fail<OutOfMemory>("gzip", "the decompressor could not be set up");
  }
  ~Inflate() { inflateEnd(&z); }
};

ByteStream::ByteStream(const std::string& path) : file_(path) {
  std::byte magic[2];
  if (file_.size() < 2) return;
  file_.read(0, magic);
  if (magic[0] == std::byte{0x1f} && magic[1] == std::byte{0x8b}) inflate_ = std::make_unique<Inflate>();
}
ByteStream::~ByteStream() = default;

std::int64_t ByteStream::at_most_left() const noexcept {
  const std::int64_t left = file_.size() - offset_;
  return compressed() ? (left + static_cast<std::int64_t>(inflate_->z.avail_in) + 1024) * 1032 : left;
}

std::size_t ByteStream::read(std::span<std::byte> out) {
  std::size_t n;
  if (compressed()) {
    n = read_compressed(out);
  } else {
    n = static_cast<std::size_t>(std::min<std::int64_t>(static_cast<std::int64_t>(out.size()), file_.size() - offset_));
    file_.read(offset_, out.first(n));
    offset_ += static_cast<std::int64_t>(n);
  }
  position_ += static_cast<std::int64_t>(n);
  return n;
}

std::size_t ByteStream::read_compressed(std::span<std::byte> out) {
  auto& [z, buffer, inside] = *inflate_;
  std::size_t done = 0;
  while (done < out.size()) {
    if (z.avail_in == 0) {
      const auto n = std::min<std::int64_t>(static_cast<std::int64_t>(buffer.size()), file_.size() - offset_);
      if (n == 0 && !inside) break;
      check<DataLoss>(n > 0, "gzip", "\"{}\" ends at offset {} inside a compressed stream; the file is truncated", path(), offset_);
      file_.read(offset_, std::span(buffer).first(static_cast<std::size_t>(n)));
      offset_ += n;
      z.next_in = reinterpret_cast<Bytef*>(buffer.data());
      z.avail_in = static_cast<uInt>(n);
    }
    if (!inside) {
      inflateReset(&z);
      inside = true;
    }
    const auto room = static_cast<uInt>(std::min<std::size_t>(out.size() - done, 1 << 30));
    z.next_out = reinterpret_cast<Bytef*>(out.data() + done);
    z.avail_out = room;
    const int r = ::inflate(&z, Z_NO_FLUSH);
    done += room - z.avail_out;
    check<DataLoss>(r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR, "gzip", "\"{}\" is damaged before offset {}: {}", path(), offset_ - static_cast<std::int64_t>(z.avail_in), z.msg ? z.msg : "invalid stream");
    if (r == Z_STREAM_END) inside = false;
  }
  return done;
}

}  // namespace rill::data
