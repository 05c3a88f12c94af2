// Numbers with units, and tables of text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rill {

/// 1234567 as 1,234,567.
std::string grouped(std::int64_t n);
/// Three significant digits and a unit: "1.23 G" of 1,230,000,000.
std::string count_text(std::int64_t n);
/// "1.50 KiB" of 1536.
std::string bytes_text(std::int64_t bytes);
/// "12.3 us" of 12,345 ns.
std::string time_text(std::int64_t nanoseconds);

/// Lines of cells as columns: the first `words` columns to the left, numbers to the right.
std::string text_table(const std::vector<std::vector<std::string>>& lines, std::size_t words);

}  // namespace rill
