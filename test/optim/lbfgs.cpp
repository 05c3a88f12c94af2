#include "test/support/near.h"

#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>
#include <rill/optim/lbfgs.h>

#include "test/support/message.h"

using namespace rill;

namespace {

/// Rosenbrock's valley over both parameters, with its gradients.
std::function<Tensor()> rosenbrock(optim::Lbfgs& opt, const Tensor& x, const Tensor& y) {
  return [&opt, x, y] {
    opt.zero_grad();
    const Tensor f = sum(square(1 - x)) + 100 * sum(square(y - square(x)));
    f.backward();
    return f;
  };
}

}  // namespace

TEST_CASE("L-BFGS finds the end of Rosenbrock's valley, whatever strides the parameters have", "[optim][lbfgs]") {
  const Tensor x = leaf(tensor({{-1.2, 0.5}, {2., -3.}}, {.dtype = float64}).t()), y = leaf(ones({2, 2}, {.dtype = float64}));
  optim::Lbfgs opt({{"x", x}, {"y", y}}, {.max_iter = 200, .tolerance_change = 1e-15, .line_search = optim::LineSearch::strong_wolfe});
  opt.step(rosenbrock(opt, x, y));
  check_near(x, {1, 1, 1, 1}, 1e-6);
  check_near(y, {1, 1, 1, 1}, 1e-6);
  const auto at = values(x);
  optim::Lbfgs again({{"x", x}, {"y", y}}, {.tolerance_grad = 1e-1});
  again.step(rosenbrock(again, x, y));  // at the minimum already
  CHECK(values(x) == at);
  CHECK(find(again.state(), "lbfgs.n_iter").item<std::int64_t>() == 0);
}

TEST_CASE("L-BFGS continues bit for bit from a saved state", "[optim][lbfgs]") {
  for (const auto search : {optim::LineSearch::none, optim::LineSearch::strong_wolfe}) {
    const optim::LbfgsOptions options{.lr = 0.01, .max_iter = 3, .history_size = 4, .line_search = search};
    const Tensor x = leaf(tensor({-1.2, 0.5})), y = leaf(ones({2}));
    optim::Lbfgs whole({{"x", x}, {"y", y}}, options);
    whole.step(rosenbrock(whole, x, y)), whole.step(rosenbrock(whole, x, y));
    const Tensor x2 = leaf(x.detach().clone()), y2 = leaf(y.detach().clone());
    optim::Lbfgs second({{"x", x2}, {"y", y2}}, options);
    NamedTensors saved = whole.state();
    for (auto& entry : saved) entry.second = entry.second.clone();
    second.load(saved);
    for (int k = 0; k < 2; ++k) whole.step(rosenbrock(whole, x, y)), second.step(rosenbrock(second, x2, y2));
    CHECK(values(x) == values(x2));
    CHECK(values(y) == values(y2));

    saved[5].second = zeros({9, 4});  // more pairs than the history holds
    saved[0].first = "lbfgs.steps";
    CHECK_THROWS_WITH(second.load(saved), Catch::Matchers::StartsWith("load: 1 tensor missing (lbfgs.n_iter), 1 unexpected (lbfgs.steps), 2 with another shape or dtype (lbfgs.old_dirs: "));
  }
}

TEST_CASE("L-BFGS treats a missing gradient as 0 and needs the loss", "[optim][lbfgs]") {
  const Tensor x = leaf(tensor({3.}, {.dtype = float64})), y = leaf(tensor({5.}));  // computed in float64
  optim::Lbfgs opt({{"x", x}, {"y", y}});
  opt.step([&] {
    opt.zero_grad();
    const Tensor f = sum(square(x));
    f.backward();
    return f;
  });
  check_near(x, {0}, 1e-12);
  CHECK(values(y) == std::vector<double>{5});
  CHECK(MESSAGE(FailedPrecondition, static_cast<optim::Optimizer&>(opt).step()) == "Lbfgs: step() needs the function that computes the loss and its gradients; call step(loss)");
  CHECK(MESSAGE(ValueError, optim::Lbfgs(NamedTensors{{"e", leaf(zeros({0}))}})) == "Lbfgs: all parameters are empty");
  CHECK(MESSAGE(ValueError, optim::Lbfgs(NamedTensors{})) == "Lbfgs: there are no parameters; pass model.named_parameters()");
}
