#include "test/support/catch.h"

#include <cmath>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>
#include <rill/optim/moving_average.h>
#include <rill/optim/penalty.h>
#include <rill/optim/schedule.h>
#include <rill/optim/sgd.h>

using namespace rill;

namespace {

Tensor leaf(const Tensor& t) { return t.requires_grad_(); }
std::vector<double> values(const Tensor& t) { return t.to_vector<double>(); }
void check_near(const Tensor& t, const std::vector<double>& expected, double tolerance = 1e-12) {
  const auto v = values(t);
  REQUIRE(v.size() == expected.size());
  for (std::size_t i = 0; i < v.size(); ++i) CHECK(std::abs(v[i] - expected[i]) <= tolerance);
}

}  // namespace

TEST_CASE("gradient descent takes the published steps", "[optim][sgd]") {
  struct Case {
    optim::SgdOptions options;
    std::vector<std::vector<double>> after;
  };
  const std::vector<Case> cases = {
      {{.lr = 0.1}, {{0.99, -1.96}, {0.98, -1.92}, {0.97, -1.88}}},
      {{.lr = 0.1, .momentum = 0.9}, {{0.99, -1.96}, {0.971, -1.884}, {0.9439, -1.7756}}},
      {{.lr = 0.1, .momentum = 0.9, .nesterov = true}, {{0.981, -1.924}, {0.9539, -1.8156}, {0.91951, -1.67804}}},
  };
  for (const auto& c : cases) {
    const Tensor w = leaf(tensor({1., -2.}, {.dtype = float64}));
    optim::Sgd sgd({{"w", w}}, c.options);
    for (const auto& expected : c.after) {
      const Tensor g = tensor({0.1, -0.4}, {.dtype = float64});
      w.set_grad(g);
      sgd.step();
      check_near(w, expected);
      check_near(g, {0.1, -0.4}, 0);  // a step never writes to the gradient
    }
    sgd.zero_grad();
    CHECK_FALSE(w.grad().defined());
    const auto before = values(w);
    sgd.step();  // no gradient: left alone
    CHECK(values(w) == before);
  }
}

TEST_CASE("gradient descent on x^2 from 5 with a falling rate follows the course", "[optim][sgd]") {
  const Tensor x = leaf(tensor(5.0).to(float64));
  optim::Sgd sgd({{"x", x}});
  const optim::ExponentialDecay rate{.base = 0.1, .steps = 1, .decay = 0.96, .staircase = true};
  for (int i = 0; i < 91; ++i) {
    sgd.zero_grad();
    square(x).backward();
    sgd.set_lr(rate(i));
    sgd.step();
    if (i == 0) check_near(x, {4.0}, 5e-7);
    if (i == 10) check_near(x, {0.690561}, 5e-7);
    if (i == 90) check_near(x, {0.028727}, 5e-7);
  }
}

TEST_CASE("a saved momentum continues bit for bit", "[optim][sgd]") {
  const auto run = [](optim::Sgd& sgd, const Tensor& w, int steps) {
    for (int i = 0; i < steps; ++i) {
      sgd.zero_grad();
      sum(square(w) * w).backward();
      sgd.step();
    }
  };
  const Tensor a = leaf(tensor({0.5, -0.25, 1.})), b = leaf(tensor({0.5, -0.25, 1.}));
  optim::Sgd whole({{"w", a}}, {.lr = 0.1, .momentum = 0.9}), first({{"w", b}}, {.lr = 0.1, .momentum = 0.9});
  run(whole, a, 7);
  run(first, b, 3);
  const Tensor c = leaf(b.detach().clone());
  optim::Sgd second({{"w", c}}, {.lr = 0.1, .momentum = 0.9});
  CHECK(first.state()[0].first == "w.momentum");
  second.load(first.state());
  run(second, c, 4);
  CHECK(c.to_vector<float>() == a.to_vector<float>());
  CHECK_THROWS_WITH(second.load({}), "load: 1 tensor missing (w.momentum); nothing was changed");
  CHECK_THROWS_AS(second.load({{"w.momentum", zeros({4})}}), ValueError);
  optim::Sgd plain({{"w", c}});
  CHECK_THROWS_WITH(plain.load(first.state()), "load: 1 unexpected (w.momentum); nothing was changed");
}

TEST_CASE("optimizers refuse parameters and numbers that cannot work", "[optim]") {
  const Tensor w = leaf(zeros({2}));
  CHECK_THROWS_WITH(optim::Sgd(NamedTensors{}), "Optimizer: there are no parameters; pass model.named_parameters()");
  CHECK_THROWS_WITH(optim::Sgd({{"w", w}, {"v", w}}), "Optimizer: parameter \"v\" appears twice");
  CHECK_THROWS_WITH(optim::Sgd({{"w", Tensor()}}), "Optimizer: parameter \"w\" is undefined");
  CHECK_THROWS_AS(optim::Sgd({{"w", zeros({2})}}), GradError);
  CHECK_THROWS_WITH(optim::Sgd({{"w", zeros({2})}}), "Optimizer: parameter \"w\" is a tensor without requires_grad; expected a leaf that requires a gradient");
  CHECK_THROWS_WITH(optim::Sgd({{"w", w * 2}}), "Optimizer: parameter \"w\" is the result of an op; expected a leaf that requires a gradient");
  CHECK_THROWS_AS(optim::Sgd({{"w", w}}, {.lr = -1}), ValueError);
  CHECK_THROWS_WITH(optim::Sgd({{"w", w}}, {.lr = NAN}), "set_lr: the learning rate nan is not a finite number >= 0");
  CHECK_THROWS_WITH(optim::Sgd({{"w", w}}, {.momentum = -1}), "Sgd: momentum -1 is negative");
  CHECK_THROWS_WITH(optim::Sgd({{"w", w}}, {.nesterov = true}), "Sgd: nesterov needs a momentum above 0");
  CHECK(optim::Sgd(std::vector<Tensor>{w}).parameters()[0].first == "0");
}

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

TEST_CASE("penalties have the course's values and gradients", "[optim][penalty]") {
  const Tensor w = leaf(tensor({{1., -2.}, {-3., 4.}}));
  const Tensor loss = optim::l2({w}, 0.5);
  CHECK(loss.item<float>() == 7.5f);
  loss.backward();
  CHECK(values(w.grad()) == std::vector<double>{0.5, -1, -1.5, 2});
  CHECK(optim::l1({w}, 0.5).item<float>() == 5.f);
  CHECK(optim::l2({w, w}, 0.5).item<float>() == 15.f);
  CHECK(optim::decayable({{"w", w}, {"b", zeros({2})}}).size() == 1);
  CHECK_THROWS_WITH(optim::l2({}, 0.5), "l2: there are no weights");
  CHECK_THROWS_WITH(optim::l1({w}, -1), "l1: scale -1 is negative");
}
