// gradcheck, custom ops, checkpointing, derivatives of functions, anomaly reports, graph dumps.
#include "test/support/catch.h"

#include <cmath>

#include <rill/autograd/anomaly.h>
#include <rill/autograd/backward.h>
#include <rill/autograd/checkpoint.h>
#include <rill/autograd/custom_op.h>
#include <rill/autograd/functional.h>
#include <rill/autograd/grad_mode.h>
#include <rill/autograd/gradcheck.h>
#include <rill/autograd/graph.h>
#include <rill/autograd/saved_tensor_hooks.h>
#include <rill/core/memory.h>
#include <rill/ops/create.h>
#include <rill/ops/dropout.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/random.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

using namespace rill;
using Catch::Matchers::Contains;

namespace {
using Values = std::vector<double>;
using List = std::vector<Tensor>;
Values values(const Tensor& t) { return t.to_vector<double>(); }
Tensor leaf(const Shape& shape, std::uint64_t seed) { return randn(shape, {.dtype = float64, .requires_grad = true}, Generator(seed)); }

struct Cube {
  static constexpr const char* name = "cube";
  static Tensor forward(Context& c, const Tensor& x, double scale) {
    c.save_for_backward({x});
    c.set("scale", scale);
    CHECK(c.needs_input_grad(0) == x.requires_grad());
    CHECK_FALSE(c.needs_input_grad(1));
    return x * x * x * scale;
  }
  static List backward(Context& c, const Tensor& g) {
    const Tensor x = c.saved()[0];
    return {g * (3 * c.get<double>("scale")) * x * x, {}};
  }
};
struct Exp {  // saves its output
  static Tensor forward(Context& c, const Tensor& x) {
    const Tensor y = exp(x);
    c.save_for_backward({y});
    return y;
  }
  static List backward(Context& c, const Tensor& g) { return {g * c.saved()[0]}; }
};
struct SinCos {  // two outputs, and the sign as a constant
  static List forward(Context& c, const Tensor& x) {
    c.save_for_backward({x});
    const Tensor s = sign(x);
    c.mark_non_differentiable(s);
    return {sin(x), cos(x), s};
  }
  static List backward(Context& c, const List& g) {
    const Tensor x = c.saved()[0];
    return {g[0] * cos(x) - g[1] * sin(x)};
  }
};
struct DoubleInPlace {
  static Tensor forward(Context& c, const Tensor& x) {
    x.mul_(2);
    c.mark_dirty(x);
    return x;
  }
  static List backward(Context&, const Tensor& g) { return {g * 2}; }
};
struct WrongCount {
  static constexpr const char* name = "wrong_count";
  static Tensor forward(Context&, const Tensor& x, const Tensor& y) { return x + y; }
  static List backward(Context&, const Tensor& g) { return {g}; }
};
struct WrongShape {
  static constexpr const char* name = "wrong_shape";
  static Tensor forward(Context&, const Tensor& x) { return x * 2; }
  static List backward(Context&, const Tensor& g) { return {g.sum()}; }
};
struct Once {
  static constexpr const char* name = "once";
  static Tensor forward(Context& c, const Tensor& x) {
    c.save_for_backward({x});
    c.mark_once_differentiable();
    return x * x;
  }
  static List backward(Context& c, const Tensor& g) { return {g * 2 * c.saved()[0]}; }
};
struct WrongGradient {
  static Tensor forward(Context& c, const Tensor& x) {
    c.save_for_backward({x});
    return x * x;
  }
  static List backward(Context& c, const Tensor& g) { return {g * c.saved()[0]}; }  // the factor 2 is missing
};
}  // namespace

