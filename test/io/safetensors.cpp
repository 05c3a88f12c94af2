#include "test/support/catch.h"

#include <algorithm>

#include <rill/io/safetensors.h>
#include <rill/ops/create.h>
#include <rill/ops/view.h>

#include "lib/io/crc32c.h"
#include "test/support/scratch.h"

using namespace rill;
using Catch::Matchers::Contains;

namespace {

std::string file_of(const std::string& header, const std::string& data = "") {
  std::string s;
  for (int i = 0; i < 8; ++i) s += static_cast<char>(header.size() >> (8 * i));
  return s + header + data;
}
io::Safetensors parse(const std::string& bytes, const io::SafetensorsLimits& limits = {}) { return io::parse_safetensors(std::as_bytes(std::span(bytes)), "m", limits); }

}  // namespace

TEST_CASE("CRC-32C has the check values of RFC 3720", "[io][crc]") {
  CHECK(io::crc32c(0, "123456789", 9) == 0xE3069283u);
  CHECK(io::crc32c(0, std::string(32, '\0').data(), 32) == 0x8A9136AAu);
  CHECK(io::crc32c(0, std::string(32, '\xff').data(), 32) == 0x62A8AB43u);
  CHECK(io::crc32c(io::crc32c(0, "1234", 4), "56789", 5) == 0xE3069283u);
}

TEST_CASE("every dtype, a 0-dim, an empty and a strided tensor survive a round trip", "[io][safetensors]") {
  const ScratchFolder folder;
  NamedTensors tensors;
  for (const Dtype d : {boolean, uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64})
    tensors.emplace_back("x." + std::string(to_string(d)), tensor({{0, 1, 1}, {1, 0, 1}}).to(d));
  tensors.emplace_back("scalar", tensor(2.5));
  tensors.emplace_back("empty", zeros({0, 3}));
  tensors.emplace_back("transposed \"quoted\" \xc3\xa9\n", transpose(tensor({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}}), 0, 1));
  io::save_safetensors(folder / "m", tensors, {{"note", "a \"text\""}, {"epoch", "3"}});
  const io::Safetensors back = io::load_safetensors(folder / "m");
  CHECK(back.verified);
  CHECK(back.metadata == io::Metadata{{"note", "a \"text\""}, {"epoch", "3"}});
  REQUIRE(back.tensors.size() == tensors.size());
  for (const auto& [name, t] : tensors) {
    const Tensor found = back.find(name);
    INFO(name);
    REQUIRE(found.defined());
    CHECK(found.shape() == t.shape());
    CHECK(found.dtype() == t.dtype());
    CHECK(found.to_vector<double>() == t.to_vector<double>());
  }
  const std::string bytes = slurp(folder / "m");
  CHECK(bytes[8] == '{');
  CHECK(static_cast<unsigned char>(bytes[0]) % 8 == 0);
}

