#include "test/support/catch.h"

#include <zlib.h>

#include <rill/data/idx.h>
#include <rill/ops/create.h>

#include "test/support/scratch.h"

using namespace rill;
using Catch::Matchers::Contains;

namespace {

std::string gzip(const std::string& text) {
  z_stream z{};
  REQUIRE(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(text.size() + 100, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}
std::string bytes(std::initializer_list<int> values) {
  std::string s;
  for (const int v : values) s += static_cast<char>(v);
  return s;
}
const std::string kImages = bytes({0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255});

}  // namespace

TEST_CASE("read_idx reads every element type, plain and gzip", "[data][idx]") {
  const ScratchFolder folder;
  spill(folder / "plain", kImages);
  spill(folder / "packed", gzip(kImages));
  spill(folder / "members", gzip(kImages.substr(0, 9)) + gzip(kImages.substr(9)));
  for (const char* name : {"plain", "packed", "members"}) {
    const Tensor t = data::read_idx(folder / name);
    CHECK(t.shape() == Shape{2, 2, 3});
    CHECK(t.dtype() == uint8);
    CHECK(t.to_vector<int>() == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255});
  }
  spill(folder / "i16", bytes({0, 0, 0x0B, 1, 0, 0, 0, 2, 0x01, 0x02, 0xff, 0xfe}));
  CHECK(data::read_idx(folder / "i16").to_vector<int>() == std::vector<int>{258, -2});
  spill(folder / "f32", bytes({0, 0, 0x0D, 1, 0, 0, 0, 1, 0x3f, 0xc0, 0, 0}));
  CHECK(data::read_idx(folder / "f32").item<float>() == 1.5f);
  spill(folder / "f64", bytes({0, 0, 0x0E, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0}));
  CHECK(data::read_idx(folder / "f64").item<double>() == -2.0);
  spill(folder / "none", bytes({0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 5}));
  CHECK(data::read_idx(folder / "none").shape() == Shape{0, 5});
  spill(folder / "more", kImages + "tail");
  CHECK(data::read_idx(folder / "more").numel() == 12);
  for (const Dtype d : {uint8, int8, int16, int32, float32, float64}) {
    data::write_idx(folder / "out", tensor({{1, 2}, {3, 100}}).to(d));
    CHECK(data::read_idx(folder / "out").dtype() == d);
    CHECK(data::read_idx(folder / "out").to_vector<int>() == std::vector<int>{1, 2, 3, 100});
  }
}

TEST_CASE("every truncation of an IDX file is detected, plain and gzip", "[data][idx]") {
  const ScratchFolder folder;
  for (const std::string& whole : {kImages, gzip(kImages)})
    for (std::size_t n = 0; n < whole.size(); ++n) {
      INFO("cut to " << n << " of " << whole.size());
      spill(folder / "x", whole.substr(0, n));
      CHECK_THROWS_AS(data::read_idx(folder / "x"), DataLoss);
    }
}

TEST_CASE("foreign and damaged IDX files are refused with offset and reason", "[data][idx]") {
  const ScratchFolder folder;
  const auto reading = [&](const std::string& content) {
    spill(folder / "x", content);
    return data::read_idx(folder / "x");
  };
  CHECK_THROWS_WITH(reading(kImages.substr(0, 20)), Contains("shape [2, 2, 3] needs 12 bytes from offset 16 on, the file cannot hold more than 4"));
  CHECK_THROWS_WITH(reading(gzip(kImages.substr(0, 20))), Contains("12 bytes from offset 16 on, the file (inflated) ends at offset 20; it is truncated"));
  CHECK_THROWS_WITH(reading(kImages.substr(0, 6)), Contains("the sizes need 12 bytes from offset 4 on, the file ends at offset 6"));
  CHECK_THROWS_WITH(reading("\x89PNG...."), Contains("begins with 89 50 4e 47 at offset 0, which no IDX file does"));
  CHECK_THROWS_AS(reading(bytes({0, 0, 0x0A, 1, 0, 0, 0, 0})), DataLoss);
  CHECK_THROWS_AS(reading(bytes({0, 0, 8, 200}) + std::string(800, '\1')), LimitExceeded);
  CHECK_THROWS_AS(reading(bytes({0, 0, 8, 2}) + std::string(8, '\xff')), LimitExceeded);  // (2^32 - 1)^2 elements
  CHECK_THROWS_AS(reading(bytes({0, 0, 8, 1, 0x40, 0, 0, 0})), DataLoss);                   // 2^30 elements declared, none there: no allocation
  CHECK_THROWS_AS(reading(gzip(bytes({0, 0, 8, 1, 0x40, 0, 0, 0}))), DataLoss);
  std::string bad = gzip(kImages);
  bad[bad.size() - 6] = static_cast<char>(bad[bad.size() - 6] ^ 1);  // its CRC
  CHECK_THROWS_WITH(reading(bad), Contains("is damaged before offset") && Contains("incorrect data check"));
  CHECK_THROWS_AS(data::read_idx(folder / "absent"), NotFound);
  spill(folder / "x", kImages);
  CHECK_THROWS_AS(data::read_idx(folder / "x", {.max_bytes = 11}), LimitExceeded);
  CHECK_THROWS_WITH(data::write_idx(folder / "y", tensor({1})), "write_idx: int64 is not supported (expected uint8, int8, int16, int32, float32 or float64)");
}
