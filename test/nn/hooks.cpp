#include "test/support/catch.h"

#include <rill/nn/linear.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>

#include "test/nn/block.h"
#include "test/support/message.h"

using namespace rill;

namespace {

struct Net : nn::Module {
  std::vector<Block> layer{Block(), Block()};
  Tensor operator()(const Tensor& x) const { return layer[1](x); }
  void parts(nn::Parts& p) override { p("layer", layer); }
};

}  // namespace

TEST_CASE("modules know their paths once the model has been listed, and errors name them", "[nn][hooks]") {
  Net net;
  CHECK(message<ShapeError>([&] { net(ones({2, 5})); }).ends_with("(in Linear)"));
  CHECK(net.named_modules().size() == 7);
  CHECK(net.named_modules()[2].first == "layer.0.first");
  CHECK(net.layer[1].second.path() == "layer.1.second");
  CHECK(message<ShapeError>([&] { net(ones({2, 5})); }).ends_with("(in layer.1.first)"));
  CHECK(message<ShapeError>([&] { net(ones({2, 5})); }).starts_with("linear: "));
  const Net copy = net;
  CHECK(copy.layer[0].path() == "layer.0");
}

TEST_CASE("describe gives the class and its arguments", "[nn][hooks]") {
  CHECK(nn::Linear(3, 2, {.bias = false}).describe() == "Linear(in_features=3, out_features=2, bias=False)");
  CHECK(Net().describe() == "Net()");
}

TEST_CASE("forward hooks see and replace inputs and outputs until they are removed", "[nn][hooks]") {
  Block block;
  const Tensor x = ones({1, 4}), plain = block(x);
  int calls = 0;
  auto pre = block.register_forward_pre_hook([&](const nn::Module& m, const Tensor& input) {
    CHECK(&m == &block);
    ++calls;
    return input * 2;
  });
  auto post = block.register_forward_hook([&](const nn::Module&, const Tensor& input, const Tensor& output) {
    CHECK(input.to_vector<float>() == std::vector<float>(4, 2));
    ++calls;
    return output + 1;
  });
  auto inner = block.second.register_forward_hook([&](const nn::Module&, const Tensor&, const Tensor&) { return ++calls, Tensor(); });
  const Tensor hooked = block(x);
  CHECK(calls == 3);
  const Block copy = block;  // hooks are copied, and removed one by one
  pre.remove(), post.remove(), inner.remove();
  CHECK(block(x).to_vector<float>() == plain.to_vector<float>());
  CHECK(calls == 3);
  CHECK(message<ValueError>([&] { block.register_forward_hook(nullptr); }) == "register_forward_hook: the hook is empty");
}

TEST_CASE("backward hooks receive both gradients and may replace that of the input", "[nn][hooks]") {
  nn::Linear layer(2, 1);
  {
    const Tensor w = layer.weight.detach();
    w.copy_(tensor({{3., 5.}}));
  }
  std::vector<float> in, out;
  auto hook = layer.register_full_backward_hook([&](const nn::Module&, const Tensor& grad_input, const Tensor& grad_output) {
    if (grad_input.defined()) in = grad_input.to_vector<float>();
    out = grad_output.to_vector<float>();
    return grad_input.defined() ? grad_input * 10 : Tensor();
  });
  const Tensor x = ones({1, 2}).requires_grad_();
  (sum(layer(x) * 7) + sum(x)).backward();
  CHECK(in == std::vector<float>{21, 35});  // what comes out of the layer, without the other use of x
  CHECK(out == std::vector<float>{7});
  CHECK(x.grad().to_vector<float>() == std::vector<float>{211, 351});
  in.clear();
  sum(layer(ones({1, 2})) * 2).backward();
  CHECK(in.empty());
  CHECK(out == std::vector<float>{2});
  hook.remove();
  out.clear();
  sum(layer(x)).backward();
  CHECK(out.empty());
}
