#include "test/support/near.h"

#include <rill/ops/view.h>
#include <rill/optim/moving_average.h>

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
  CHECK_THROWS_WITH(optim::MovingAverage({}, {.decay = 1.5}), "MovingAverage: decay is 1.5; expected a number in [0, 1]");
}
