// The texts and the numbers of operations are PyTorch 2's for the same model (print, torch.utils.flop_counter).
#include "test/support/catch.h"

#include <algorithm>

#include <rill/nn/activation.h>
#include <rill/nn/attention.h>
#include <rill/nn/containers.h>
#include <rill/nn/conv.h>
#include <rill/nn/dropout.h>
#include <rill/nn/linear.h>
#include <rill/nn/norm.h>
#include <rill/nn/print.h>
#include <rill/nn/summary.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>

#include "test/support/message.h"

using namespace rill;

namespace {

struct Block : nn::Module {
  nn::Conv2d conv1;
  nn::BatchNorm2d bn1;
  nn::Sequential down;
  Block(std::int64_t in, std::int64_t out) : conv1(in, out, {.kernel = 3, .padding = 1, .bias = false}), bn1(out), down(nn::Conv2d(in, out, {.kernel = 1}), nn::ReLU()) {}
  Tensor operator()(const Tensor& x) const {
    return call(x, [&](const Tensor& x) { return relu(bn1(conv1(x))) + down(x); });
  }
  void parts(nn::Parts& p) override { p("conv1", conv1)("bn1", bn1)("down", down); }
};
struct Net : nn::Module {
  nn::Conv2d stem{3, 8, {.kernel = 5, .stride = 2}};
  std::vector<Block> layer{Block(8, 8), Block(8, 8), Block(8, 16)};
  nn::ConvTranspose2d up{16, 4, {.kernel = 2, .stride = 2, .groups = 2}};
  std::vector<std::pair<std::string, nn::Linear>> heads{{"a", nn::Linear(4, 2)}, {"b", nn::Linear(4, 3)}};
  nn::ModuleList empty;
  Tensor operator()(const Tensor& input) const {
    return call(input, [&](const Tensor& input) {
      Tensor x = stem(input);
      for (const Block& block : layer) x = block(x);
      return heads[0].second(mean(up(x), {2, 3}));
    });
  }
  void parts(nn::Parts& p) override { p("stem", stem)("layer", layer)("up", up)("heads", heads)("empty", empty); }
};

}  // namespace

