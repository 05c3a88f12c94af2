#include <rill/optim/swa.h>

#include "test/support/near.h"

#include "test/support/message.h"

using namespace rill;

TEST_CASE("stochastic weight averaging is the mean of what it saw", "[optim][average]") {
  const Tensor w = leaf(full({2}, 100.));
  optim::SwaAverage swa({{"w", w}});
  CHECK(values(swa.average("w")) == std::vector<double>{100, 100});
  double sum = 0;
  NamedTensors saved;
  for (int k = 1; k <= 5; ++k) {
    set_values(w, full({2}, k * k + 0.5));
    swa.update();
    sum += k * k + 0.5;
    check_near(swa.average("w"), {sum / k, sum / k}, 1e-5);
    if (k == 1) CHECK(values(swa.average("w")) == std::vector<double>{1.5, 1.5});  // the first one copies
    if (k == 3)
      for (const auto& entry : swa.state()) saved.emplace_back(entry.first, entry.second.clone());
  }
  CHECK(swa.n_averaged() == 5);
  REQUIRE(saved.size() == 2);
  CHECK(saved[0].first == "swa.w");
  CHECK(saved[1].first == "swa.n_averaged");
  CHECK(saved[1].second.item<std::int64_t>() == 3);
  optim::SwaAverage resumed({{"w", w}});
  resumed.load(saved);
  for (int k = 4; k <= 5; ++k) {
    set_values(w, full({2}, k * k + 0.5));
    resumed.update();
  }
  CHECK(values(resumed.average("w")) == values(swa.average("w")));
  {
    const auto scope = swa.swap_in();
    CHECK(values(w) == values(swa.average("w")));
  }
  CHECK(values(w) == std::vector<double>{25.5, 25.5});
  CHECK(MESSAGE(ValueError, swa.load({})) == "load: 2 tensors missing (swa.w, swa.n_averaged); nothing was changed");
  CHECK(MESSAGE(DtypeError, optim::SwaAverage({{"n", zeros({2}, {.dtype = int64})}})) == "SwaAverage: parameter \"n\" is int64; expected a floating dtype");
}
