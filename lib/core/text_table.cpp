#include "lib/core/text_table.h"

#include <algorithm>

#include "lib/core/check.h"

namespace rill {
namespace {

/// n in the largest of five units, each `step` times the one before.
std::string scaled(std::int64_t n, int step, const char* const* units) {
  double value = static_cast<double>(n);
  int k = 0;
  for (; std::abs(value) >= step && k < 4; ++k) value /= step;
  if (k == 0) return fmt::format("{}{}", n, units[0]);
  const double size = std::abs(value);
  return fmt::format("{:.{}f}{}", value, size < 10 ? 2 : size < 100 ? 1 : 0, units[k]);
}

}  // namespace

std::string grouped(std::int64_t n) {
  std::string digits = std::to_string(n);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}
std::string bytes_text(std::int64_t bytes) {
  static constexpr const char* kUnits[] = {" B", " KiB", " MiB", " GiB", " TiB"};
  return scaled(bytes, 1024, kUnits);
}
std::string count_text(std::int64_t n) {
  static constexpr const char* kUnits[] = {"", " K", " M", " G", " T"};
  return scaled(n, 1000, kUnits);
}
std::string time_text(std::int64_t nanoseconds) {
  static constexpr const char* kUnits[] = {" ns", " us", " ms", " s", " ks"};
  return scaled(nanoseconds, 1000, kUnits);
}

std::string text_table(const std::vector<std::vector<std::string>>& lines, std::size_t words) {
  std::vector<std::size_t> widths(lines[0].size());
  for (const auto& line : lines)
    for (std::size_t k = 0; k < line.size(); ++k) widths[k] = std::max(widths[k], line[k].size());
  std::string text;
  for (const auto& line : lines) {
    for (std::size_t k = 0; k < line.size(); ++k) {
      const std::string space(widths[k] - line[k].size(), ' ');
      text += (k ? "  " : "") + (k < words ? line[k] + space : space + line[k]);
    }
    text += "\n";
  }
  return text;
}

}  // namespace rill
