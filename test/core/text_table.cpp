#include "lib/core/text_table.h"

#include "test/support/catch.h"

using namespace rill;

TEST_CASE("numbers with units", "[core]") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1234567) == "1,234,567");
  CHECK(bytes_text(1023) == "1023 B");
  CHECK(bytes_text(1536) == "1.50 KiB");
  CHECK(bytes_text(-(std::int64_t{5} << 20)) == "-5.00 MiB");
  CHECK(count_text(1230000000) == "1.23 G");
  CHECK(time_text(999) == "999 ns");
  CHECK(time_text(12345) == "12.3 us");
  CHECK(time_text(1500000) == "1.50 ms");
  CHECK(time_text(250000000000) == "250 s");
}

TEST_CASE("columns are as wide as their widest cell", "[core]") {
  CHECK(text_table({{"op", "calls"}, {"conv2d", "3"}}, 1) == "op      calls\nconv2d      3\n");
}
