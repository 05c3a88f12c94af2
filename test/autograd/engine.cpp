#include "test/support/catch.h"

#include <pthread.h>

#include <cmath>
#include <thread>

#include <rill/autograd/backward.h>
#include <rill/autograd/grad_mode.h>
#include <rill/core/memory.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/pool.h>
#include <rill/ops/reduce.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

using namespace rill;

namespace {
using Values = std::vector<double>;
Tensor leaf(std::initializer_list<double> v) {
  return tensor(std::vector<double>(v)).requires_grad_();
}
Values values(const Tensor& t) { return t.to_vector<double>(); }
}  // namespace

TEST_CASE("gradients add up in the leaves", "[autograd][engine]") {
  const Tensor x = leaf({1, 2, 3});
  (x * x).sum().backward();
  CHECK(values(x.grad()) == Values{2, 4, 6});
  (x * 3).sum().backward();
  CHECK(values(x.grad()) == Values{5, 7, 9});
  x.set_grad({});
  CHECK_FALSE(x.grad().defined());
  (x + x * x + x).sum().backward();  // one leaf, several paths
  CHECK(values(x.grad()) == Values{4, 6, 8});
  const Tensor y = x * 2;
  y.sum().backward();
  CHECK_FALSE(y.grad().defined());
  CHECK(y.grad_fn() == "mul");
  CHECK_FALSE(y.is_leaf());
  CHECK(x.is_leaf());
}

TEST_CASE("the gradient may be omitted for one element only", "[autograd][engine]") {
  const Tensor x = leaf({1, 2});
  const Tensor y = x * x;
  CHECK_THROWS_WITH(y.backward(), "backward: the gradient may be omitted only for one element, the output is float64 [2]; pass a gradient or reduce with sum() or mean()");
  CHECK_THROWS_WITH(y.backward(tensor({1., 2., 3.})), "backward: the gradient has shape [3], the output [2]");
  y.backward(tensor({1., 10.}));
  CHECK(values(x.grad()) == Values{2, 40});
  CHECK_THROWS_WITH(tensor({1.}).backward(), "backward: output float32 [1] does not depend on a tensor that requires grad; call requires_grad_() on an input and keep recording on");
}

TEST_CASE("a second backward needs retain_graph", "[autograd][engine]") {
  const Tensor x = leaf({1, 2});
  const Tensor y = (x * x).sum();
  y.backward({}, true);
  y.backward();
  CHECK(values(x.grad()) == Values{4, 8});
  CHECK_THROWS_AS(y.backward(), GradError);
  try {
    y.backward();
  } catch (const GradError& e) {
    CHECK(std::string(e.what()).find("backward() runs a second time through a graph whose saved tensors were freed; pass retain_graph = true the first time") != std::string::npos);
  }
  CHECK(values(x.grad()) == Values{4, 8});
}

