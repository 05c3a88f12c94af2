#include "test/support/catch.h"

#include <rill/autograd/grad_mode.h>
#include <rill/nn/init.h>
#include <rill/nn/linear.h>
#include <rill/nn/module.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>

#include "test/support/names.h"

using namespace rill;
using Catch::Matchers::Contains;

namespace {

struct Mlp : nn::Module {
  nn::Linear fc1{4, 3};
  std::optional<nn::Linear> extra;
  std::vector<nn::Linear> more{nn::Linear(3, 3), nn::Linear(3, 3, {.bias = false})};
  nn::Buffer steps{tensor({0})};
  bool training = true;
  Tensor operator()(const Tensor& x) const { return more[0](relu(fc1(x))); }
  void parts(nn::Parts& p) override { p("fc1", fc1)("extra", extra)("more", more)("steps", steps).mode(training); }
};
struct Forgetful : nn::Module {
  nn::Linear named{2, 2}, forgotten{2, 2};
  void parts(nn::Parts& p) override { p("named", named); }
};

}  // namespace

TEST_CASE("parts gives dotted names, numbers vectors and leaves out what is absent", "[nn][module]") {
  const Mlp m;
  CHECK(names(m.named_parameters()) == std::vector<std::string>{"fc1.weight", "fc1.bias", "more.0.weight", "more.0.bias", "more.1.weight"});
  CHECK(names(m.named_buffers()) == std::vector<std::string>{"steps"});
  CHECK(names(m.state()).back() == "steps");
  CHECK(m.parameters().size() == 5);
  CHECK(m.parameter_count() == 12 + 3 + 9 + 3 + 9);
  for (const auto& p : m.parameters()) CHECK((p.requires_grad() && p.is_leaf()));
}

TEST_CASE("a copy of a module is a snapshot; assigning it back writes into the tensors that others hold", "[nn][module]") {
  Mlp m;
  const Tensor held = m.parameters()[0];
  const auto before = held.to_vector<float>();
  const Mlp best = m;
  CHECK_FALSE(best.fc1.weight.shares_storage(m.fc1.weight));
  CHECK(best.fc1.weight.requires_grad());
  {
    const NoGrad off;
    held.add_(1);
  }
  CHECK(best.fc1.weight.to_vector<float>() == before);
  m = best;
  CHECK(held.to_vector<float>() == before);
  CHECK(m.parameters()[0].is_same(held));
  Mlp moved = std::move(m);
  CHECK(moved.parameters()[0].is_same(held));
}

TEST_CASE("tied parameters are listed once and saved under both names", "[nn][module]") {
  Mlp m;
  m.more[1].weight.tie(m.more[0].weight);
  CHECK(m.parameters().size() == 4);
  CHECK(names(m.state()) == std::vector<std::string>{"fc1.weight", "fc1.bias", "more.0.weight", "more.0.bias", "more.1.weight", "steps"});
  m.to({.dtype = float64});
  CHECK(m.more[1].weight.is_same(m.more[0].weight));
  CHECK(m.more[1].weight.dtype() == float64);
  CHECK(m.more[1].weight.requires_grad());
  CHECK(m.steps.dtype() == int64);
}

TEST_CASE("load copies all or, listing every difference, nothing", "[nn][module]") {
  Mlp a;
  const Mlp b;
  const Tensor held = a.parameters()[0];
  a.load(b.state());
  CHECK(held.to_vector<float>() == b.fc1.weight.to_vector<float>());
  CHECK_FALSE(held.shares_storage(b.fc1.weight));

  NamedTensors bad = b.state();
  bad[0].second = zeros({4, 3});
  bad[1].first = "fc1.offset";
  const auto before = held.to_vector<float>();
  CHECK_THROWS_AS(a.load(bad), ValueError);
  CHECK_THROWS_WITH(a.load(bad), "load: 1 tensor missing (fc1.bias), 1 unexpected (fc1.offset), 1 with another shape or dtype (fc1.weight: float32 [3, 4] expected, float32 [4, 3] found); nothing was changed");
  CHECK(held.to_vector<float>() == before);
  NamedTensors more = b.state();
  more.emplace_back("other", zeros({1}));
  CHECK_THROWS_AS(a.load(more), ValueError);
  CHECK(a.load(more, {.allow_unexpected = true}).unexpected == std::vector<std::string>{"other"});
  more.erase(more.begin());
  nn::init::constant_(a.fc1.weight, 3);
  CHECK_THROWS_WITH(a.load(more, {.allow_unexpected = true}), "load: 1 tensor missing (fc1.weight); nothing was changed");
  const LoadResult passed = a.load(more, {.allow_missing = true, .allow_unexpected = true});
  CHECK(passed.missing == std::vector<std::string>{"fc1.weight"});
  CHECK(passed.unexpected == std::vector<std::string>{"other"});
  CHECK(a.fc1.weight.to_vector<float>() == std::vector<float>(12, 3));
}

