#include <rill/io/safetensors.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <set>

#include <nlohmann/json.hpp>

#include <rill/ops/create.h>

#include "lib/core/check.h"
#include "lib/core/checked.h"
#include "lib/io/crc32c.h"
#include "lib/io/safetensors_header.h"
#include "lib/io/text.h"

namespace rill::io {
namespace {

// Note [Checksums]: metadata "rill.crc32c" lists one CRC-32C per tensor in file order, eight hex digits each, separated by spaces;
// "rill.header_crc32c" is that of the header itself, computed with eight zeros in its place. Other readers see two more strings.
constexpr std::string_view kTensorSums = "rill.crc32c", kHeaderSum = "rill.header_crc32c", kHeaderSumText = "\"rill.header_crc32c\":\"", kNoSum = "00000000";

std::string hex(std::uint32_t v) { return fmt::format("{:08x}", v); }
std::string json(const std::string& text) { return nlohmann::json(text).dump(); }

using Read = std::function<void(std::int64_t offset, std::span<std::byte> out)>;

std::uint64_t u64le(std::span<const std::byte, 8> b) {
  std::uint64_t v = 0;
  for (int i = 7; i >= 0; --i) v = (v << 8) | std::to_integer<std::uint64_t>(b[static_cast<std::size_t>(i)]);
  return v;
}

/// The per-tensor sums after the header's own one held; nothing when the file carries none.
std::vector<std::uint32_t> checked_sums(std::string header, Metadata& metadata, std::size_t tensors, const std::string& file) {
  const char* op = "load_safetensors";
  const auto own = metadata.extract(std::string(kHeaderSum));
  const auto sums = metadata.extract(std::string(kTensorSums));
  std::vector<std::uint32_t> result;
  for (const auto& [key, value] : metadata) check<DataLoss>(!key.starts_with("rill."), op, "{}: metadata key {} is unknown; the header is damaged or newer than this library", file, shown(key));
  if (own.empty() && sums.empty()) return result;
  check<DataLoss>(!own.empty() && !sums.empty() && own.mapped().size() == 8 && sums.mapped().size() == tensors * 9, op, "{}: the checksums in its metadata are incomplete", file);
  const auto at = header.find(kHeaderSumText);
  check<DataLoss>(at != std::string::npos && header.compare(at + kHeaderSumText.size(), 8, own.mapped()) == 0, op, "{}: the checksum of its header was not written by rill", file);
  std::copy(kNoSum.begin(), kNoSum.end(), header.begin() + static_cast<std::ptrdiff_t>(at + kHeaderSumText.size()));
  check<DataLoss>(hex(crc32c(0, header.data(), header.size())) == own.mapped(), op, "{}: the header does not have its checksum {}; the file is damaged", file, own.mapped());
  const std::string& list = sums.mapped();
  for (std::size_t i = 0; i < tensors; ++i) {
    std::uint32_t v = 0;
    const char *first = list.data() + i * 9, *last = first + 8;
    check<DataLoss>(std::from_chars(first, last, v, 16).ptr == last, op, "{}: checksum {} is not a number", file, i);
    result.push_back(v);
  }
  return result;
}

Safetensors load(std::int64_t size, const Read& read, const std::string& file, const SafetensorsLimits& limits) {
  const char* op = "load_safetensors";
  check<DataLoss>(size >= 8, op, "{} has {} bytes, a safetensors file has at least 8; the file is truncated or foreign", file, size);
  std::byte first[8];
  read(0, first);
  const std::uint64_t n = u64le(first);
  check<LimitExceeded>(n <= static_cast<std::uint64_t>(limits.max_header), op, "{}: a header of {} bytes exceeds max_header = {}; the file is foreign or the limit too low", file, n, limits.max_header);
  check<DataLoss>(n <= static_cast<std::uint64_t>(size) - 8, op, "{}: the header has {} bytes, the file only {}; the file is truncated", file, n, size - 8);
  std::string text(static_cast<std::size_t>(n), '\0');
  read(8, std::as_writable_bytes(std::span(text)));
  SafetensorsHeader header = parse_safetensors_header(text, static_cast<std::uint64_t>(size) - 8 - n, file, limits);

  Safetensors result;
  result.verified = header.metadata.count(std::string(kHeaderSum)) == 1;
  const auto sums = checked_sums(std::move(text), header.metadata, header.entries.size(), file);
  for (const auto& e : header.entries)
    check<Unimplemented>(e.type->dtype.has_value(), op, "{}: tensor {} is {}, which rill has no element type for; convert it where it was written", file, shown(e.name), e.type->name);
  for (std::size_t i = 0; i < header.entries.size(); ++i) {
    const auto& e = header.entries[i];
    Shape shape;
    for (const auto s : e.shape) shape.push_back(static_cast<std::int64_t>(s));
    Tensor t = empty(shape, {.dtype = e.type->dtype});
    const std::span<std::byte> bytes(static_cast<std::byte*>(t.data_ptr()), t.nbytes());
    read(8 + static_cast<std::int64_t>(n + e.begin), bytes);
    if (!sums.empty()) {
      const auto found = crc32c(0, bytes.data(), bytes.size());
      check<DataLoss>(found == sums[i], op, "{}: tensor {} has checksum {}, expected {}; the file is damaged", file, shown(e.name), hex(found), hex(sums[i]));
    }
    if (t.dtype() == Dtype::boolean) {
      const auto bad = std::find_if(bytes.begin(), bytes.end(), [](std::byte b) { return b > std::byte{1}; });
      check<DataLoss>(bad == bytes.end(), op, "{}: element {} of bool tensor {} is neither 0 nor 1", file, bad - bytes.begin(), shown(e.name));
    }
    result.tensors.emplace_back(e.name, std::move(t));
  }
  result.metadata = std::move(header.metadata);
  return result;
}

}  // namespace

void save_safetensors(const std::string& path, const NamedTensors& tensors, const Metadata& metadata, FileSystem& files) {
  const char* op = "save_safetensors";
  std::set<std::string> names;
  for (const auto& [name, tensor] : tensors) {
    check<ValueError>(is_name(name) && name != "__metadata__", op, "{} cannot name a tensor; use 1 to 4096 bytes of UTF-8 without NUL, and not __metadata__", shown(name));
    check<ValueError>(names.insert(name).second, op, "two tensors are named {}", shown(name));
    check<ValueError>(tensor.defined(), op, "tensor {} is undefined", shown(name));
  }
  for (const auto& [key, value] : metadata) {
    check<ValueError>(!key.starts_with("rill."), op, "metadata key {} begins with rill., which the library keeps for itself", shown(key));
    check<ValueError>(is_utf8(key) && is_utf8(value), op, "metadata entry {} is not UTF-8", shown(key));
  }

  NamedTensors ordered;
  for (const auto& [name, tensor] : tensors) ordered.emplace_back(name, tensor.detach().to(Device::cpu()).contiguous());
  std::sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    const auto x = a.second.element_size(), y = b.second.element_size();
    return x != y ? x > y : a.first < b.first;
  });
  std::string sums, entries;
  std::vector<std::span<const std::byte>> pieces(2);
  std::uint64_t at = 0;
  for (const auto& [name, t] : ordered) {
    const std::span<const std::byte> bytes(static_cast<const std::byte*>(t.data_ptr()), t.nbytes());
    sums += hex(crc32c(0, bytes.data(), bytes.size())) + ' ';
    std::string shape;
    for (const auto s : t.shape()) shape += (shape.empty() ? "" : ",") + std::to_string(s);
    entries += fmt::format(",{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", json(name), safetensors_name(t.dtype()), shape, at, at + bytes.size());
    at += bytes.size();
    pieces.push_back(bytes);
  }
  std::string header = fmt::format("{{\"__metadata__\":{{\"{}\":\"{}\",{}{}\"", kTensorSums, sums, kHeaderSumText, kNoSum);
  const std::size_t own_sum = header.size() - 1 - kNoSum.size();
  for (const auto& [key, value] : metadata) header += "," + json(key) + ":" + json(value);
  header += "}" + entries + "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  header.replace(own_sum, kNoSum.size(), hex(crc32c(0, header.data(), header.size())));
  check<LimitExceeded>(header.size() <= 100'000'000, op, "the header for {} tensors has {} bytes, the format allows 100000000", tensors.size(), header.size());

  std::byte length[8];
  for (int i = 0; i < 8; ++i) length[i] = static_cast<std::byte>(header.size() >> (8 * i));
  pieces[0] = length;
  pieces[1] = std::as_bytes(std::span(header));
  write_file(path, pieces, files);
}

Safetensors load_safetensors(const std::string& path, const SafetensorsLimits& limits) {
  const FileReader file(path);
  return load(file.size(), [&](std::int64_t offset, std::span<std::byte> out) { file.read(offset, out); }, shown(path), limits);
}

Safetensors parse_safetensors(std::span<const std::byte> bytes, const std::string& name, const SafetensorsLimits& limits) {
  const auto read = [&](std::int64_t offset, std::span<std::byte> out) { std::copy_n(bytes.begin() + offset, out.size(), out.begin()); };
  return load(static_cast<std::int64_t>(bytes.size()), read, shown(name), limits);
}

}  // namespace rill::io