TEST_CASE("a model prints as in PyTorch", "[nn][print]") {
  CHECK(to_string(Net()) == R"(Net(
  (stem): Conv2d(3, 8, kernel_size=(5, 5), stride=(2, 2))
  (layer): ModuleList(
    (0-1): 2 x Block(
      (conv1): Conv2d(8, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)
      (bn1): BatchNorm2d(8, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
      (down): Sequential(
        (0): Conv2d(8, 8, kernel_size=(1, 1), stride=(1, 1))
        (1): ReLU()
      )
    )
    (2): Block(
      (conv1): Conv2d(8, 16, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)
      (bn1): BatchNorm2d(16, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
      (down): Sequential(
        (0): Conv2d(8, 16, kernel_size=(1, 1), stride=(1, 1))
        (1): ReLU()
      )
    )
  )
  (up): ConvTranspose2d(16, 4, kernel_size=(2, 2), stride=(2, 2), groups=2)
  (heads): ModuleDict(
    (a): Linear(in_features=4, out_features=2, bias=True)
    (b): Linear(in_features=4, out_features=3, bias=True)
  )
  (empty): ModuleList()
))");
  CHECK(to_string(nn::Linear(1, 2)) == "Linear(in_features=1, out_features=2, bias=True)");
  CHECK(to_string(nn::ModuleList(nn::ReLU(), nn::ReLU(), nn::Tanh())) == "ModuleList(\n  (0-1): 2 x ReLU()\n  (2): Tanh()\n)");
}

TEST_CASE("a summary counts parameters, operations and outputs of every module", "[nn][print]") {
  Net net;
  net.stem.requires_grad_(false);
  net.layer[0].conv1.weight.set_grad(net.layer[0].conv1.weight.detach());
  const auto mean_before = net.layer[0].bn1.running_mean.to_vector<float>();
  const nn::Summary s = nn::summary(net, {2, 3, 21, 21});
  CHECK(s.trainable() + s.frozen() == 3421);
  CHECK(s.frozen() == 608);
  CHECK(s.flops() == 1065344);
  CHECK(s.parameter_bytes == 4 * 3421);
  CHECK(s.rows.size() == net.named_modules().size());
  const auto row = [&](const std::string& path) { return *std::find_if(s.rows.begin(), s.rows.end(), [&](const auto& r) { return r.path == path; }); };
  CHECK(row("stem").flops == 194400);
  CHECK(row("layer.2.conv1").flops == 373248);
  CHECK(row("layer.2.down.0").flops == 41472);
  CHECK(row("up").flops == 41472);
  CHECK(row("heads.a").flops == 32);
  CHECK(row("").output == Shape{2, 2});
  CHECK(row("stem").output == Shape{2, 8, 9, 9});
  CHECK(row("stem").frozen == 608);
  CHECK(row("heads.b").calls == 0);
  CHECK(row("layer.0").trainable == 0);
  CHECK(row("layer.0.bn1").trainable == 16);
  CHECK_FALSE(row("layer.0").is_leaf);
  CHECK(row("layer.0").activation_bytes == 2 * 8 * 9 * 9 * 4);
  // stem; conv1, bn1 and both of down in each block; up; the head
  CHECK(s.activation_bytes() == 4 * 2 * (8 * 81 + 4 * (8 + 8 + 16) * 81 + 4 * 18 * 18 + 2));
  CHECK(net.layer[0].bn1.training);  // as before
  CHECK(net.layer[0].bn1.running_mean.to_vector<float>() == mean_before);
}

TEST_CASE("attention counts its projections and its scores", "[nn][print]") {
  const Tensor q = zeros({5, 3, 8}), k = zeros({5, 3, 4}), v = zeros({5, 3, 6});
  nn::MultiheadAttention self(8, 2), first(8, 2, {.batch_first = true}), other(8, 2, {.kdim = 4, .vdim = 6});
  CHECK(nn::summary(self, [&] { self(q, q, q); }).flops() == 10080);
  CHECK(nn::summary(first, [&] { first(q, q, q, {.need_weights = false}); }).flops() == 9120);
  CHECK(nn::summary(other, [&] { other(q, k, v); }).flops() == 8640);
}

TEST_CASE("a summary is a table", "[nn][print]") {
  nn::Sequential net{nn::Linear(1000, 20), nn::Dropout(), nn::Sequential(nn::Linear(20, 10, {.bias = false}))};
  net[2].module().requires_grad_(false);
  CHECK(to_string(nn::summary(net, {64, 1000})) ==
        "module          output    parameters   flops  output size\n"
        "Sequential      [64, 10]           -       -     2.50 KiB\n"
        "  0 Linear      [64, 20]      20,020  2.56 M     5.00 KiB\n"
        "  1 Dropout     [64, 20]           -       -     5.00 KiB\n"
        "  2 Sequential  [64, 10]           -       -     2.50 KiB\n"
        "    0 Linear    [64, 10]  200 frozen  25.6 K     2.50 KiB\n"
        "parameters: 20,220 (20,020 trainable, 200 frozen), 79.0 KiB\nflops: 2.59 M\noutputs: 12.5 KiB\n");
}

TEST_CASE("a summary that fails leaves no hooks and flags behind", "[nn][print]") {
  nn::Sequential net{nn::Linear(3, 2), nn::Dropout()};
  CHECK(MESSAGE(ShapeError, nn::summary(net, {1, 4})).ends_with("(in 0)"));
  CHECK(net[1].as<nn::Dropout>().training);
  const nn::Summary twice = nn::summary(net, [&] { net(zeros({5, 3})), net(zeros({1, 3})); });
  CHECK(twice.rows[1].calls == 2);
  CHECK(twice.rows[1].flops == 2 * 6 * 6);
  CHECK(twice.rows[1].output == Shape{1, 2});
  CHECK(twice.rows[1].activation_bytes == 4 * 2 * 6);
}