TEST_CASE("names lose what PyTorch's wrappers put before them", "[nn][module]") {
  const Tensor t = ones({1});
  CHECK(names(without_wrappers({{"module.a", t}, {"module._orig_mod.b.weight", t}})) == std::vector<std::string>{"a", "b.weight"});
  CHECK(names(without_wrappers({{"_orig_mod.module.a", t}, {"_orig_mod.module.b._orig_mod.c", t}})) == std::vector<std::string>{"a", "b.c"});
  CHECK(names(without_wrappers({{"module.a", t}, {"head.weight", t}})) == std::vector<std::string>{"module.a", "head.weight"});  // a part of that name
  CHECK(names(without_wrappers({{"my_orig_mod.a", t}})) == std::vector<std::string>{"my_orig_mod.a"});
  CHECK(without_wrappers({}).empty());
}

TEST_CASE("apply visits the parts of a module before the module", "[nn][module]") {
  Mlp m;
  std::string order;
  m.apply([&](nn::Module& part) { order += part.path() + ";"; });
  CHECK(order == "fc1;more.0;more.1;;");
  struct Outer : nn::Module {
    Mlp inner;
    nn::Linear last{1, 1};
    void parts(nn::Parts& p) override { p("inner", inner)("last", last); }
  } outer;
  order.clear();
  outer.apply([&](nn::Module& part) { order += part.path() + ";"; });
  CHECK(order == "inner.fc1;inner.more.0;inner.more.1;inner;last;;");
}

TEST_CASE("transient buffers move with the module and are not saved", "[nn][module]") {
  struct Masked : nn::Module {
    nn::Buffer mask{ones({2})};
    nn::Parameter scale{ones({2})};
    void parts(nn::Parts& p) override { p("scale", scale).transient("mask", mask); }
  } m;
  CHECK(names(m.state()) == std::vector<std::string>{"scale"});
  CHECK(names(m.named_buffers()) == std::vector<std::string>{"mask"});
  m.to({.dtype = float64});
  CHECK(m.mask.dtype() == float64);
  nn::check_parts(m);
}

TEST_CASE("train, eval, zero_grad and requires_grad_ reach every part", "[nn][module]") {
  Mlp m;
  m.eval();
  CHECK_FALSE(m.training);
  m.train();
  CHECK(m.training);
  sum(m(ones({2, 4}))).backward();
  CHECK(m.fc1.bias.grad().defined());
  CHECK_FALSE(m.more[1].weight.grad().defined());
  m.zero_grad();
  CHECK_FALSE(m.fc1.bias.grad().defined());
  m.requires_grad_(false);
  CHECK_FALSE(m(ones({2, 4})).requires_grad());
}

TEST_CASE("check_parts finds members that parts does not name", "[nn][module]") {
  CHECK_NOTHROW(nn::check_parts(Mlp()));
  CHECK_NOTHROW(nn::check_parts(nn::Linear(2, 3)));
  CHECK_THROWS_AS(nn::check_parts(Forgetful()), FailedPrecondition);
  CHECK_THROWS_WITH(nn::check_parts(Forgetful()), "check_parts: the module holds 4 parameters and buffers, parts() names 2; name each of them once");
}

TEST_CASE("Linear multiplies by the transposed weight and adds the bias", "[nn][linear]") {
  nn::Linear layer(2, 3);
  CHECK(layer.weight.shape() == Shape{3, 2});
  {
    const NoGrad off;
    layer.weight.copy_(tensor({{1., 2.}, {3., 4.}, {5., 6.}}));
    layer.bias.copy_(tensor({0.5, -0.5, 0.}));
  }
  CHECK(layer(tensor({{1., 0.}, {0., 2.}})).to_vector<float>() == std::vector<float>{1.5f, 2.5f, 5.f, 4.5f, 7.5f, 12.f});
  CHECK(nn::Linear(2, 3, {.bias = false})(ones({5, 4, 2})).shape() == Shape{5, 4, 3});
  CHECK_THROWS_AS(nn::Linear(0, 3), ValueError);
  CHECK_THROWS_WITH(nn::Linear(3, -1), "Linear: sizes are 3 in and -1 out; both must be at least 1");
  CHECK_THROWS_AS(layer(ones({2, 3})), ShapeError);
  CHECK_THROWS_WITH(layer(ones({2, 3})), Contains("linear") && Contains("[2, 3]") && Contains("[3, 2]"));
}
