// Tensors in a safetensors file: an 8-byte header length, a JSON header, the raw little-endian bytes.
#pragma once

#include <map>
#include <span>
#include <string>

#include <rill/core/named_tensors.h>
#include <rill/io/file.h>

namespace rill::io {

/// Free text stored beside the tensors. Keys that begin with "rill." are the library's own.
using Metadata = std::map<std::string, std::string>;

struct SafetensorsLimits {
  std::int64_t max_header = 100'000'000;  ///< bytes of the JSON header
  std::int64_t max_tensors = 1'000'000;
  bool allow_trailing_bytes = false;      ///< accept a file that goes on after its last tensor
};

struct Safetensors {
  NamedTensors tensors;   ///< in the order of the file
  Metadata metadata;      ///< without the library's own keys
  bool verified = false;  ///< the file carries checksums, and all of them hold
  /// The tensor of that name, or an undefined one.
  Tensor find(const std::string& name) const { return rill::find(tensors, name); }
};

/// Writes the tensors (any strides and device) and the metadata as one atomic commit (see write_file). Tensors are laid out by
/// descending element size, then by name, so that all are aligned; CRC-32C sums of every tensor and of the header travel in the
/// metadata. Throws ValueError for a name that is empty, longer than 4 KiB, not UTF-8 or used twice; NotCommitted and
/// DurabilityUncertain as write_file.
void save_safetensors(const std::string& path, const NamedTensors& tensors, const Metadata& metadata = {}, FileSystem& files = system_files());

/// Checks the whole structure and then reads every tensor. Throws NotFound; DataLoss naming path, field and values for a
/// truncated, damaged or foreign file; LimitExceeded; Unimplemented for an element type that rill lacks (8-bit floats, say).
Safetensors load_safetensors(const std::string& path, const SafetensorsLimits& limits = {});
/// The same from memory; `name` is used in messages.
Safetensors parse_safetensors(std::span<const std::byte> bytes, const std::string& name = "memory", const SafetensorsLimits& limits = {});

}  // namespace rill::io
