#include "test/support/near.h"

#include <rill/ops/elementwise.h>
#include <rill/ops/view.h>
#include <rill/optim/moving_average.h>

#include "test/support/message.h"

using namespace rill;

TEST_CASE("moving averages follow TensorFlow's numbers", "[optim][average]") {
  const Tensor v = leaf(zeros({1}));
  const auto set = [&](double x) {
    const NoGrad off;
    v.fill_(x);
  };
  optim::MovingAverage average({{"v", v}}, {.decay = 0.99});
  average.update(0);
  check_near(average.average("v"), {0}, 0);
  set(5);
  average.update(0);
  check_near(average.average("v"), {4.5}, 5e-7);
  set(10);
  average.update(10000);
  check_near(average.average("v"), {4.5549998}, 5e-7);
  average.update(10000);
  check_near(average.average("v"), {4.6094499}, 5e-7);
  CHECK(average.updates() == 4);

  set(0);
  optim::MovingAverage plain({{"v", v}}, {.decay = 0.99, .warmup = false});
  set(10);
  plain.update();
  check_near(plain.average("v"), {0.099999905}, 1e-7);

  set(0);
  optim::MovingAverage warm({{"v", v}}, {.decay = 0.99});
  for (int k = 1; k <= 6; ++k) {
    set(k);
    warm.update();
    check_near(warm.average("v"), {0.9 * k}, 1e-6);
  }
  CHECK(warm.decay_at(890) == Approx(0.99));
  CHECK(warm.decay_at(100) == Approx(101.0 / 110));
}

TEST_CASE("averages are swapped in for a scope, saved, loaded and restored under the parameters' names", "[optim][average]") {
  const Tensor w = leaf(ones({2, 3})), b = leaf(zeros({3}));
  optim::MovingAverage average({{"w", w}, {"b", b}}, {.decay = 0.5, .warmup = false});
  {
    const NoGrad off;
    w.fill_(3);
    b.fill_(-2);
  }
  average.update();
  {
    const auto scope = average.swap_in();
    CHECK(values(w) == std::vector<double>(6, 2));
    CHECK(values(b) == std::vector<double>(3, -1));
  }
  CHECK(values(w) == std::vector<double>(6, 3));
  CHECK(values(average.average("w")) == std::vector<double>(6, 2));
  CHECK_FALSE(average.average("x").defined());
  CHECK(w.is_leaf());

  NamedTensors file = {{"w", w.detach()}, {"b", b.detach()}, {"step", tensor({7})}};
  for (const auto& entry : average.state()) file.push_back(entry);
  CHECK(file[3].first == "w/ExponentialMovingAverage");
  const NamedTensors restored = optim::averaged(file);
  REQUIRE(restored.size() == 3);
  CHECK(values(find(restored, "w")) == std::vector<double>(6, 2));
  CHECK(values(find(restored, "step")) == std::vector<double>{7});
  CHECK(optim::only_averages(file).size() == 2);

  optim::MovingAverage other({{"w", w}, {"b", b}}, {.decay = 0.5});
  other.load(optim::only_averages(file), 12);
  CHECK(other.updates() == 12);
  CHECK(values(other.average("b")) == std::vector<double>(3, -1));
  CHECK_THROWS_WITH(other.load({}, 0), "load: 2 tensors missing (w/ExponentialMovingAverage, b/ExponentialMovingAverage); nothing was changed");
}

TEST_CASE("moving averages take any floating dtype and strides and refuse the rest", "[optim][average]") {
  for (const Dtype d : {float64, float16, bfloat16}) {
    const Tensor x = transpose(tensor({{1., 2.}, {3., 4.}}).to(d), 0, 1);
    optim::MovingAverage average({{"x", x}}, {.decay = 0.5, .warmup = false});
    x.fill_(8);
    average.update();
    CHECK(values(average.average("x")) == std::vector<double>{4.5, 5.5, 5, 6});
  }
  CHECK_THROWS_AS(optim::MovingAverage({{"n", zeros({2}, {.dtype = int64})}}), DtypeError);
  CHECK_THROWS_WITH(optim::MovingAverage({{"n", zeros({2}, {.dtype = int64})}}), "MovingAverage: parameter \"n\" is int64; expected a floating dtype");
  CHECK(MESSAGE(ValueError, optim::MovingAverage({{"n", Tensor()}})) == "MovingAverage: parameter n is undefined; pass a tensor with values");
  optim::MovingAverage still({{"x", leaf(ones({1}))}}, {.decay = 1, .warmup = false, .zero_debias = true});
  still.update();  // nothing to divide by
  CHECK(values(still.average("x")) == std::vector<double>{1});
  CHECK(MESSAGE(ValueError, still.update(-1)) == "update: step -1 is negative");
  CHECK_THROWS_WITH(optim::MovingAverage({}, {.decay = 1.5}), "MovingAverage: decay is 1.5; expected a number in [0, 1]");
}

