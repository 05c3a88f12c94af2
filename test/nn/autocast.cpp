// A network trained under rill::amp::autocast; single layers are in layer_goldens.cpp.
#include "test/support/catch.h"

#include <rill/nn/models/lenet.h>
#include <rill/rill.h>

using namespace rill;

namespace {

/// Bright rows on noise: the class is the row.
std::pair<Tensor, Tensor> images(std::int64_t n) {
  const Tensor x = rand({n, 1, 28, 28}) * 0.3, y = randint(0, 10, {n});
  const auto label = y.to_vector<int>();
  for (std::int64_t i = 0; i < n; ++i) x[i][0][2 * label[static_cast<std::size_t>(i)] + 4].fill_(1);
  return {x, y};
}

double accuracy_after_training(bool autocast) {
  manual_seed(11);
  nn::models::LeNet5 net(nn::models::LeNet5Options::modern());
  optim::Adam adam(net.named_parameters(), {.lr = 2e-3});
  for (int step = 0; step < 40; ++step) {
    const auto [x, y] = images(32);
    adam.zero_grad();
    Tensor loss;
    {
      const amp::autocast scope(bfloat16, autocast);
      loss = cross_entropy(net(x), y);
    }
    loss.backward();
    adam.step();
  }
  net.eval();
  const auto [x, y] = images(200);
  const NoGrad off;
  const amp::autocast scope(bfloat16, autocast);
  return mean(eq(argmax(net(x), 1), y).to(float32)).item<double>();
}

}  // namespace

TEST_CASE("LeNet-5 learns under autocast as well as in float32", "[nn][autocast]") {
  CHECK(accuracy_after_training(false) > 0.97);
  CHECK(accuracy_after_training(true) > 0.97);
}
