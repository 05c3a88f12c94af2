#include <rill/optim/clip.h>

#include "test/support/near.h"

#include <limits>

#include <rill/autograd/gradcheck.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

#include "test/support/message.h"

using namespace rill;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInf = std::numeric_limits<double>::infinity();

Tensor f64(std::initializer_list<Literal> v) { return tensor(v, {.dtype = float64}); }
/// A parameter with this gradient.
Tensor with_grad(const Tensor& g) {
  const Tensor p = leaf(zeros(g.shape(), {.dtype = g.dtype()}));
  p.set_grad(g);
  return p;
}

}  // namespace

TEST_CASE("gradients are scaled by one norm over all of them, as PyTorch does", "[optim][clip]") {
  for (const Dtype d : {float64, float32, bfloat16}) {
    const double tolerance = d == float64 ? 1e-15 : d == float32 ? 1e-6 : 2e-2;
    const Tensor a = with_grad(tensor({3., 4.}).to(d)), b = with_grad(tensor({{0., 12.}}).to(d).t()), none = leaf(zeros({2}));
    CHECK(optim::clip_grad_norm_({a, none, b}, 5) == 13);
    const double factor = 5 / (13 + 1e-6);
    check_near(a.grad(), {3 * factor, 4 * factor}, tolerance * 3);
    check_near(b.grad(), {0, 12 * factor}, tolerance * 5);
    CHECK_FALSE(none.grad().defined());
  }
  const Tensor small = with_grad(f64({0.3, 0.4}));
  CHECK(optim::clip_grad_norm_({small}, 1) == Approx(0.5));
  check_near(small.grad(), {0.3, 0.4}, 0);  // never scaled up
  CHECK(optim::clip_grad_norm_({small}, 0) == Approx(0.5));
  check_near(small.grad(), {0, 0}, 0);
  CHECK(optim::clip_grad_norm_({small}, 1, {.eps = 0}) == 0);
  check_near(small.grad(), {0, 0}, 0);  // 0 / 0 does not happen
  CHECK(optim::clip_grad_norm_({leaf(zeros({2}))}, 1) == 0);
}

TEST_CASE("clipping knows other norms and TensorFlow's factor", "[optim][clip]") {
  // PyTorch: torch.nn.utils.clip_grad_norm_([p, q], 2.0, norm_type) for gradients (3, -4), (1, 2)
  for (const auto& [p, norm] : {std::pair{1., 10.}, {2., 5.477225575051661}, {3., 4.641588833612778}, {kInf, 4.}, {0.5, 37.77656570518748}}) {
    INFO(p);
    const Tensor a = with_grad(f64({3., -4.})), b = with_grad(f64({1., 2.}));
    CHECK(optim::clip_grad_norm_({a, b}, 2, {.norm_type = p}) == Approx(norm).epsilon(1e-7));
    CHECK(values(a.grad())[0] == Approx(3 * 2 / (norm + 1e-6)).epsilon(1e-7));
  }
  const Tensor a = with_grad(f64({3., 4.})), b = with_grad(f64({0., 12.}));
  optim::clip_grad_norm_({a, b}, 5, {.eps = 0});
  check_near(a.grad(), {15.0 / 13, 20.0 / 13}, 1e-15);
  check_near(b.grad(), {0, 60.0 / 13}, 1e-15);
}

TEST_CASE("a norm that is not finite is an error or shows in the result", "[optim][clip]") {
  const Tensor p = with_grad(f64({1., kInf}));
  CHECK(MESSAGE(ValueError, optim::clip_grad_norm_({p}, 1, {.error_if_nonfinite = true})) == "clip_grad_norm_: the norm of the gradients is inf; nothing was changed");
  CHECK(values(p.grad()) == std::vector<double>{1, kInf});
  CHECK(optim::clip_grad_norm_({p}, 1) == kInf);
  CHECK(values(p.grad())[0] == 0);
  CHECK(std::isnan(values(p.grad())[1]));
  for (const double norm_type : {2., kInf}) {
    const Tensor q = with_grad(f64({1., kNan})), r = with_grad(f64({1.}));
    CHECK(std::isnan(optim::clip_grad_norm_({q, r}, 1, {.norm_type = norm_type})));
    CHECK(std::isnan(values(r.grad())[0]));
  }
  CHECK(MESSAGE(ValueError, optim::clip_grad_norm_({p}, -1)) == "clip_grad_norm_: max_norm is -1; expected a finite number >= 0");
  CHECK(MESSAGE(ValueError, optim::clip_grad_norm_({p}, 1, {.norm_type = 0})) == "clip_grad_norm_: norm_type is 0; expected a number > 0 or infinity");
  CHECK(MESSAGE(ValueError, optim::clip_grad_norm_({p}, 1, {.eps = -1})) == "clip_grad_norm_: eps is -1; expected a finite number >= 0");
  CHECK(MESSAGE(ValueError, optim::clip_grad_norm_({Tensor()}, 1)) == "clip_grad_norm_: a parameter is undefined; pass a tensor with values");
}

TEST_CASE("gradients are limited element by element", "[optim][clip]") {
  const Tensor p = with_grad(f64({-3., 0.5, 7.})), none = leaf(zeros({2}));
  const Tensor g = p.grad();
  optim::clip_grad_value_({none, p}, 1);
  CHECK(values(g) == std::vector<double>{-1, 0.5, 1});  // in place
  CHECK(MESSAGE(ValueError, optim::clip_grad_value_({p}, -1)) == "clip_grad_value_: value is -1; expected a finite number >= 0");
}