TEST_CASE("a debiased average forgets where it started", "[optim][average]") {
  const Tensor v = leaf(full({1}, 100.));
  optim::MovingAverage average({{"v", v}}, {.decay = 0.9, .warmup = false, .zero_debias = true});
  for (const auto& [value, expected] : {std::pair{5., 5.}, {10., 7.6315789}, {15., 10.3505535}}) {
    set_values(v, full({1}, value));
    average.update();
    check_near(average.average("v"), {expected}, 1e-6);
  }
  // any d: the mean of the values weighted by (1 - d_i) and all later d
  const Tensor w = leaf(full({1}, -7., {.dtype = float64}));
  optim::MovingAverage warm({{"w", w}}, {.decay = 0.99, .zero_debias = true});
  double weighted = 0, product = 1;
  NamedTensors saved;
  for (int k = 0; k < 6; ++k) {
    const double d = warm.decay_at(k), x = std::sin(k);
    set_values(w, full({1}, x, {.dtype = float64}));
    warm.update(k);
    weighted = d * weighted + (1 - d) * x, product *= d;
    check_near(warm.average("w"), {weighted / (1 - product)}, 1e-14);
    if (k == 2)
      for (const auto& entry : warm.state()) saved.emplace_back(entry.first, entry.second.clone());
  }
  REQUIRE(saved.size() == 2);
  CHECK(saved[1].first == "decay_product/ExponentialMovingAverage");
  optim::MovingAverage resumed({{"w", w}}, {.decay = 0.99, .zero_debias = true});
  resumed.load(saved, 3);
  for (int k = 3; k < 6; ++k) {
    set_values(w, full({1}, std::sin(k), {.dtype = float64}));
    resumed.update();
  }
  CHECK(values(resumed.average("w")) == values(warm.average("w")));
  CHECK(MESSAGE(ValueError, optim::MovingAverage({{"w", w}}).load(saved, 3)) == "load: 1 unexpected (decay_product/ExponentialMovingAverage); nothing was changed");
}

TEST_CASE("several averages of one model have names of their own", "[optim][average]") {
  const Tensor w = leaf(ones({2}));
  optim::MovingAverage fast({{"w", w}}, {.decay = 0, .warmup = false, .names = {.prefix = "ema.", .suffix = ""}});
  optim::MovingAverage slow({{"w", w}}, {.decay = 0.5, .warmup = false, .names = {.suffix = "/slow"}});
  set_values(w, full({2}, 5.));
  fast.update(), slow.update();
  CHECK(fast.state()[0].first == "ema.w");
  CHECK(slow.state()[0].first == "w/slow");
  CHECK(values(fast.average("w")) == std::vector<double>{5, 5});
  CHECK(values(slow.average("w")) == std::vector<double>{3, 3});
  CHECK_FALSE(slow.average("ema.w").defined());

  NamedTensors file{{"w", zeros({2}, {.dtype = bfloat16})}};
  for (const auto* average : {&fast, &slow})
    for (const auto& entry : average->state()) file.push_back(entry);
  const optim::ShadowNames names{.prefix = "ema.", .suffix = ""};
  CHECK(optim::only_averages(file, names).size() == 1);
  CHECK(optim::without_averages(file, names).size() == 2);
  const NamedTensors restored = optim::averaged(file, names);
  CHECK(restored[0].first == "w");
  CHECK(values(restored[0].second) == std::vector<double>{5, 5});
  CHECK(restored[0].second.dtype() == bfloat16);  // fits the parameter, though the shadow is float32
  CHECK(MESSAGE(ValueError, optim::averaged(file, {.suffix = ""})) == "ShadowNames: prefix and suffix are both empty; shadows need names of their own");
}

TEST_CASE("shadows of 16-bit parameters do not stand still", "[optim][average]") {
  const Tensor w = leaf(ones({3}, {.dtype = bfloat16}));
  optim::MovingAverage average({{"w", w}}, {.decay = 0.999, .warmup = false});
  set_values(w, full({3}, 2., {.dtype = bfloat16}));
  for (int k = 0; k < 100; ++k) average.update();
  CHECK(average.average("w").dtype() == float32);
  check_near(average.average("w"), std::vector<double>(3, 2 - std::pow(0.999, 100)), 1e-4);
  {
    const auto scope = average.swap_in();
    CHECK(MESSAGE(FailedPrecondition, average.swap_in()) == "swap_in: the averages are in the parameters already; end the first scope before");
    CHECK(values(w) == values(average.average("w").to(bfloat16)));
    CHECK(w.requires_grad());
  }
  CHECK(values(w) == std::vector<double>(3, 2));
  check_near(average.average("w"), std::vector<double>(3, 2 - std::pow(0.999, 100)), 1e-4);  // not rounded by the swap
}