TEST_CASE("files of other libraries load", "[io][safetensors]") {
  // the two examples of the reference library's own tests
  const auto one = parse(file_of(R"({"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}})" "                   ", std::string(16, '\0')));
  CHECK_FALSE(one.verified);
  CHECK(one.find("test").shape() == Shape{2, 2});
  CHECK(parse(file_of(R"({"test":{"dtype":"I32","shape":[2,0],"data_offsets":[0,0]}})")).find("test").shape() == Shape{2, 0});
  CHECK(parse(file_of("{}")).tensors.empty());
  CHECK(parse(file_of("{}   \n")).tensors.empty());
  CHECK(parse(file_of(" \n {}")).tensors.empty());
  CHECK(parse(file_of(R"({"__metadata__":{"format":"pt"}})")).metadata == io::Metadata{{"format", "pt"}});
  CHECK(parse(file_of(R"({"\u00e9":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})", "\x07")).find("\xc3\xa9").item<int>() == 7);
  // any order of entries in the header
  const auto two = parse(file_of(R"({"b":{"data_offsets":[1,2],"dtype":"U8","shape":[1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "\x01\x02"));
  CHECK(two.find("a").item<int>() == 1);
  CHECK(two.find("b").item<int>() == 2);
}

TEST_CASE("headers outside the format are refused with the field that is wrong", "[io][safetensors]") {
  const auto entry = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"w":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  struct Case {
    std::string bytes, text;
  };
  const std::vector<Case> cases = {
      {"", "has 0 bytes, a safetensors file has at least 8"},
      {std::string("\x10\0\0\0\0\0\0\0{}", 10), "the header has 16 bytes, the file only 2; the file is truncated"},
      {file_of("[]"), "does not begin with an object"},
      {file_of(""), "does not begin with an object"},
      {file_of("{"), "not valid JSON"},
      {file_of("{}{}"), "not valid JSON"},
      {file_of("{\"a\":1}"), "header entry \"a\" is the number 1, expected an object"},
      {file_of(std::string("{}\0\0", 4)), "holds a NUL at its byte 2"},
      {file_of("{\"\xff\":{}}"), "not valid JSON"},
      {file_of(R"({"__metadata__":{"a":1}})"), "metadata entry \"a\" is the number 1, expected a string"},
      {file_of(R"({"__metadata__":{"a":{}}})"), "metadata entry \"a\" is an object, expected a string"},
      {file_of(R"({"__metadata__":{"a":"1","a":"2"}})"), "the key \"a\" appears twice in __metadata__"},
      {file_of(R"({"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"), "the name \"w\" appears twice"},
      {file_of(R"({"w":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}})"), "header field \"w\".dtype appears twice"},
      {file_of(R"({"w":{"dtype":"U8","shape":[0]}})"), "header field \"w\".data_offsets is missing"},
      {file_of(R"({"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"extra":1}})"), "\"w\".extra is not a field of the format"},
      {file_of(entry("U9", "[0]", "[0,0]")), "header field \"w\".dtype is \"U9\", which is not a dtype of the format"},
      {file_of(entry("U8", "[-1]", "[0,0]")), "\"w\".shape holds the number -1"},
      {file_of(entry("U8", "[1.5]", "[0,0]")), "\"w\".shape holds the number 1.5"},
      {file_of(entry("U8", "[[1]]", "[0,1]"), "x"), "\"w\".shape holds a list"},
      {file_of(entry("U8", "[1e400]", "[0,1]"), "x"), "the header is not valid JSON"},
      {file_of(entry("U8", "[1]", "[0]"), "x"), "\"w\".data_offsets holds 1 numbers, expected two"},
      {file_of(entry("U8", "[1]", "[0,1,2]"), "x"), "\"w\".data_offsets holds the number 2"},
      {file_of(entry("F32", "[1024]", "[0,4096]"), std::string(4000, 'x')), "header field \"w\".data_offsets ends at 4096, the file holds 4000 data bytes; the file is truncated"},
      {file_of(entry("U8", "[2]", "[1,3]"), "xxx"), "\"w\".data_offsets begins at 1, the tensor before it ends at 0"},
      {file_of(entry("U8", "[2]", "[0,1]"), "x"), "spans 1 bytes, shape and dtype U8 need 16 bits"},
      {file_of(entry("F4", "[1]", "[0,1]"), "x"), "need 4 bits"},
      {file_of(entry("U8", "[4294967296,4294967296,0]", "[0,0]")), "has more elements than 64 bits can count"},
      {file_of(entry("F64", "[2305843009213693952]", "[0,0]")), "has more elements than 64 bits can count"},
      {file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})", "xxx"), "begins at 1, the tensor before it ends at 2"},
      {file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})", "xxx"), "begins at 2, the tensor before it ends at 1"},
      {file_of("{}", "four"), "goes on for 4 bytes after its last tensor"},
      {file_of(entry("BOOL", "[2]", "[0,2]"), "\x01\x02"), "element 1 of bool tensor \"w\" is neither 0 nor 1"},
  };
  for (const auto& c : cases) {
    INFO(c.text);
    CHECK_THROWS_AS(parse(c.bytes), DataLoss);
    CHECK_THROWS_WITH(parse(c.bytes), Contains(c.text) && Contains("load_safetensors: \"m\""));
  }
  CHECK_THROWS_AS(parse(std::string(8, '\xff')), LimitExceeded);
  CHECK_THROWS_AS(parse(file_of("{}"), {.max_header = 1}), LimitExceeded);
  CHECK_THROWS_AS(parse(file_of(entry("F8_E4M3", "[1]", "[0,1]"), "x")), Unimplemented);
  CHECK(parse(file_of("{}", "four"), {.allow_trailing_bytes = true}).tensors.empty());
  std::string deep(100000, '[');
  CHECK_THROWS_AS(parse(file_of("{\"a\":" + deep)), DataLoss);
  std::string axes = "[1";
  for (int i = 0; i < 64; ++i) axes += ",1";
  CHECK_THROWS_AS(parse(file_of(entry("U8", axes + "]", "[0,1]"), "x")), LimitExceeded);
}

TEST_CASE("every truncation and every flipped bit of a saved file is detected", "[io][safetensors]") {
  const ScratchFolder folder;
  io::save_safetensors(folder / "m", {{"weight", tensor({{1.0, -2.0}, {0.5, 3.0}})}, {"steps", tensor({12})}}, {{"state", "{\"step\": 12}"}});
  const std::string good = slurp(folder / "m");
  REQUIRE(parse(good).verified);
  for (std::size_t n = 0; n < good.size(); ++n) {
    INFO("cut to " << n);
    CHECK_THROWS_AS(parse(good.substr(0, n)), Error);
  }
  CHECK_THROWS_AS(parse(good + '\0'), DataLoss);
  int accepted = 0;
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    try {
      accepted += parse(bad).verified;
    } catch (const Error&) {
    }
  }
  CHECK(accepted == 0);
}

TEST_CASE("saving refuses names that no reader could hold", "[io][safetensors]") {
  const ScratchFolder folder;
  const Tensor x = tensor({1});
  CHECK_THROWS_WITH(io::save_safetensors(folder / "m", {{"a", x}, {"a", x}}), "save_safetensors: two tensors are named \"a\"");
  for (const std::string& name : {std::string(), std::string("a\0b", 3), std::string("\xff"), std::string(5000, 'x'), std::string("__metadata__")})
    CHECK_THROWS_AS(io::save_safetensors(folder / "m", {{name, x}}), ValueError);
  CHECK_THROWS_AS(io::save_safetensors(folder / "m", {{"a", Tensor()}}), ValueError);
  CHECK_THROWS_AS(io::save_safetensors(folder / "m", {}, {{"rill.x", ""}}), ValueError);
  CHECK_THROWS_AS(io::save_safetensors(folder / "m", {}, {{"x", "\xc3"}}), ValueError);
  CHECK(std::filesystem::is_empty(folder.path));
  CHECK_THROWS_AS(io::load_safetensors(folder / "m"), NotFound);
}
