#include "test/support/catch.h"

#include <rill/data/jpeg.h>
#include <rill/ops/create.h>
#include <rill/ops/reduce.h>

#include <sstream>

#include "test/support/goldens.h"
#include "test/support/message.h"
#include "test/support/scratch.h"

using namespace rill;

namespace {

using Bytes = std::vector<std::byte>;
Bytes from_hex(const std::string& text) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) bytes.push_back(static_cast<std::byte>(std::stoi(text.substr(i, 2), nullptr, 16)));
  return bytes;
}
struct File {
  std::string name;
  Bytes bytes, pixels;
  std::int64_t height, width;
};
/// Made by test/oracle/jpeg_goldens.py.
std::vector<File> files() {
  std::ifstream in(RILL_SOURCE_DIR "/test/data/jpeg_goldens.txt");
  std::vector<File> all;
  std::string bytes, pixels;
  for (File f; in >> f.name >> bytes >> f.height >> f.width >> pixels;) f.bytes = from_hex(bytes), f.pixels = from_hex(pixels), all.push_back(f);
  return all;
}

}  // namespace

#ifdef RILL_WITH_JPEG

TEST_CASE("JPEG: baseline, subsampled, progressive, grey and CMYK files", "[data][jpeg]") {
  const auto all = files();
  REQUIRE(all.size() == 6);
  for (const File& f : all) {
    INFO(f.name);
    const Tensor pixels = data::decode_jpeg(f.bytes);
    CHECK(pixels.dtype() == uint8);
    CHECK(pixels.shape() == Shape{f.height, f.width, 3});
    const auto* have = pixels.data<std::uint8_t>();
    REQUIRE(f.pixels.size() == static_cast<std::size_t>(pixels.numel()));
    // decoders may differ by a grey level; CMYK in each of two factors
    for (std::size_t i = 0; i < f.pixels.size(); ++i)
      if (std::abs(have[i] - static_cast<int>(f.pixels[i])) > (f.name == "cmyk" ? 2 : 1)) FAIL_CHECK("value " << i << " is " << int{have[i]} << ", expected " << static_cast<int>(f.pixels[i]));
  }
}

TEST_CASE("JPEG: whatever is missing or damaged is an error, never grey pixels", "[data][jpeg]") {
  for (const File& f : files()) {
    INFO(f.name);
    for (std::size_t length = 0; length < f.bytes.size(); ++length) {
      const Bytes part(f.bytes.begin(), f.bytes.begin() + static_cast<std::ptrdiff_t>(length));
      CHECK_THROWS_AS(data::decode_jpeg(part, "part"), DataLoss);
    }
    Bytes longer = f.bytes;  // what follows the end does not matter
    longer.push_back(std::byte{7});
    CHECK(equal(data::decode_jpeg(longer), data::decode_jpeg(f.bytes)));
  }
  const File& f = files().front();
  const Bytes half(f.bytes.begin(), f.bytes.end() - 20);
  CHECK(MESSAGE(DataLoss, data::decode_jpeg(half, "half.jpg")).starts_with("decode_jpeg: \"half.jpg\" is damaged or no JPEG file: "));
  CHECK(MESSAGE(DataLoss, data::decode_jpeg({}, "empty.jpg")).starts_with("decode_jpeg: \"empty.jpg\" is damaged or no JPEG file: "));
  CHECK(MESSAGE(LimitExceeded, data::decode_jpeg(f.bytes, "large.jpg", {.max_samples = 350})) ==
        "decode_jpeg: \"large.jpg\" has 351 samples (9x13 pixels), the limit is 350; raise JpegLimits::max_samples");
}

TEST_CASE("JPEG: files", "[data][jpeg]") {
  const ScratchFolder folder;
  const File& f = files().front();
  spill(folder / "a.jpg", {reinterpret_cast<const char*>(f.bytes.data()), f.bytes.size()});
  CHECK(equal(data::read_jpeg(folder / "a.jpg"), data::decode_jpeg(f.bytes)));
  CHECK_THROWS_AS(data::read_jpeg(folder / "b.jpg"), NotFound);
}

#else

TEST_CASE("JPEG: a build without libjpeg says so", "[data][jpeg]") {
  CHECK(MESSAGE(Unimplemented, data::decode_jpeg(files().front().bytes)) ==
        "decode_jpeg: this build has no JPEG decoder; install libjpeg (libjpeg62-turbo-dev) and build again");
}

#endif
