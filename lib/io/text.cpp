#include "lib/io/text.h"

#include <fmt/core.h>

namespace rill::io {
namespace {

/// Length of the UTF-8 sequence at the start of `s`, 0 when it is not one (RFC 3629: no overlong forms, no surrogates).
std::size_t sequence(std::string_view s) {
  const auto at = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; };
  const auto tail = [&](std::size_t i) { return (at(i) & 0xC0) == 0x80; };
  const unsigned a = at(0), b = at(1);
  if (a < 0x80) return 1;
  if (a >= 0xC2 && a <= 0xDF) return tail(1) ? 2 : 0;
  if (a >= 0xE0 && a <= 0xEF) return tail(1) && tail(2) && !(a == 0xE0 && b < 0xA0) && !(a == 0xED && b >= 0xA0) ? 3 : 0;
  if (a >= 0xF0 && a <= 0xF4) return tail(1) && tail(2) && tail(3) && !(a == 0xF0 && b < 0x90) && !(a == 0xF4 && b >= 0x90) ? 4 : 0;
  return 0;
}

}  // namespace

std::string shown(std::string_view text) {
  constexpr std::size_t kShown = 128;
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    if (i >= kShown) {
      out += "...";
      break;
    }
    const auto length = sequence(text.substr(i));
    const auto c = static_cast<unsigned char>(text[i]);
    if (length == 1 && (c == '"' || c == '\\')) out += '\\', out += text[i];
    else if (length == 1 && c >= 0x20 && c != 0x7f) out += text[i];
    else if (length > 1) out += text.substr(i, length);
    else out += fmt::format("\\x{:02x}", c);
    i += length > 1 ? length : 1;
  }
  return out + "\"";
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = sequence(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 4096 && text.find('\0') == std::string_view::npos && is_utf8(text);
}

}  // namespace rill::io
