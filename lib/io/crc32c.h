// CRC-32C (Castagnoli), the checksum of checkpoints and TFRecord files.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rill::io {

/// Continues `crc` (0 at the start) over n bytes. Reflected polynomial 0x82F63B78, initial and final value all ones (RFC 3720 B.4).
std::uint32_t crc32c(std::uint32_t crc, const void* data, std::size_t n) noexcept;

}  // namespace rill::io
