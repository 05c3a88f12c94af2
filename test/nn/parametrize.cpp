// Values of the parametrizations are in test/nn/layer_goldens.cpp.
#include "test/support/catch.h"

#include <rill/autograd/grad_mode.h>
#include <rill/nn/conv.h>
#include <rill/nn/linear.h>
#include <rill/nn/parametrize.h>
#include <rill/nn/print.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>

#include "test/support/message.h"
#include "test/support/names.h"

using namespace rill;

namespace {

struct Net : nn::Module {
  nn::Conv2d conv{1, 2, {.kernel = 1}};
  std::vector<nn::Linear> layers{nn::Linear(2, 2), nn::Linear(2, 1)};
  Tensor operator()(const Tensor& x) const {
    return call(x, [&](const Tensor& x) { return layers[1](tanh(layers[0](conv(x).flatten(1)))); });
  }
  void parts(nn::Parts& p) override { p("conv", conv)("layers", layers); }
};

}  // namespace

TEST_CASE("what a parametrized module trains, saves and copies are the originals", "[nn][parametrize]") {
  Net net;
  const Tensor x = ones({1, 1, 1, 1}), before = net(x).detach();
  nn::weight_norm(net.layers[0]);
  nn::weight_norm(net.conv, {.axis = {}});
  CHECK(names(net.state()) == std::vector<std::string>{"conv.parametrizations.weight.original0", "conv.parametrizations.weight.original1", "conv.bias", "layers.0.parametrizations.weight.original0",
                                                       "layers.0.parametrizations.weight.original1", "layers.0.bias", "layers.1.weight", "layers.1.bias"});
  CHECK(names(net.named_parameters()) == names(net.state()));
  nn::check_parts(net);
  CHECK(allclose(net(x), before));

  const Tensor length = net.named_parameters()[3].second;
  CHECK(length.shape() == Shape{2, 1});
  sum(net(x)).backward();
  CHECK(length.grad().defined());
  const Net best = net;
  {
    const NoGrad off;
    length.mul_(3);
  }
  const Tensor changed = net(x).detach();
  CHECK_FALSE(allclose(changed, before));
  CHECK(allclose(best(x), before));
  net = best;
  CHECK(net.named_parameters()[3].second.is_same(length));
  CHECK(allclose(net(x), before));
  Net plain;
  plain = best;  // becomes parametrized
  CHECK(names(plain.state()) == names(best.state()));
  CHECK(allclose(plain(x), before));
  const Net moved = std::move(plain);
  CHECK(allclose(moved(x), before));

  net.to({.dtype = float64});
  CHECK(allclose(net(x.to(float64)), before.to(float64), 1e-5));
  net.requires_grad_(false);
  CHECK_FALSE(net(x.to(float64)).requires_grad());
  CHECK(to_string(net.layers[0]) == R"(Linear(
  in_features=2, out_features=2, bias=True
  (parametrizations): ModuleDict(
    (weight): ParametrizationList(
      (0): WeightNorm()
    )
  )
))");
}

TEST_CASE("removing a parametrization keeps the value", "[nn][parametrize]") {
  nn::Linear layer(3, 2);
  nn::spectral_norm(layer);
  CHECK(nn::is_parametrized(layer, "weight"));
  layer.eval();
  const Tensor x = ones({1, 3}), y = layer(x).detach();
  nn::remove_parametrizations(layer, "weight");
  CHECK_FALSE(nn::is_parametrized(layer, "weight"));
  CHECK(names(layer.state()) == std::vector<std::string>{"weight", "bias"});
  CHECK(layer(x).to_vector<float>() == y.to_vector<float>());
  CHECK((layer.weight.is_leaf() && layer.weight.requires_grad()));
  CHECK(MESSAGE(ValueError, nn::remove_parametrizations(layer, "weight")) == "remove_parametrizations: the parameter \"weight\" has no parametrization");
}

TEST_CASE("functions serve as parametrizations", "[nn][parametrize]") {
  nn::Linear layer(2, 1);
  nn::register_parametrization(layer, "bias", [](const Tensor& b) { return exp(b); });
  {
    const NoGrad off;
    layer.named_parameters()[1].second.fill_(0);
  }
  CHECK(layer(zeros({1, 2})).item<float>() == 1);
}

TEST_CASE("parametrizations that do not fit are refused and change nothing", "[nn][parametrize]") {
  Net net;
  CHECK(MESSAGE(ValueError, nn::weight_norm(net, {.name = "layers.0.weight"})) == "weight_norm: the module itself has no parameter \"layers.0.weight\"; it has: none");
  CHECK(MESSAGE(ValueError, nn::weight_norm(net.conv, {.name = "w"})) == "weight_norm: the module itself has no parameter \"w\"; it has: weight, bias");
  CHECK(MESSAGE(IndexError, nn::weight_norm(net.conv, {.axis = 4})).starts_with("weight_norm: "));
  CHECK(MESSAGE(ValueError, nn::spectral_norm(net.conv, {.iterations = 0})) == "spectral_norm: the number of iterations is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::spectral_norm(net.conv, {.eps = 0})) == "spectral_norm: eps is 0; it must be above 0");
  CHECK(MESSAGE(ShapeError, nn::register_parametrization(net.conv, "bias", [](const Tensor& b) { return sum(b); })) ==
        "register_parametrization: the parametrization of \"bias\" gives shape []; the parameter has [2]");
  CHECK(MESSAGE(DtypeError, nn::register_parametrization(net.conv, "bias", [](const Tensor& b) { return b.to(float64); })) ==
        "register_parametrization: the parametrization of \"bias\" gives float64; the parameter is float32");
  CHECK_FALSE(nn::is_parametrized(net.conv, "bias"));
  nn::spectral_norm(net.conv);
  CHECK(MESSAGE(ValueError, nn::weight_norm(net.conv)) == "register_parametrization: \"weight\" has a parametrization already, and this one needs 2 originals; register it first");
  CHECK(MESSAGE(ShapeError, nn::register_parametrization(net.conv, "weight", [](const Tensor& b) { return sum(b); })).starts_with("register_parametrization: "));
  CHECK(names(net.conv.state()).size() == 4);
}

TEST_CASE("older names of normalised weights are read", "[nn][parametrize]") {
  const Tensor t = ones({1});
  CHECK(names(nn::with_parametrization_names({{"fc.weight_g", t}, {"fc.weight_v", t}, {"fc.bias", t}, {"weight_orig", t}, {"weight_u", t}, {"weight_v", t}, {"lonely_g", t}, {"in_proj_weight", t}})) ==
        std::vector<std::string>{"fc.parametrizations.weight.original0", "fc.parametrizations.weight.original1", "fc.bias", "parametrizations.weight.original", "parametrizations.weight.0._u",
                                 "parametrizations.weight.0._v", "lonely_g", "in_proj_weight"});
}
