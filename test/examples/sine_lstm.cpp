#include "test/examples/workbench.h"

using Catch::Matchers::Contains;

TEST_CASE("sine_lstm: the error falls, with the window in time and as features", "[examples]") {
  Workbench w;
  for (const std::string form : {"", "--one-step"}) {
    INFO(form);
    REQUIRE(w.run(SINE_LSTM, "--steps 300 --train 2000 --test 200 --report-every 100 " + form) == 0);
    CHECK_THAT(w.output, Contains("step 300/300  loss") && Contains("windows/s"));
    const double before = w.number_after("root mean squared error before training: ");
    CHECK(before > 0.3);
    CHECK(w.number_after("root mean squared error: ") < before / 5);
  }
  check_calls(w, SINE_LSTM, {{"--help", 0, "--one-step"}, {"--window 0", 1, "error: train: window is 0; expected at least 1"}, {"sine", 2, "sine_lstm: \"sine\" is not a flag"}});
}
