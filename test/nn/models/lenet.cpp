#include "test/nn/models/filled.h"

#include <rill/nn/models/lenet.h>

#include "test/support/message.h"

using namespace rill;
using namespace rill::nn::models;

TEST_CASE("LeNet-5 of the course and the modern one: totals, values, gradients", "[nn][models]") {
  auto course = LeNet5Options{.dropout = 0, .tensor = kDouble}, modern = LeNet5Options::modern();
  modern.tensor = kDouble;
  LeNet5 a(course), b(modern);
  CHECK(a.parameter_count() == 1'663'370);
  CHECK(b.parameter_count() == 61'706);
  nn::check_parts(a);
  check_training(a, "lenet5", image({2, 1, 28, 28}));
  check_training(b, "lenet5_modern", image({2, 1, 28, 28}));
  CHECK(a.linear_weights().size() == 2);
  CHECK(a.linear_weights()[0].shape() == Shape{512, 3136});
}

TEST_CASE("LeNet-5 of the course: start, dropout only in training", "[nn][models]") {
  LeNet5 m;
  CHECK(rill::std(m.fc[0].weight).item<double>() == Approx(0.1 * 0.87962566).epsilon(0.01));
  CHECK(max(abs(m.conv1.bias)).item<double>() == 0);
  CHECK(min(m.fc[1].bias).item<double>() == Approx(0.1));
  // half its squared weights: what the course's penalty of 1e-4 starts with
  double penalty = 0;
  for (const Tensor& w : m.linear_weights()) penalty += 0.5e-4 * sum(square(w)).item<double>();
  CHECK(penalty == Approx(0.623).epsilon(0.01));
  const Tensor x = image({1, 1, 28, 28}).to(float32);
  CHECK_FALSE(equal(m(x), m(x)));
  m.eval();
  CHECK(equal(m(x), m(x)));
  CHECK(m(x).shape() == Shape{1, 10});
  CHECK(MESSAGE(ShapeError, m(ones({1, 28, 28}))) == "LeNet5: x has shape [1, 28, 28]; expected [N, 1, 28, 28] (in LeNet5)");
  CHECK(MESSAGE(ValueError, LeNet5({.second_padding = ConvPadding::same()})) == "LeNet5: second_padding must be one number; 2 keeps the size");
}
