// Steps are in test/optim/goldens.cpp; here is what the parameters hold besides.
#include <rill/optim/schedule_free.h>

#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>

#include "test/optim/every.h"
#include "test/support/message.h"

using namespace rill;

namespace {

Tensor ramp(int from, int to) { return arange(from, to, 1, {.dtype = float64}); }

/// The averages after the script's 20 steps: of p, then of q.
template <class M> std::vector<double> averages(const OptionLine& line) {
  const Tensor i = ramp(0, 5), j = ramp(5, 8), p = leaf(cos(i)), q = leaf(cos(j));
  const auto made = make_optimizer(line, {{"p", p}, {"q", q}});
  auto& method = dynamic_cast<M&>(*made);
  for (int t = 1; t <= 20; ++t) {
    if (t == 11) method.set_lr(method.lr() * 0.5);
    p.set_grad(p.detach() * 0.5 + sin(i * 0.7 + 0.9 * t));
    q.set_grad(t % 2 ? q.detach() * 0.5 + sin(j * 0.7 + 0.9 * t) : Tensor());
    method.step();
  }
  const auto before = values(p);
  std::vector<double> all;
  {
    const auto scope = method.swap_in();
    for (const Tensor& x : {p, q})
      for (const double v : values(x)) all.push_back(v);
  }
  CHECK(values(p) == before);
  return all;
}

}  // namespace

TEST_CASE("the averages of schedule-free methods are those of the oracle", "[optim][schedule_free][goldens]") {
  int cases = 0;
  for (const OptionLine& line : option_lines("research_optim_goldens.txt")) {
    if (!line.name.starts_with("ScheduleFree")) continue;
    ++cases;
    INFO(line.text);
    std::vector<double> wanted;
    for (const auto& [name, numbers] : line.sections)
      if (name == "average") wanted.insert(wanted.end(), numbers.begin(), numbers.end());
    const auto found = line.name == "ScheduleFreeSgd" ? averages<optim::ScheduleFreeSgd>(line) : averages<optim::ScheduleFreeAdamW>(line);
    check_near(tensor(found), wanted, 1e-10);
  }
  CHECK(cases == 8);
}

TEST_CASE("the average of schedule-free descent is the mean of its points z", "[optim][schedule_free]") {
  const Tensor w = leaf(full({1}, 8., {.dtype = float64}));
  optim::ScheduleFreeSgd sgd({{"w", w}}, {.lr = 0.5});
  {
    const auto scope = sgd.swap_in();  // before the first step all points are one
    CHECK(values(w) == std::vector<double>{8});
  }
  double sum = 0;
  for (int t = 1; t <= 6; ++t) {
    w.set_grad(w.detach() * 0.25);
    sgd.step();
    sum += find(sgd.state(), "w.z").item<double>();
    const auto scope = sgd.swap_in();
    check_near(w, {sum / t}, 1e-12);
  }
  // weights that are put in place later count from the first step
  const Tensor v = leaf(zeros({1}));
  optim::ScheduleFreeSgd other({{"v", v}}, {.lr = 0});
  set_values(v, full({1}, 3.));
  v.set_grad(ones({1}));
  other.step();
  CHECK(values(find(other.state(), "v.z")) == std::vector<double>{3});
}

TEST_CASE("schedule-free methods refuse steps and scopes while the averages are in, and another beta", "[optim][schedule_free]") {
  const Tensor w = leaf(ones({2}));
  optim::ScheduleFreeAdamW adam({{"w", w}});
  w.set_grad(ones({2}));
  adam.step();
  const auto before = values(w);
  {
    const auto scope = adam.swap_in();
    const auto averages = values(w);
    CHECK(MESSAGE(FailedPrecondition, adam.step()) == "ScheduleFreeAdamW: the parameters hold the averages; end the scope of swap_in() before the next step");
    CHECK(MESSAGE(FailedPrecondition, adam.swap_in()) == "swap_in: the averages are in the parameters already; end the first scope before");
    CHECK(values(w) == averages);
  }
  CHECK(values(w) == before);
  CHECK(MESSAGE(FailedPrecondition, adam.set_momentum(0.8)) == "set_momentum: ScheduleFreeAdamW needs one beta for all steps");
}
