// The program in the README is the one that is built.
#include "test/support/catch.h"

#include <fstream>
#include <sstream>

static std::string text_of(const std::string& path) {
  std::ifstream in(std::string(RILL_SOURCE_DIR) + "/" + path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST_CASE("the README shows examples/quickstart.cpp", "[structure]") {
  const std::string program = text_of("examples/quickstart.cpp");
  REQUIRE(!program.empty());
  CHECK(text_of("README.md").find("```cpp\n" + program + "```") != std::string::npos);
}
