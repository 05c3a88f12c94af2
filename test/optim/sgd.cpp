#include "test/support/near.h"

#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/optim/schedule.h>
#include <rill/optim/sgd.h>

using namespace rill;

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
  CHECK(first.state()[0].first == "w.momentum_buffer");
  second.load(first.state());
  run(second, c, 4);
  CHECK(c.to_vector<float>() == a.to_vector<float>());
  CHECK_THROWS_WITH(second.load({}), "load: 1 tensor missing (w.momentum_buffer); nothing was changed");
  CHECK_THROWS_AS(second.load({{"w.momentum_buffer", zeros({4})}}), ValueError);
  optim::Sgd plain({{"w", c}});
  CHECK_THROWS_WITH(plain.load(first.state()), "load: 1 unexpected (w.momentum_buffer); nothing was changed");
}
