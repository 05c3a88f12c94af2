#include "test/support/catch.h"

#include <cmath>

#include <rill/interop/json.h>

using namespace rill;
using nlohmann::json;

TEST_CASE("tensors become nested JSON lists and come back", "[interop][json]") {
  CHECK(json(tensor({{1, 2, 3}, {4, 5, 6}})).dump() == "[[1,2,3],[4,5,6]]");
  CHECK(json(transpose(tensor({{1, 2, 3}, {4, 5, 6}}), 0, 1)).dump() == "[[1,4],[2,5],[3,6]]");
  CHECK(json(tensor(2.5)).dump() == "2.5");
  CHECK(json(tensor(std::vector<bool>{true, false})).dump() == "[true,false]");
  CHECK(json(zeros({2, 0})).dump() == "[[],[]]");
  CHECK(json(tensor({1., std::nan("")})).dump() == "[1.0,null]");
  CHECK(json(Shape{2, 3}).dump() == "[2,3]");
  CHECK(json(float32).dump() == "\"float32\"");
  const json document = {{"x", tensor({1, 2})}, {"name", "a"}};
  CHECK(document.dump() == R"({"name":"a","x":[1,2]})");

  const auto back = [](const char* text) { return json::parse(text).get<Tensor>(); };
  CHECK(back("[[1, 2], [3, 4]]").dtype() == int64);
  CHECK(back("[[1, 2], [3, 4]]").shape() == Shape{2, 2});
  CHECK(back("[[1, 2.5], [3, 4]]").to_vector<float>() == std::vector<float>{1, 2.5f, 3, 4});
  CHECK(back("[1, 2.5]").dtype() == float32);
  CHECK(back("[true, false]").dtype() == boolean);
  CHECK(back("7").item<int>() == 7);
  CHECK(back("9007199254740993").item<std::int64_t>() == 9007199254740993);  // 2^53 + 1: not through a double
  CHECK(back("[[], []]").shape() == Shape{2, 0});
  CHECK(json::parse("[2, 3]").get<Dims>() == Shape{2, 3});
}

TEST_CASE("JSON that is no tensor is refused", "[interop][json]") {
  const auto reading = [](const std::string& text) { return json::parse(text).get<Tensor>(); };
  for (const char* ragged : {"[[1, 2], [3]]", "[1, [2]]", "[[1], 2]", "[[[1]], [1]]", "[[], [1]]", "[[1], []]"}) {
    INFO(ragged);
    CHECK_THROWS_AS(reading(ragged), ShapeError);
  }
  CHECK_THROWS_WITH(reading("[[1, 2], [3]]"), "from_json: a list of 1 items at depth 1 does not fit the others; rows must have one length");
  CHECK_THROWS_AS(reading("[\"a\"]"), ValueError);
  CHECK_THROWS_WITH(reading("{\"a\": 1}"), "from_json: found object, which is not an element; use numbers, booleans and lists of them");
  CHECK_THROWS_AS(reading("null"), ValueError);
  CHECK_THROWS_AS(reading("18446744073709551615"), ValueError);
  CHECK_THROWS_AS(reading(std::string(70, '[') + std::string(70, ']')), ShapeError);
}
