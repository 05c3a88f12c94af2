#include <rill/data/idx.h>

#include <algorithm>
#include <bit>

#include <rill/io/file.h>
#include <rill/ops/create.h>

#include "data/gzip.h"
#include "lib/core/check.h"

namespace rill::data {
namespace {

struct Element {
  int code;
  Dtype dtype;
};
constexpr Element kElements[] = {{0x08, uint8}, {0x09, int8}, {0x0B, int16}, {0x0C, int32}, {0x0D, float32}, {0x0E, float64}};

void swap_bytes(std::byte* data, std::size_t count, std::size_t element) {
  if constexpr (std::endian::native == std::endian::big) return;
  if (element == 1) return;
  for (std::size_t i = 0; i < count; ++i) std::reverse(data + i * element, data + (i + 1) * element);
}

/// Fills `out` or says what is missing.
void read_all(ByteStream& in, std::span<std::byte> out, const char* what) {
  const auto begin = in.position();
  const auto n = in.read(out);
  check<DataLoss>(n == out.size(), "read_idx", "\"{}\": {} {} bytes from offset {} on, the file{} ends at offset {}; it is truncated", in.path(), what, out.size(), begin,
                  in.compressed() ? " (inflated)" : "", in.position());
}

}  // namespace

Tensor read_idx(const std::string& path, const IdxLimits& limits) {
  const char* op = "read_idx";
  ByteStream in(path);
  std::byte magic[4];
  read_all(in, magic, "the magic number needs");
  const auto byte = [](std::byte b) { return std::to_integer<int>(b); };
  const auto* element = std::find_if(std::begin(kElements), std::end(kElements), [&](const Element& e) { return e.code == byte(magic[2]); });
  check<DataLoss>(byte(magic[0]) == 0 && byte(magic[1]) == 0 && element != std::end(kElements), op,
                  "\"{}\" begins with {:02x} {:02x} {:02x} {:02x} at offset 0, which no IDX file does (00 00, type 08 09 0b 0c 0d or 0e, rank); it is foreign or damaged", path,
                  byte(magic[0]), byte(magic[1]), byte(magic[2]), byte(magic[3]));
  const int rank = byte(magic[3]);
  check<LimitExceeded>(rank <= kMaxRank, op, "\"{}\" has rank {}, at most {} axes are supported", path, rank, kMaxRank);
  std::vector<std::byte> header(static_cast<std::size_t>(4 * rank));
  read_all(in, header, "the sizes need");
  Shape shape;
  std::int64_t bytes = static_cast<std::int64_t>(size_of(element->dtype));
  for (std::size_t i = 0; i < header.size(); i += 4) {
    const auto size = std::int64_t{byte(header[i])} << 24 | byte(header[i + 1]) << 16 | byte(header[i + 2]) << 8 | byte(header[i + 3]);
    shape.push_back(size);
    check<LimitExceeded>(!__builtin_mul_overflow(bytes, std::max<std::int64_t>(size, 1), &bytes) && bytes <= limits.max_bytes, op,
                         "\"{}\" declares {} elements and more of {} bytes, max_bytes is {}", path, shape, size_of(element->dtype), limits.max_bytes);
  }
  for (const auto size : shape)
    if (size == 0) bytes = 0;
  check<DataLoss>(bytes <= in.at_most_left(), op, "\"{}\": shape {} needs {} bytes from offset {} on, the file cannot hold more than {}; it is truncated or damaged", path, shape, bytes,
                  in.position(), in.at_most_left());
  Tensor values = empty(shape, {.dtype = element->dtype});
  const std::span<std::byte> data(static_cast<std::byte*>(values.data_ptr()), static_cast<std::size_t>(bytes));
  read_all(in, data, "the elements need");
  swap_bytes(data.data(), static_cast<std::size_t>(values.numel()), values.element_size());
  if (in.compressed()) {  // the trailer is checked when the stream is read to its end
    std::byte rest[4096];
    while (in.read(rest) > 0)
      check<DataLoss>(in.position() <= limits.max_bytes, op, "\"{}\" goes on after its elements for more than max_bytes = {}", path, limits.max_bytes);
  }
  return values;
}

void write_idx(const std::string& path, const Tensor& values) {
  check_defined("write_idx", values, "values");
  const auto* element = std::find_if(std::begin(kElements), std::end(kElements), [&](const Element& e) { return e.dtype == values.dtype(); });
  check<DtypeError>(element != std::end(kElements), "write_idx", "{} is not supported (expected uint8, int8, int16, int32, float32 or float64)", values.dtype());
  std::vector<std::byte> header = {std::byte{0}, std::byte{0}, static_cast<std::byte>(element->code), static_cast<std::byte>(values.dim())};
  for (const auto size : values.shape()) {
    check<ShapeError>(size <= UINT32_MAX, "write_idx", "size {} in {} does not fit in 32 bits", size, values.shape());
    for (int shift = 24; shift >= 0; shift -= 8) header.push_back(static_cast<std::byte>(size >> shift));
  }
  const Tensor copy = values.detach().clone(MemoryFormat::contiguous);
  const std::span<std::byte> data(static_cast<std::byte*>(copy.data_ptr()), copy.nbytes());
  swap_bytes(data.data(), static_cast<std::size_t>(copy.numel()), copy.element_size());
  const std::span<const std::byte> pieces[] = {header, data};
  io::write_file(path, pieces);
}

}  // namespace rill::data
