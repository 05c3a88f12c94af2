// JPEG pictures. Needs a build with libjpeg; without it both functions throw Unimplemented.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <rill/core/tensor.h>

namespace rill::data {

struct JpegLimits {
  std::int64_t max_samples = std::int64_t{1} << 29;  ///< height * width * components of the file
};

/// A baseline or progressive JPEG as uint8 [height, width, 3]: grey is repeated, CMYK is converted. Orientation tags and colour profiles are
/// not applied. Throws DataLoss with `name` for bytes that are no JPEG, damaged or cut off, however few are missing; LimitExceeded.
Tensor decode_jpeg(std::span<const std::byte> bytes, const std::string& name = "memory", const JpegLimits& limits = {});
/// The same from a file. Throws NotFound and IoError as well.
Tensor read_jpeg(const std::string& path, const JpegLimits& limits = {});

}  // namespace rill::data