TEST_CASE("create_graph gives derivatives of every order", "[autograd][engine]") {
  const Tensor x = leaf({1.5});
  Tensor y = x * x * x * x;
  for (double expected : {4 * std::pow(1.5, 3), 12 * 1.5 * 1.5, 24 * 1.5, 24.0}) {
    y = grad({y}, {x}, {}, {.create_graph = true})[0];
    CHECK(y.item<double>() == Approx(expected));
  }
  Tensor s = sin(x);
  for (double expected : {std::cos(1.5), -std::sin(1.5), -std::cos(1.5)}) {
    s = grad({s}, {x}, {}, {.create_graph = true})[0];
    CHECK(s.item<double>() == Approx(expected));
  }
  // a gradient penalty: d/dw |d(w x)/dx|^2 = 2 w
  const Tensor w = leaf({3});
  const Tensor g = grad({(w * x).sum()}, {x}, {}, {.create_graph = true})[0];
  (g * g).sum().backward();
  CHECK(values(w.grad()) == Values{6});
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("grad() leaves .grad alone and names unused inputs", "[autograd][engine]") {
  const Tensor x = leaf({1, 2}), z = leaf({5});
  const Tensor mid = x * 2, y = (mid * mid).sum();
  const auto g = grad({y}, {mid, x}, {}, {.retain_graph = true});
  CHECK(values(g[0]) == Values{4, 8});
  CHECK(values(g[1]) == Values{8, 16});
  CHECK_FALSE(x.grad().defined());
  CHECK_THROWS_WITH(grad({y}, {x, z}, {}, {.retain_graph = true}), "grad: the outputs do not depend on input 1 (float64 [1]); set allow_unused = true to get an undefined gradient");
  CHECK_FALSE(grad({y}, {x, z}, {}, {.retain_graph = true, .allow_unused = true})[1].defined());
  backward({y, mid.sum()}, {}, {.retain_graph = true});  // two outputs at once
  CHECK(values(x.grad()) == Values{10, 18});
  x.set_grad({});
  const Tensor u = leaf({1, 1});
  backward({(x * u).sum()}, {}, {}, {u});  // only u
  CHECK(values(u.grad()) == Values{1, 2});
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("a backward pass can be cut in two", "[autograd][engine]") {
  const Tensor x = leaf({1, 2});
  const Tensor mid = exp(x * x), y = (mid * mid).sum();
  const auto g = grad({y}, {mid});
  mid.backward(g[0]);  // the part behind mid was not used up
  for (std::size_t i = 0; i < 2; ++i) CHECK(values(x.grad())[i] == Approx(4 * values(x)[i] * std::exp(2 * values(x)[i] * values(x)[i])));
  CHECK_THROWS_AS(grad({y}, {mid}), GradError);
}

TEST_CASE("grad modes belong to the thread and restore themselves", "[autograd][engine]") {
  const Tensor x = leaf({2});
  {
    NoGrad off;
    CHECK_FALSE((x * 2).requires_grad());
    {
      EnableGrad on;
      CHECK((x * 2).requires_grad());
    }
    CHECK_FALSE(grad_enabled());
    x.mul_(1);  // allowed here
    bool other = false;
    std::thread([&] { other = grad_enabled(); }).join();
    CHECK(other);
  }
  CHECK(grad_enabled());
  Tensor inside;
  {
    InferenceMode off;
    inside = tensor({3.}, {.dtype = float64});
    CHECK_FALSE((x * inside).requires_grad());
    const Tensor places = max_pool2d(x * ones({1, 1, 2, 2}, {.dtype = float64}), 2);  // keeps what it made inside, where it records
    CHECK(places.item<double>() == values(x)[0]);
  }
  CHECK_THROWS_WITH(x * inside, "record: float64 [1] was made in inference mode and cannot be saved for backward; make it outside or clone it");
  CHECK((x * inside.clone()).requires_grad());
  CHECK((x + inside).requires_grad());  // saves nothing
  set_grad_enabled(false);
  CHECK_FALSE((x * 2).requires_grad());
  set_grad_enabled(true);
}

TEST_CASE("detach shares values and version, not history", "[autograd][engine]") {
  const Tensor x = leaf({1, 2});
  const Tensor y = x * x, d = y.detach();
  CHECK_FALSE(d.requires_grad());
  CHECK(d.shares_storage(y));
  d.mul_(2);
  CHECK(y.version() == d.version());
  CHECK(values(y) == Values{2, 8});
  y.sum().backward();  // x * x saved x, not y
  CHECK(values(x.grad()) == Values{2, 4});
  const Tensor z = x * 3;
  z.detach_();
  CHECK_FALSE(z.requires_grad());
  CHECK_THROWS_AS((x * 1).select(0, 0).detach_(), GradError);
  CHECK_THROWS_WITH(tensor({1, 2}).requires_grad_(), "requires_grad_: only floating tensors can require grad, this one is int64 [2]");
  CHECK_THROWS_AS((x * 2).requires_grad_(false), GradError);
}

TEST_CASE("a saved tensor that changed is an error with both versions", "[autograd][engine]") {
  const Tensor x = leaf({1, 2});
  const Tensor y = exp(x), z = y.sum();
  y.detach().add_(1);
  CHECK_THROWS_WITH(z.backward(), "exp: its saved tensor float64 [2] was changed in place before backward() (version 1, saved at 0); clone it first");
  const Tensor a = x * 1, b = a * a;
  a.mul_(2);
  CHECK_THROWS_WITH(b.sum().backward(), "mul: its saved tensor float64 [2] was changed in place before backward() (version 1, saved at 0); clone it first");
  const Tensor w = x * 1, v = w + 1;  // add saves nothing
  w.mul_(2);
  v.sum().backward();
  CHECK(values(x.grad()) == Values{1, 1});
}

TEST_CASE("hooks see and replace gradients before they are accumulated", "[autograd][engine]") {
  const Tensor x = leaf({1, 2});
  Values seen;
  HookHandle doubled = x.register_hook([&](const Tensor& g) { return seen = values(g), g * 2; });
  (x * x).sum().backward();
  CHECK(seen == Values{2, 4});
  CHECK(values(x.grad()) == Values{4, 8});
  doubled.remove();
  x.set_grad({});
  const Tensor y = x * 3;
  y.retain_grad();
  y.register_hook([](const Tensor& g) { return g + 1; });
  y.register_hook([](const Tensor& g) { return g * 10; });  // in order of registration
  y.register_hook([&](const Tensor& g) { return seen = values(g), Tensor(); });
  y.sum().backward();
  CHECK(seen == Values{20, 20});
  CHECK(values(y.grad()) == Values{20, 20});
  CHECK(values(x.grad()) == Values{60, 60});
  const Tensor bad = x * 1;
  bad.register_hook([](const Tensor&) { return zeros({3}); });
  CHECK_THROWS_WITH(bad.sum().backward(), "mul: a hook returned a gradient of shape [3] for one of shape [2]");
  CHECK_THROWS_AS(tensor({1.}).register_hook([](const Tensor& g) { return g; }), GradError);
  // after accumulation
  x.set_grad({});
  int calls = 0;
  HookHandle h = x.register_post_accumulate_grad_hook([&](const Tensor& g) { ++calls, seen = values(g); });
  (x * 1 + x * 3).sum().backward();
  CHECK(calls == 1);
  CHECK(seen == Values{4, 4});
  h.remove();
  (x * 1).sum().backward();
  CHECK(calls == 1);
  CHECK_THROWS_AS(y.register_post_accumulate_grad_hook([](const Tensor&) {}), GradError);
}

TEST_CASE("a leaf shared by many uses gets one hook call with the whole gradient", "[autograd][engine]") {
  const Tensor x = leaf({1});
  int calls = 0;
  double seen = 0;
  x.register_hook([&](const Tensor& g) { return ++calls, seen = g.item<double>(), Tensor(); });
  Tensor y = x * 0;
  for (int i = 1; i <= 4; ++i) y = y + x * i;
  y.sum().backward();
  CHECK(calls == 1);
  CHECK(seen == 10);
}

TEST_CASE("an exception in backward leaves the graph usable", "[autograd][engine]") {
  const std::int64_t before = memory_stats().graph_nodes;
  {
    const Tensor x = leaf({1, 2});
    const Tensor y = x * 2, z = (y * y + exp(y)).sum();
    bool fail = true;
    y.register_hook([&](const Tensor&) -> Tensor {
      if (fail) throw std::runtime_error("stop");
      return {};
    });
    CHECK_THROWS_WITH(z.backward({}, true), "stop");
    CHECK_FALSE(x.grad().defined());
    fail = false;
    z.backward({}, true);
    const Values once = values(x.grad());
    CHECK(once[0] == Approx(8 + 2 * std::exp(2)));
    x.set_grad({});
    z.backward();
    CHECK(values(x.grad()) == once);
  }
  CHECK(memory_stats().graph_nodes == before);
}

TEST_CASE("threads run backward on their own graphs at the same time", "[autograd][engine][threads]") {
  const Tensor shared = leaf({1, 2, 3});
  std::vector<Values> own(8);
  std::vector<int> wrong(8);  // gradients of two paths to a leaf that other threads take up and let go between the first and the second
  {
    std::vector<std::jthread> threads;
    for (std::size_t k = 0; k < own.size(); ++k)
      threads.emplace_back([&, k] {
        const Tensor x = leaf({1, 2, 3});
        for (int i = 0; i < 50; ++i) {
          Tensor y = x * static_cast<double>(k);
          for (int j = 0; j < 10; ++j) y = y * 1.0 + x;
          y.sum().backward();
          (shared * 2).sum().backward();  // leaves may be shared
          for (int r = 0; r < 20; ++r) wrong[k] += values(grad({(shared * shared * x).sum()}, {shared})[0]) != Values{2, 8, 18};
        }
        own[k] = values(x.grad());
      });
  }
  for (std::size_t k = 0; k < own.size(); ++k) {
    CHECK(own[k] == Values(3, 50.0 * (static_cast<double>(k) + 10)));
    CHECK(wrong[k] == 0);
  }
  CHECK(values(shared.grad()) == Values(3, 2.0 * 50 * 8));
}

TEST_CASE("no node outlives its tensors", "[autograd][engine]") {
  const std::int64_t before = memory_stats().graph_nodes, bytes = memory_stats().allocated_bytes;
  {
    const Tensor x = leaf({1, 2, 3}), w = leaf({1});
    Tensor y = tanh(x * w) + exp(x).select(0, 1);
    y.retain_grad();
    y.register_hook([](const Tensor& g) { return g; });
    Tensor b = x * 2;
    b.narrow(0, 0, 2).mul_(w);
    CHECK(memory_stats().graph_nodes > before);
    const auto g = grad({(y * b).sum()}, {x}, {}, {.create_graph = true});
    (g[0] * g[0]).sum().backward();
    exp(x).sum();  // dropped without backward
    const Tensor kept = sigmoid(x);
  }
  CHECK(memory_stats().graph_nodes == before);
  CHECK(memory_stats().allocated_bytes == bytes);
}

namespace {
void* long_chain(void* ok) {
  const Tensor x = leaf({3});
  Tensor y = x;
  for (int i = 0; i < 1000000; ++i) y = -y;
  y.backward();
  bool good = x.grad().item<double>() == 1;
  y = x;
  for (int i = 0; i < 1000000; ++i) y = -y;  // dropped without backward
  y = {};
  Tensor v = x * 1;
  for (int i = 0; i < 20000; ++i) v = (v * v).narrow(0, 0, 1);  // saved tensors and views hold the chain together
  v = {};
  *static_cast<bool*>(ok) = good;
  return nullptr;
}
}  // namespace

TEST_CASE("a chain of a million ops needs no stack", "[autograd][engine]") {
  const std::int64_t before = memory_stats().graph_nodes;
  bool ok = false;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 << 10);
  pthread_t thread;
  REQUIRE(pthread_create(&thread, &attributes, &long_chain, &ok) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  CHECK(ok);
  CHECK(memory_stats().graph_nodes == before);
}
