// Text that comes from files or from the caller, made safe to show.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rill::io {

/// In double quotes, control characters and bytes above 0x7e that are not UTF-8 escaped, cut at 128 bytes.
std::string shown(std::string_view text);
bool is_utf8(std::string_view text);
/// A tensor name that a file may hold: 1 byte to 4 KiB of UTF-8 without NUL.
bool is_name(std::string_view text);

}  // namespace rill::io