TEST_CASE("gradcheck accepts right gradients and describes wrong ones", "[autograd][gradcheck]") {
  const Tensor x = leaf({2, 3}, 1), y = leaf({3}, 2);
  const auto f = [](const List& in) { return tanh(in[0] * in[1]) + in[0] / (in[1] * in[1] + 1); };
  const auto good = gradcheck(f, {x, y});
  CHECK(good.ok);
  CHECK(good.message.empty());
  const auto second = gradgradcheck(f, {x, y}, {.rtol = 1e-5, .atol = 1e-6});
  INFO(second.message);
  CHECK(second.ok);
  const auto two = gradcheck([](const List& in) { return List{in[0] * in[0], exp(in[0]).select(0, 0)}; }, {x});
  CHECK(two.ok);
  const auto bad = gradcheck([](const List& in) { return custom_op<WrongGradient>(in[0]); }, {tensor({3.}, {.dtype = float64, .requires_grad = true})});
  CHECK_FALSE(bad.ok);
  CHECK_THAT(bad.message, Contains("gradcheck: d output 0 [0] / d input 0 [0]: backward gives 3, differences give 6."));
  CHECK_THROWS_AS(gradcheck([](const List& in) { return custom_op<WrongGradient>(in[0]); }, {x}, {.raise = true}), GradError);
  const auto random = gradcheck([](const List& in) { return in[0] * rand({2, 3}, {.dtype = float64}); }, {x});
  CHECK_FALSE(random.ok);
  CHECK_THROWS_WITH(gradcheck(f, {ones({2}).requires_grad_(), y}), "gradcheck: float32 [2] is too inexact for differences; use float64 inputs");
  CHECK_THROWS_AS(gradcheck(f, {x.detach(), y.detach()}), ValueError);
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("dropout is differentiable twice", "[autograd][dropout]") {
  const Tensor x = leaf({3, 4, 2}, 1);
  for (bool torch : {false, true}) {
    const auto generator = [torch] { return torch ? Generator::torch_compatible(5) : Generator(5); };  // the same mask each time
    const std::function<Tensor(const List&)> all[] = {[&](const List& in) { return dropout(in[0] * in[0], 0.4, true, generator()); },
                                                      [&](const List& in) { return dropout1d(in[0] * in[0], 0.4, true, generator()); },
                                                      [&](const List& in) { return alpha_dropout(in[0] * in[0], 0.4, true, generator()); }};
    for (const auto& f : all) {
      const auto first = gradcheck(f, {x}), second = gradgradcheck(f, {x}, {.rtol = 1e-5, .atol = 1e-6});
      INFO(first.message << second.message);
      CHECK((first.ok && second.ok));
    }
  }
}

TEST_CASE("in-place forms keep what their gradient reads", "[autograd][inplace]") {
  const Tensor x = leaf({3}, 1), w = leaf({3}, 2);
  const std::function<Tensor(const List&)> all[] = {
      [](const List& in) { const Tensor y = in[0] * 1; return y.mul_(in[1]), y.div_(in[1] * in[1] + 1), y; },
      [](const List& in) { const Tensor y = in[0] * 1; return y.mul_(y), y; },
      [](const List& in) { const Tensor y = in[0] * in[1]; return sin_(y), exp_(y), y.narrow(0, 1, 2).mul_(in[1].narrow(0, 0, 2)), y; },
      [](const List& in) { const Tensor y = in[0] * 1; return y.sub_(in[1], 3), square_(y), tanh_(y), y; }};
  for (const auto& f : all) {
    const auto first = gradcheck(f, {x, w}), second = gradgradcheck(f, {x, w}, {.rtol = 1e-5, .atol = 1e-6});
    INFO(first.message << second.message);
    CHECK((first.ok && second.ok));
  }
}

TEST_CASE("a custom op has its own gradient", "[autograd][custom_op]") {
  const Tensor x = leaf({4}, 3);
  const auto cube = [](const List& in) { return custom_op<Cube>(in[0], 2.0); };
  CHECK(custom_op<Cube>(x, 2.0).grad_fn() == "cube");
  CHECK(gradcheck(cube, {x}).ok);
  CHECK(gradgradcheck(cube, {x}, {.rtol = 1e-5, .atol = 1e-6}).ok);
  const auto e = [](const List& in) { return custom_op<Exp>(in[0]); };
  CHECK(gradcheck(e, {x}).ok);
  CHECK(gradgradcheck(e, {x}, {.rtol = 1e-5, .atol = 1e-6}).ok);
  const auto both = [](const List& in) {
    const List y = custom_op<SinCos>(in[0]);
    return List{y[0], y[1]};
  };
  CHECK(gradcheck(both, {x}).ok);
  CHECK(gradgradcheck(both, {x}, {.rtol = 1e-5, .atol = 1e-6}).ok);
  CHECK_FALSE(custom_op<SinCos>(x)[2].requires_grad());
  CHECK_FALSE(custom_op<Cube>(x.detach(), 1.0).requires_grad());
}

TEST_CASE("custom ops may write in place", "[autograd][custom_op]") {
  const Tensor x = leaf({3}, 4), y = x * 1;
  const Tensor z = custom_op<DoubleInPlace>(y);
  CHECK(z.is_same(y));
  CHECK(y.grad_fn() == "custom_op");
  (y * y).sum().backward();
  for (int i = 0; i < 3; ++i) CHECK(values(x.grad())[static_cast<std::size_t>(i)] == Approx(8 * values(x)[static_cast<std::size_t>(i)]));
  CHECK_THROWS_AS(custom_op<DoubleInPlace>(leaf({2}, 1)), GradError);
  const Tensor base = x * 1;
  custom_op<DoubleInPlace>(base.narrow(0, 0, 1));
  x.set_grad({});
  base.sum().backward();
  CHECK(values(x.grad()) == Values{2, 1, 1});
}

TEST_CASE("mistakes in custom ops have names", "[autograd][custom_op]") {
  const Tensor x = leaf({2}, 5);
  CHECK_THROWS_WITH(custom_op<WrongCount>(x, x).sum().backward(), "wrong_count: backward returned 1 gradients for 2 arguments of forward; return an empty tensor for an argument without one");
  CHECK_THROWS_WITH(custom_op<WrongShape>(x).sum().backward(), "wrong_shape: backward returned a gradient of shape [] for argument 0 of shape [2]");
  const Tensor y = x * 1, z = custom_op<Cube>(y, 1.0);
  y.mul_(2);
  CHECK_THROWS_WITH(z.sum().backward(), "cube: its saved tensor float64 [2] was changed in place before backward() (version 1, saved at 0); clone it first");
  CHECK_THROWS_WITH(grad({custom_op<Once>(x).sum()}, {x * 1}, {}, {.allow_unused = false}), Contains("do not depend"));
  CHECK_NOTHROW(custom_op<Once>(x).sum().backward());
  const Tensor w = leaf({2}, 6);
  CHECK_THROWS_WITH(grad({(custom_op<Once>(x) * w).sum()}, {x}, {}, {.create_graph = true}), "once: has no second derivative; call backward() without create_graph");
}

namespace {
struct Partial {  // does not want zeros for outputs without gradient
  static List forward(Context& c, const Tensor& x, const Tensor& w) {
    c.set_materialize_grads(false);
    c.save_for_backward({x, w});
    return {x * w, x + w};
  }
  static List backward(Context& c, const List& g) {
    const List s = c.saved();
    CHECK(g[0].defined());
    CHECK_FALSE(g[1].defined());
    return {c.needs_input_grad(0) ? g[0] * s[1] : Tensor(), c.needs_input_grad(1) ? g[0] * s[0] : Tensor()};
  }
};
}  // namespace

TEST_CASE("a custom op learns which gradients exist and which are wanted", "[autograd][custom_op]") {
  const Tensor x = leaf({2}, 1), w = leaf({2}, 2).detach();
  custom_op<Partial>(x, w)[0].sum().backward();
  CHECK(values(x.grad()) == values(w));
}

TEST_CASE("custom ops leave nothing behind", "[autograd][custom_op]") {
  const auto before = memory_stats();
  {
    const Tensor x = leaf({4}, 3);
    custom_op<Exp>(x);
    const Tensor g = grad({custom_op<Exp>(x).sum()}, {x}, {}, {.create_graph = true})[0];
    g.sum().backward();
  }
  CHECK(memory_stats().graph_nodes == before.graph_nodes);
  CHECK(memory_stats().allocated_bytes == before.allocated_bytes);
}

TEST_CASE("checkpoint computes again what it did not keep", "[autograd][checkpoint]") {
  const Tensor w = leaf({64, 1}, 7), x = leaf({64, 64}, 8);
  int runs = 0;
  const std::function<Tensor(const Tensor&)> block = [&](const Tensor& in) {
    ++runs;
    return tanh(in * w) * exp(-in * in) + dropout(in, 0.4);
  };
  manual_seed(11);
  block(x).sum().backward();
  const Values gx = values(x.grad()), gw = values(w.grad());
  x.set_grad({}), w.set_grad({});

  manual_seed(11);
  runs = 0;
  const auto empty = memory_stats();
  Tensor y = checkpoint(block, x);
  const auto kept = memory_stats().allocated_bytes - empty.allocated_bytes;
  CHECK(runs == 1);
  CHECK(kept < 2 * 64 * 64 * 8);  // the output; without checkpoint more than six times as much
  const auto next = values(rand({3}));
  manual_seed(11);
  block(x);
  CHECK(values(rand({3})) == next);  // the stream goes on as without checkpoint
  runs = 0;
  const auto state = default_generator().state();
  y.sum().backward();
  CHECK(runs == 1);
  CHECK(values(default_generator().state()) == values(state));
  CHECK(values(x.grad()) == gx);
  CHECK(values(w.grad()) == gw);
  y = {};
  x.set_grad({}), w.set_grad({});

  // through grad(), to second order, and with retain_graph
  manual_seed(11);
  const Tensor plain = block(x);
  manual_seed(11);
  const Tensor saved = checkpoint(block, x);
  const auto second = [&](const Tensor& out) {
    const Tensor g = grad({out.sum()}, {w}, {}, {.create_graph = true})[0];
    return values(grad({(g * g).sum()}, {x})[0]);
  };
  const Values a = second(plain), b = second(saved);
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(b[i] == Approx(a[i]).margin(1e-12));
}

TEST_CASE("checkpoints nest, chain and notice functions that change", "[autograd][checkpoint]") {
  const auto before = memory_stats();
  {
    const Tensor x = leaf({5}, 9);
    const std::function<Tensor(const Tensor&)> inner = [](const Tensor& t) { return exp(sin(t)); };
    const std::function<Tensor(const Tensor&)> outer = [&](const Tensor& t) { return checkpoint(inner, t * t) * tanh(t); };
    outer(x).sum().backward();
    const Values expected = values(x.grad());
    x.set_grad({});
    checkpoint(outer, x).sum().backward();
    CHECK(values(x.grad()) == expected);
    x.set_grad({});
    const Tensor y = checkpoint_sequential({inner, inner, inner, inner}, 2, x);
    y.sum().backward();
    const Values sequential = values(x.grad());
    x.set_grad({});
    inner(inner(inner(inner(x)))).sum().backward();
    CHECK(values(x.grad()) == sequential);

    int calls = 0;
    const Tensor z = checkpoint(std::function<Tensor(const Tensor&)>([&](const Tensor& t) { return ++calls == 1 ? exp(t) : exp(t) * t; }), x);
    CHECK_THROWS_WITH(z.sum().backward(), "checkpoint: the function saved 1 tensors when it ran first and 3 now; it must do the same both times");
    CHECK_THROWS_AS(checkpoint_sequential({inner}, 2, x), ValueError);
    NoGrad off;
    CHECK_FALSE(checkpoint(inner, x).requires_grad());
  }
  CHECK(memory_stats().graph_nodes == before.graph_nodes);
  CHECK(memory_stats().allocated_bytes == before.allocated_bytes);
}

TEST_CASE("saved-tensor hooks choose what is kept", "[autograd][hooks]") {
  const Tensor x = leaf({3}, 10);
  int packed = 0, unpacked = 0;
  Tensor y;
  {
    SavedTensorHooks halves([&](const Tensor& t) { return ++packed, std::any(t.to(float32)); }, [&](const std::any& a) { return ++unpacked, std::any_cast<Tensor>(a).to(float64); });
    y = exp(x * x);
  }
  CHECK(packed == 3);
  y.sum().backward();
  CHECK(unpacked == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(values(x.grad())[i] == Approx(2 * values(x)[i] * values(y)[i]).epsilon(1e-6));
  {
    SavedTensorHooks wrong([](const Tensor&) { return std::any(); }, [](const std::any&) { return zeros({7}); });
    y = exp(x);
  }
  CHECK_THROWS_WITH(y.sum().backward(), Contains("unpack returned float32 [7] for a tensor float64 [3]"));
}

TEST_CASE("derivatives of functions", "[autograd][functional]") {
  const Tensor x = tensor({1., 2., 3.}, {.dtype = float64});
  const TensorFunction square = [](const Tensor& t) { return t * t; };
  const TensorFunction cubes = [](const Tensor& t) { return (t * t * t).sum(); };
  CHECK(values(jacobian(square, x)) == Values{2, 0, 0, 0, 4, 0, 0, 0, 6});
  CHECK(jacobian(square, x).shape() == Shape{3, 3});
  CHECK(values(vjp(square, x, tensor({1., 10., 100.}, {.dtype = float64})).second) == Values{2, 40, 600});
  CHECK(values(vjp(cubes, x).second) == Values{3, 12, 27});
  CHECK(values(jvp(square, x, tensor({1., 10., 100.}, {.dtype = float64})).second) == Values{2, 40, 600});
  const auto [value, tangent] = jvp(cubes, x, ones({3}, {.dtype = float64}));
  CHECK(value.item<double>() == 36);
  CHECK(tangent.item<double>() == 42);
  CHECK(values(hessian(cubes, x)) == Values{6, 0, 0, 0, 12, 0, 0, 0, 18});
  CHECK(values(hvp(cubes, x, tensor({1., 1., 2.}, {.dtype = float64})).second) == Values{6, 12, 36});
  CHECK(values(vhp(cubes, x, tensor({1., 1., 2.}, {.dtype = float64})).second) == Values{6, 12, 36});
  const TensorsFunction product = [](const List& in) { return (in[0] * in[1]).sum(); };
  const auto blocks = hessian(product, {x, x * 2});
  CHECK(values(blocks[0][0]) == Values(9, 0));
  CHECK(values(blocks[0][1]) == Values{1, 0, 0, 0, 1, 0, 0, 0, 1});
  CHECK(values(jacobian(product, {x, x * 2})[1]) == Values{1, 2, 3});
  CHECK(values(jacobian([](const Tensor&) { return ones({2}, {.dtype = float64}); }, x)) == Values(6, 0));
  // results that can be differentiated again: d/dx sum_i (dy_i/dx_i)^2 = 8 x
  const Tensor p = x.clone().requires_grad_();
  const Tensor j = jacobian(square, p, {.create_graph = true});
  (j * j).sum().backward();
  CHECK(values(p.grad()) == Values{8, 16, 24});
  CHECK_FALSE(x.requires_grad());
  CHECK_THROWS_WITH(hessian(square, x), "hessian: the function returned float64 [3]; a function with one element is needed");
  CHECK_THROWS_WITH(jvp(square, x, ones({2})), "jvp: v has shape [2], x has [3]");
}

TEST_CASE("anomaly mode names the op and the place", "[autograd][anomaly]") {
  const Tensor x = tensor({-1., 4.}, {.dtype = float64, .requires_grad = true});
  AnomalyMode on;
  Region training("training");
  Tensor y;
  int line = 0;
  {
    Region here("head"); line = __LINE__;
    y = (sqrt(x * 2) * 0).sum();
  }
  try {
    y.backward();
    FAIL("no NaN was noticed");
  } catch (const GradError& e) {
    const std::string text = e.what();
    CHECK_THAT(text, Contains("sqrt: backward made a NaN; it made float64 [2] <- mul <- leaf [2] at ") && Contains("extras.cpp:" + std::to_string(line)) && Contains("in training > head"));
  }
  {
    AnomalyMode forward(true, {.check_forward = true});
    CHECK_THROWS_WITH(log(x * 1), Contains("log: forward made a NaN; it made float64 [2] <- mul <- leaf [2]"));
  }
  AnomalyMode off(false);
  CHECK_NOTHROW((sqrt(x * 2) * 0).sum().backward());
}

TEST_CASE("the tape can be printed", "[autograd][graph]") {
  const Tensor w = ones({2, 3}).requires_grad_(), b = zeros({3}).requires_grad_(), unused = zeros({1}).requires_grad_();
  const Tensor y = tanh(w * 2 + b);
  const NamedTensors names{{"w", w}, {"b", b}, {"unused", unused}};
  CHECK(graph_text(y, names) == "n0 tanh <- n1\nn1 add <- n2, n4\nn2 mul <- n3\nn3 leaf float32 [2, 3] w\nn4 leaf float32 [3] b\n");
  const std::string dot = graph_dot(y, names);
  CHECK_THAT(dot, Contains("digraph tape {") && Contains("n3 [label=\"leaf float32 [2, 3] w\", style=filled];") && Contains("n3 -> n2;"));
  CHECK(unused_leaves(y, names) == std::vector<std::string>{"unused"});
  y.sum().backward();
  CHECK(without_grad(names) == std::vector<std::string>{"unused"});
  CHECK(graph_text(ones({2})).empty());
}
