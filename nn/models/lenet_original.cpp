// LeNet-5 as published in 1998.
#include <rill/nn/init.h>
#include <rill/nn/models/lenet.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/pool.h>
#include <rill/ops/reduce.h>
#include <rill/ops/shape.h>

#include "lib/core/check.h"

namespace rill::nn::models {
namespace {

/// f(1) is about 1 and f(-1) about -1, where the curvature is largest.
Tensor squash(const Tensor& x) { return 1.7159 * tanh(x * (2.0 / 3)); }

/// Uniform in +-2.4 / fan_in.
void start(const Tensor& t, std::int64_t fan_in) {
  const double bound = 2.4 / static_cast<double>(fan_in);
  init::uniform_(t, -bound, bound);
}

/// The inputs of each output of C3: three neighbours, four neighbours, two pairs of neighbours, all.
constexpr std::string_view kInputs[16] = {"012", "123", "234", "345", "045", "015", "0123", "1234", "2345", "0345", "0145", "0125", "0134", "1245", "0235", "012345"};
constexpr std::int64_t kConnections = 60;

/// In the style of the paper's figure 3, one digit a line.
constexpr const char* kDigits[10][12] = {
    {"..###..", ".##.##.", "##...##", "##...##", "##...##", "##...##", "##...##", "##...##", "##...##", ".##.##.", "..###..", "......."},
    {"...##..", "..###..", ".####..", "...##..", "...##..", "...##..", "...##..", "...##..", "...##..", "...##..", ".######", "......."},
    {"..####.", ".##..##", "##...##", ".....##", "....##.", "...##..", "..##...", ".##....", "##.....", "##...##", "#######", "......."},
    {".#####.", "##...##", ".....##", ".....##", "....##.", "..####.", "....##.", ".....##", ".....##", "##...##", ".#####.", "......."},
    {"....##.", "...###.", "..####.", ".##.##.", "##..##.", "##..##.", "#######", "....##.", "....##.", "....##.", "...####", "......."},
    {"#######", "##.....", "##.....", "##.....", "######.", ".....##", ".....##", ".....##", ".....##", "##...##", ".#####.", "......."},
    {"..####.", ".##....", "##.....", "##.....", "######.", "##...##", "##...##", "##...##", "##...##", "##...##", ".#####.", "......."},
    {"#######", "##...##", ".....##", ".....##", "....##.", "....##.", "...##..", "...##..", "..##...", "..##...", "..##...", "......."},
    {".#####.", "##...##", "##...##", "##...##", ".##.##.", "..###..", ".##.##.", "##...##", "##...##", "##...##", ".#####.", "......."},
    {".#####.", "##...##", "##...##", "##...##", "##...##", ".######", ".....##", ".....##", ".....##", "....##.", ".####..", "......."}};

Tensor digit_codes() {
  std::vector<float> pixels;
  for (const auto& digit : kDigits)
    for (const std::string_view row : digit)
      for (const char pixel : row) pixels.push_back(pixel == '#' ? 1.0f : -1.0f);
  return from_vector(std::move(pixels), {10, 84});
}

}  // namespace

// ---- the layers ----------------------------------------------------------------------------------------------------------------------

Subsampling::Subsampling(std::int64_t channels) : weight(empty({channels})), bias(empty({channels})) { start(weight, 4), start(bias, 4); }
Tensor Subsampling::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) {
    const Tensor sums = avg_pool2d(x, 2, {.divisor_override = 1});
    return sums * weight.view({-1, 1, 1}) + bias.view({-1, 1, 1});
  });
}

PartialConv::PartialConv() : weight(empty({kConnections, 5, 5})), bias(empty({16})) {
  std::vector<std::int64_t> numbers;
  std::int64_t next = 0;
  for (std::size_t out = 0; out < 16; ++out) {
    const auto fan_in = static_cast<std::int64_t>(kInputs[out].size()) * 25;
    start(weight.narrow(0, next, fan_in / 25).detach(), fan_in);
    start(bias.narrow(0, static_cast<std::int64_t>(out), 1).detach(), fan_in);
    for (const char in : std::string_view("012345")) numbers.push_back(kInputs[out].find(in) == std::string_view::npos ? kConnections : next++);
  }
  table = Buffer(tensor(numbers));
}
Tensor PartialConv::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) {
    const Tensor kernels = cat({weight, zeros({1, 5, 5}, {.dtype = weight.dtype(), .device = weight.device()})});
    return conv2d(x, index_select(kernels, 0, table).view({16, 6, 5, 5}), bias);
  });
}

// ---- the network -----------------------------------------------------------------------------------------------------------------------

LeNet5Original::LeNet5Original() : c1(1, 6, {.kernel = 5}), s2(6), s4(16), c5(16, 120, {.kernel = 5}), f6(120, 84), digits(digit_codes()) {
  start(c1.weight, 25), start(c1.bias, 25);
  start(c5.weight, 400), start(c5.bias, 400);
  start(f6.weight, 120), start(f6.bias, 120);
}

Tensor LeNet5Original::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) {
    check_defined("LeNet5Original", x, "the image");
    check<ShapeError>(x.dim() == 4 && x.size(1) == 1 && x.size(2) == 32 && x.size(3) == 32, "LeNet5Original", "x has shape {}; expected [N, 1, 32, 32], digits of 28x28 with a border of 2", x.shape());
    Tensor y = squash(s2(squash(c1(x))));
    y = squash(s4(squash(c3(y))));
    y = squash(f6(squash(c5(y)).flatten(1)));
    return sum(square(y.unsqueeze(1) - digits), {2});
  });
}

Tensor lenet5_loss(const Tensor& penalties, const Tensor& labels, double j) {
  constexpr const char* op = "lenet5_loss";
  check_defined(op, penalties, "penalties"), check_defined(op, labels, "labels");
  check<ShapeError>(penalties.dim() == 2 && labels.dim() == 1 && labels.size(0) == penalties.size(0), op, "penalties {} and labels {} do not fit; expected [N, classes] and [N]", penalties.shape(),
                    labels.shape());
  check<ValueError>(j > 0, op, "j is {}; it must be above 0", j);
  const Tensor of_label = gather(penalties, 1, labels.unsqueeze(1)).squeeze(1);
  const Tensor floor = full({penalties.size(0), 1}, -j, {.dtype = penalties.dtype(), .device = penalties.device()});
  return mean(of_label + logsumexp(cat({floor, -penalties}, 1), {1}));
}

}  // namespace rill::nn::models
