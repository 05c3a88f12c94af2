// Every op tells a running profile its name.
#include "test/support/catch.h"

#include "test/ops/table/catalogue.h"
#include "test/support/profiles.h"

namespace rill::optable {
namespace {

/// What a profile calls the op of a row: pools go by one name with and without indices, second names by the first.
std::string profiled_name(std::string name) {
  const std::map<std::string, std::string> second_names = {{"inverse", "inv"}, {"swapaxes", "transpose"}, {"broadcast_to", "expand"}};
  if (const auto found = second_names.find(name); found != second_names.end()) return found->second;
  return name.substr(0, name.find("_with_indices"));
}

}  // namespace

TEST_CASE("every op is a row of a profile", "[table][profiler]") {
  for (const Row& row : rows()) {
    INFO(row.name);
    const Args args = draw_inputs(row.inputs, usual_dtype(row), 21);
    profiler::Profile p;
    const Tensor y = row.run(args);
    p.stop();
    const std::string name = profiled_name(row.name);
    const auto calls = row_of(p, name).calls + row_of(p, name + "_").calls;  // a row may test an op that exists in place only
    CHECK(calls >= 1);
    if (!row.in_place) continue;
    const Args copies = draw_inputs(row.inputs, usual_dtype(row, true), 21);
    profiler::Profile in_place;
    row.in_place(copies);
    in_place.stop();
    CHECK(row_of(in_place, name + "_").calls == 1);
  }
}

}  // namespace rill::optable
