#include "test/examples/workbench.h"

using Catch::Matchers::Contains;

TEST_CASE("xor: a linear model stays at 0.25, a hidden layer solves it", "[examples]") {
  Workbench w;
  REQUIRE(w.run(XOR, "") == 0);
  CHECK_THAT(w.output, Contains("without hidden layer: loss 0.2500\n") && Contains("  1 xor 0 = 0.500"));
  CHECK(w.number_after("with hidden layer: loss ") < 1e-3);
  CHECK(w.number_after("  0 xor 0 = ") < 0.05);
  CHECK(w.number_after("  0 xor 1 = ") > 0.95);
  CHECK(w.number_after("  1 xor 0 = ") > 0.95);
  CHECK(w.number_after("  1 xor 1 = ") < 0.05);
  check_calls(w, XOR, {{"--help", 0, "--hidden N"}, {"--hidden 0 --steps 4", 1, "error: Linear: sizes are 2 in and 0 out"}, {"--steps", 2, "xor: --steps needs a value"}});
}
