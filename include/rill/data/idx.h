// IDX, the container of MNIST: big-endian header (0, 0, element type, rank, sizes) and raw elements.
#pragma once

#include <string>

#include <rill/core/tensor.h>

namespace rill::data {

struct IdxLimits {
  std::int64_t max_bytes = std::int64_t{1} << 32;  ///< of the inflated elements
};

/// Reads a plain or gzip-compressed IDX file (told apart by the first bytes) of any element type: uint8, int8, int16, int32,
/// float32, float64. Bytes after the elements are ignored in a plain file; a gzip trailer is always verified.
/// Throws NotFound; DataLoss with path and offset for a truncated, damaged or foreign file; LimitExceeded.
Tensor read_idx(const std::string& path, const IdxLimits& limits = {});

/// Writes a contiguous or strided tensor of one of these types as a plain IDX file, atomically.
void write_idx(const std::string& path, const Tensor& values);

}  // namespace rill::data
