#include "test/support/near.h"

#include <rill/optim/schedule.h>

using namespace rill;

TEST_CASE("exponential decay is smooth or a staircase", "[optim][schedule]") {
  const optim::ExponentialDecay smooth{.base = 0.1, .steps = 100, .decay = 0.96};
  CHECK(smooth(0) == 0.1);
  CHECK(smooth(50) == Approx(0.0979795897).epsilon(1e-9));
  CHECK(smooth(100) == Approx(0.096).epsilon(1e-12));
  CHECK(smooth(150) == Approx(0.0940604061).epsilon(1e-9));
  const optim::ExponentialDecay stairs{.base = 0.8, .steps = 550, .decay = 0.99, .staircase = true};
  CHECK(stairs(549) == 0.8);
  CHECK(stairs(550) == Approx(0.792).epsilon(1e-12));
  CHECK(stairs(5000) == Approx(0.7308137980).epsilon(1e-9));
  CHECK(stairs(29999) == Approx(0.4649331313).epsilon(1e-9));
  CHECK_THROWS_WITH((optim::ExponentialDecay{.base = 1, .steps = 0, .decay = 1}(0)), "ExponentialDecay: step is 0 and steps 0; expected step >= 0 and steps >= 1");
  CHECK_THROWS_AS(stairs(-1), ValueError);
}
