// Every C++ snippet of the guides stands in porting_pytorch.cpp, porting_tensorflow.cpp or profiling.cpp, where it is compiled and run.
#include "test/support/catch.h"

#include <fstream>
#include <sstream>

namespace {

using Lines = std::vector<std::string>;

Lines lines_of(const std::string& path) {
  std::ifstream in(std::string(RILL_SOURCE_DIR) + "/" + path);
  REQUIRE(in);
  Lines lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// The blocks between ```cpp and ```, also those in lists, without their indentation.
std::vector<Lines> snippets(const Lines& page) {
  std::vector<Lines> found;
  std::size_t indent = std::string::npos;  // of the block that is open
  for (const std::string& line : page) {
    const auto text = std::min(line.find_first_not_of(' '), line.size());
    if (line.substr(text) == "```cpp") found.emplace_back(), indent = text;
    else if (line.substr(text) == "```") indent = std::string::npos;
    else if (indent != std::string::npos) found.back().push_back(line.substr(std::min(indent, line.size())));
  }
  return found;
}

/// Whether the snippet stands in the source, perhaps further to the right.
bool holds(const Lines& source, const Lines& snippet) {
  for (std::size_t at = 0; at + snippet.size() <= source.size(); ++at) {
    const auto indent = source[at].find_first_not_of(' ');
    if (indent == std::string::npos || source[at].substr(indent) != snippet[0]) continue;
    bool equal = true;
    for (std::size_t i = 0; i < snippet.size() && equal; ++i) equal = source[at + i] == (snippet[i].empty() ? "" : std::string(indent, ' ') + snippet[i]);
    if (equal) return true;
  }
  return false;
}

void check_guide(const std::string& page, const std::string& source, std::size_t least) {
  const Lines code = lines_of(source);
  const auto all = snippets(lines_of(page));
  CHECK(all.size() >= least);
  for (const Lines& snippet : all) {
    REQUIRE(!snippet.empty());
    INFO(page << ": " << snippet[0]);
    CHECK(holds(code, snippet));
  }
}

}  // namespace

TEST_CASE("the guides show code that is compiled and run", "[structure]") {
  check_guide("docs/porting-from-pytorch.md", "test/structure/porting_pytorch.cpp", 16);
  check_guide("docs/porting-from-tensorflow1.md", "test/structure/porting_tensorflow.cpp", 18);
  check_guide("docs/profiling.md", "test/structure/profiling.cpp", 3);
}
