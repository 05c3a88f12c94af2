// Calls to the system's allocator in a steady state.
#include "test/optim/every.h"

#include <rill/core/threads.h>
#include <rill/optim/moving_average.h>
#include <rill/optim/swa.h>

#include "test/support/count_allocations.h"

using namespace rill;

namespace {

NamedTensors parameters() {
  NamedTensors list;
  for (int i = 0; i < 20; ++i) list.emplace_back("p" + std::to_string(i), leaf(ones({i + 1, 7})));
  list.emplace_back("large", leaf(ones({200, 300})));  // more than one task
  list.emplace_back("half", leaf(ones({9}, {.dtype = bfloat16})));
  for (const auto& entry : list) entry.second.set_grad(full_like(entry.second, 0.25));
  list[3].second.set_grad(full({7, 4}, 0.25).t());  // another layout
  return list;
}

}  // namespace

TEST_CASE("a step of an optimizer takes no memory from the system", "[optim][memory]") {
  const auto [none, calls_of_one] = cost([] { const Tensor t = empty({200, 300}); });  // 0, or 1 where the pool is built to keep no large blocks
  for (const OptionLine& line : every_optimizer()) {
    INFO(line.text);
    const auto opt = make_optimizer(line, parameters());
    const auto [news, system_calls] = cost([&] { opt->step(); });
    CHECK(system_calls <= (line.name == "Lamb" ? calls_of_one : 0));  // it works on a copy of the parameter
    if (line.name != "Lars" && line.name != "Lamb") CHECK(news == 0);  // these two call the op `norm`, which lists axes on the heap
  }
}

TEST_CASE("an update of an average takes no memory from the system", "[optim][average][memory]") {
  optim::MovingAverage ema(parameters());
  optim::SwaAverage swa(parameters());
  CHECK(cost([&] { ema.update(), swa.update(); }) == kNothing);
}
