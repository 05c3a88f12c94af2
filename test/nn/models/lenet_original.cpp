#include "test/nn/models/filled.h"

#include <rill/autograd/grad_mode.h>
#include <rill/nn/models/lenet.h>
#include <rill/ops/index.h>

#include "test/support/message.h"

using namespace rill;
using namespace rill::nn::models;

TEST_CASE("LeNet-5 of 1998: the paper's numbers of parameters", "[nn][models]") {
  LeNet5Original m;
  nn::check_parts(m);
  CHECK(m.parameter_count() == 60'000);
  CHECK(m.c1.parameter_count() == 156);
  CHECK(m.s2.parameter_count() == 12);
  CHECK(m.c3.parameter_count() == 1516);
  CHECK(m.s4.parameter_count() == 32);
  CHECK(m.c5.parameter_count() == 48'120);
  CHECK(m.f6.parameter_count() == 10'164);
  CHECK(m.digits.shape() == Shape{10, 84});
  CHECK(equal(abs(m.digits), ones({10, 84})));
  for (int i = 0; i < 10; ++i)
    for (int j = 0; j < i; ++j) CHECK(sum(square(m.digits[i] - m.digits[j])).item<double>() >= 4 * 6);  // at least six pixels tell two digits apart
  CHECK(max(abs(m.c5.weight)).item<double>() <= 2.4 / 400);
  CHECK(max(abs(m.c3.weight[0])).item<double>() <= 2.4 / 75);
  CHECK(max(abs(m.c3.weight[59])).item<double>() <= 2.4 / 150);
  CHECK(max(abs(m.c3.weight)).item<double>() > 2.4 / 80);
}

TEST_CASE("LeNet-5 of 1998: penalties, loss and gradients", "[nn][models]") {
  LeNet5Original m;
  m.to(kDouble);
  auto codes = noise(840, 5555);
  for (double& v : codes) v -= 0.5;
  fill(m);
  m.digits.copy_(from_vector(std::move(codes), {10, 84}));
  const Tensor y = m(image({2, 1, 32, 32}));
  check_summary(y, "lenet5_1998", "y");
  const Tensor loss = lenet5_loss(y, tensor({3, 8}), 0.25);
  check_summary(loss, "lenet5_1998", "loss");
  loss.backward();
  std::size_t compared = 2;
  for (const auto& [name, p] : m.named_parameters()) check_summary(p.grad(), "lenet5_1998", "grad." + name), ++compared;
  CHECK(compared == model_goldens().at("lenet5_1998").size());
}

TEST_CASE("LeNet-5 of 1998: a missing connection carries nothing", "[nn][models]") {
  const NoGrad off;
  const PartialConv c3;
  const Tensor x = zeros({1, 6, 5, 5});
  x(0, 4) = 1;
  const Tensor y = (c3(x) - c3(zeros({1, 6, 5, 5}))).view({16});
  const char* sees_4 = "0011100111101101";  // by the paper's table 1
  for (int out = 0; out < 16; ++out) {
    INFO(out);
    CHECK((y[out].item<double>() != 0) == (sees_4[out] == '1'));
  }
}

TEST_CASE("LeNet-5 of 1998 refuses other images and labels", "[nn][models]") {
  const LeNet5Original m;
  CHECK(MESSAGE(ShapeError, m(ones({1, 1, 28, 28}))) == "LeNet5Original: x has shape [1, 1, 28, 28]; expected [N, 1, 32, 32], digits of 28x28 with a border of 2 (in LeNet5Original)");
  const Tensor penalties = ones({2, 10});
  CHECK(MESSAGE(ShapeError, lenet5_loss(penalties, tensor({1}), 1)) == "lenet5_loss: penalties [2, 10] and labels [1] do not fit; expected [N, classes] and [N]");
  CHECK(MESSAGE(ValueError, lenet5_loss(penalties, tensor({1, 2}), 0)) == "lenet5_loss: j is 0; it must be above 0");
  CHECK(MESSAGE(IndexError, lenet5_loss(penalties, tensor({1, 10}), 1)) != "no exception");
}