TEST_CASE("tensors are clipped as TensorFlow does", "[optim][clip]") {
  using namespace optim;
  check_near(clip_by_value(f64({-2., 0.5, 3.}), -1, 1), {-1, 0.5, 1}, 0);
  check_near(clip_by_value(f64({-2., 0.5, 3.}), f64({-1., 1., 0.}), f64({0., 2., 1.})), {-1, 1, 1}, 0);

  check_near(clip_by_norm(f64({3., 4.}), 2), {1.2, 1.6});
  check_near(clip_by_norm(f64({3., 4.}), 5), {3, 4}, 0);
  check_near(clip_by_norm(f64({0., 0.}), 2), {0, 0}, 0);
  check_near(clip_by_norm(f64({{3., 4.}, {0.3, 0.4}}), 1, {1}), {0.6, 0.8, 0.3, 0.4}, 1e-15);
  check_near(clip_by_average_norm(f64({3., 4.}), 1), {1.2, 1.6});
  check_near(clip_by_average_norm(f64({3., 4.}), 5), {3, 4}, 0);

  const auto clipped = clip_by_global_norm({f64({3., 4.}), Tensor(), f64({0., 12.})}, 5);
  CHECK(clipped.norm.item<double>() == 13);
  REQUIRE(clipped.tensors.size() == 3);
  check_near(clipped.tensors[0], {1.1538461538, 1.5384615385}, 1e-10);
  CHECK_FALSE(clipped.tensors[1].defined());
  check_near(clipped.tensors[2], {0, 4.6153846154}, 1e-10);
  check_near(clip_by_global_norm({f64({3., 4.})}, 5, f64({10.}).reshape({})).tensors[0], {1.5, 2}, 1e-15);
  check_near(clip_by_global_norm({f64({3., 4.})}, 6).tensors[0], {3, 4}, 0);
  for (const double bad : {kInf, kNan}) {
    const auto all = clip_by_global_norm({f64({1., 2.}), f64({bad})}, 5);
    for (const Tensor& t : all.tensors) CHECK(rill::all(isnan(t)).item<bool>());
  }
  CHECK(global_norm({f64({3.}), Tensor(), f64({4.})}).item<double>() == 5);

  CHECK(MESSAGE(ValueError, clip_by_norm(f64({1.}), 0)) == "clip_by_norm: c is 0; expected a finite number > 0");
  CHECK(MESSAGE(ValueError, clip_by_global_norm({f64({1.})}, -1)) == "clip_by_global_norm: c is -1; expected a finite number > 0");
  CHECK(MESSAGE(ValueError, clip_by_average_norm(f64({1.}), kNan)) == "clip_by_average_norm: c is nan; expected a finite number > 0");
  CHECK(MESSAGE(ValueError, global_norm({Tensor()})) == "global_norm: there are no tensors");
  CHECK(MESSAGE(ValueError, clip_by_norm(Tensor(), 1)) == "clip_by_norm: input is undefined; pass a tensor with values");
}

TEST_CASE("clipping by norms is differentiable, also at zero", "[optim][clip]") {
  const Tensor x = leaf(f64({3., 4., -2.})), inside = leaf(f64({0.1, -0.2, 0.3}));
  for (const Tensor& at : {x, inside}) {
    CHECK(gradcheck([](const std::vector<Tensor>& a) { return std::vector{optim::clip_by_norm(a[0], 2)}; }, {at}));
    CHECK(gradcheck([](const std::vector<Tensor>& a) { return std::vector{optim::clip_by_average_norm(a[0], 0.5)}; }, {at}));
    CHECK(gradcheck([](const std::vector<Tensor>& a) { return optim::clip_by_global_norm({a[0]}, 2).tensors; }, {at}));
  }
  const auto slope_at_zero = [](auto clip) {
    const Tensor zero = leaf(f64({0., 0.}));
    sum(clip(zero)).backward();
    return values(zero.grad());
  };
  CHECK(slope_at_zero([](const Tensor& t) { return optim::clip_by_norm(t, 2); }) == std::vector<double>{1, 1});
  CHECK(slope_at_zero([](const Tensor& t) { return optim::clip_by_average_norm(t, 2); }) == std::vector<double>{1, 1});
  CHECK(slope_at_zero([](const Tensor& t) { return optim::clip_by_global_norm({t}, 2).tensors[0]; }) == std::vector<double>{1, 1});
}

TEST_CASE("parameters become one vector and come back", "[optim][clip]") {
  const Tensor a = leaf(f64({{1., 2.}, {3., 4.}}).t()), b = leaf(f64({5.}));
  const Tensor v = optim::parameters_to_vector({a, b});
  CHECK(values(v) == std::vector<double>{1, 3, 2, 4, 5});
  sum(v * f64({1., 2., 3., 4., 5.})).backward();
  CHECK(values(a.grad()) == std::vector<double>{1, 2, 3, 4});
  optim::vector_to_parameters(f64({6., 7., 8., 9., 10.}), {a, b});
  CHECK(values(a) == std::vector<double>{6, 7, 8, 9});
  CHECK(values(b) == std::vector<double>{10});
  CHECK(a.is_leaf());
  CHECK(MESSAGE(ShapeError, optim::vector_to_parameters(f64({1.}), {a, b})) == "vector_to_parameters: the vector has shape [1], the parameters have 5 elements");
  CHECK(MESSAGE(ValueError, optim::parameters_to_vector({})) == "parameters_to_vector: there are no parameters");
  CHECK(MESSAGE(DtypeError, optim::parameters_to_vector({a, leaf(zeros({1}))})) == "parameters_to_vector: parameters are float64 and float32; expected one dtype");
}
