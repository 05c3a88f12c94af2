// Every public function of include/rill/ops has a row, or a line in without_row.txt that says where it is tested.
#include "test/support/catch.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include "test/ops/table/catalogue.h"

namespace rill::optable {

namespace fs = std::filesystem;

std::set<std::string> public_names() {
  std::set<std::string> names;
  const std::regex declaration(R"(^(?:inline |template <[^>]*> )?(?:const )?(?:[A-Za-z_][A-Za-z_:<>, ]*?)&? ([a-z][a-z0-9_]*)\()");
  for (const auto& entry : fs::directory_iterator(fs::path(RILL_SOURCE_DIR) / "include/rill/ops")) {
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);) {
      std::smatch found;
      if (!std::regex_search(line, found, declaration) || found[1].str().starts_with("operator")) continue;
      std::string name = found[1];
      if (name.ends_with('_')) name.pop_back();
      names.insert(name);
    }
  }
  return names;
}

TEST_CASE("every public op has a row or a reason", "[table]") {
  const auto names = public_names();
  CHECK(names.size() > 250);
  std::set<std::string> with_row;
  for (const Row& r : rows()) {
    INFO(r.name);
    CHECK(names.count(r.name) == 1);
    CHECK_FALSE(r.errors.empty());  // every row says what it refuses
    with_row.insert(r.name);
  }
  std::map<std::string, std::string> reasons;
  std::ifstream in(fs::path(RILL_SOURCE_DIR) / "test/ops/table/without_row.txt");
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    const auto space = line.find(' ');
    INFO(line);
    REQUIRE(space != std::string::npos);
    std::istringstream where(line.substr(space));
    std::string file;
    where >> file;
    CHECK(fs::exists(fs::path(RILL_SOURCE_DIR) / "test" / file));
    reasons[line.substr(0, space)] = line.substr(space + 1);
  }
  for (const auto& name : names) {
    INFO(name << " has no row; add one, or a line in test/ops/table/without_row.txt");
    CHECK((with_row.count(name) || reasons.count(name)));
  }
  for (const auto& [name, reason] : reasons) {
    INFO(name << " is listed without need");
    CHECK(names.count(name) == 1);
    CHECK(with_row.count(name) == 0);
  }
}

TEST_CASE("most public ops have values made by PyTorch", "[table][golden]") {
  const auto names = public_names();
  std::set<std::string> covered;
  for (const auto& entry : fs::directory_iterator(fs::path(RILL_SOURCE_DIR) / "test/ops")) {
    if (!entry.path().filename().string().ends_with("_goldens.txt")) continue;
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);) {
      const std::string op = line.substr(0, line.find(' '));
      if (names.count(op)) covered.insert(op);
    }
  }
  INFO(covered.size() << " of " << names.size());
  CHECK(covered.size() >= 300);
}

}  // namespace rill::optable
