// The JSON header of a safetensors file, read into plain values. The format: huggingface/safetensors, README "Format".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rill/io/safetensors.h>

namespace rill::io {

struct SafetensorsDtype {
  std::string_view name;
  int bits;
  std::optional<Dtype> dtype;  // none: a legal type of the format without a counterpart here
};
/// nullptr for an unknown name.
const SafetensorsDtype* safetensors_dtype(std::string_view name);
std::string_view safetensors_name(Dtype dtype);

struct SafetensorsEntry {
  std::string name;
  const SafetensorsDtype* type = nullptr;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0, end = 0;  // bytes, relative to the end of the header
};
struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  // sorted by place in the file
  Metadata metadata;
};

/// Parses and validates: JSON of the right form, no duplicate, ranges that follow each other without gaps from 0 to `data_bytes`,
/// sizes that agree with shape and dtype. Throws DataLoss and LimitExceeded; `file` is used in messages.
SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_bytes, const std::string& file, const SafetensorsLimits& limits);

}  // namespace rill::io
