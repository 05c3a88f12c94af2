// Every op tells a running profile its name.
#include "test/support/catch.h"

#include "test/ops/table/catalogue.h"
#include "test/support/profiles.h"

namespace rill::optable {

TEST_CASE("every op is a row of a profile", "[table][profiler]") {
  for (const Row& row : rows()) {
    INFO(row.name);
    const Args args = draw_inputs(row.inputs, usual_dtype(row), 21);
    profiler::Profile p;
    const Tensor y = row.run(args);
    p.stop();
    const auto calls = row_of(p, row.name).calls + row_of(p, row.name + "_").calls;  // a row may test an op that exists in place only
    CHECK(calls >= 1);
    if (!row.in_place) continue;
    const Args copies = draw_inputs(row.inputs, usual_dtype(row, true), 21);
    profiler::Profile in_place;
    row.in_place(copies);
    in_place.stop();
    CHECK(row_of(in_place, row.name + "_").calls == 1);
  }
}

}  // namespace rill::optable
