// The smallest problem that needs a hidden layer: x1 xor x2.
#include <cstdio>

#include <rill/nn/models.h>
#include <rill/rill.h>

#include "examples/support/device.h"
#include "examples/support/progress.h"

using namespace rill;

namespace {

/// Minimises the mean squared error and returns it.
double fit(nn::models::Mlp& net, const Tensor& x, const Tensor& y, std::int64_t steps, double lr) {
  optim::Adam adam(net.named_parameters(), {.lr = lr});
  double loss = 0;
  examples::Progress progress(0, steps, x.size(0), steps / 4, "points");
  for (std::int64_t step = 1; step <= steps; ++step) {
    const Tensor error = mse_loss(net(x), y);
    adam.zero_grad();
    error.backward();
    adam.step();
    loss = error.item<double>();
    progress.update(step, loss);
  }
  return loss;
}

void show(const char* name, const nn::models::Mlp& net, const Tensor& x, double loss) {
  const NoGrad off;
  std::printf("%s: loss %.4f\n", name, loss);
  const auto inputs = x.to_vector<double>(), outputs = net(x).to_vector<double>();
  for (std::size_t i = 0; i < outputs.size(); ++i) std::printf("  %g xor %g = %.3f\n", inputs[2 * i], inputs[2 * i + 1], outputs[i]);
}

}  // namespace

int main(int argc, char** argv) {
  return examples::run([&] {
    std::int64_t hidden = 2, steps = 2000, seed = 1;
    double lr = 0.03;
    std::string device = "cpu";
    examples::Flags flags("xor", "learns x1 xor x2: no linear model can (the best squared error is 0.25), one with a hidden layer can");
    flags.add("hidden", hidden, "units of the hidden layer; 2 suffice, though from some seeds they get stuck, 4 hardly ever do")
        .add("steps", steps, "training steps of each model")
        .add("lr", lr, "learning rate")
        .add("seed", seed, "of the initial weights")
        .add("device", device, examples::kDeviceHelp);
    if (!flags.parse(argc, argv)) return;
    const Device where = examples::device_of(device);
    const Tensor x = tensor({{0., 0.}, {0., 1.}, {1., 0.}, {1., 1.}}, {.device = where}), y = tensor({{0.}, {1.}, {1.}, {0.}}, {.device = where});

    manual_seed(static_cast<std::uint64_t>(seed));
    auto linear = examples::on(where, nn::models::Mlp({2, 1}));
    const double without = fit(linear, x, y, steps, lr);
    show("without hidden layer", linear, x, without);
    auto net = examples::on(where, nn::models::Mlp({2, hidden, 1}, {.activation = [](const Tensor& t) { return tanh(t); }}));
    const double with = fit(net, x, y, steps, lr);
    show("with hidden layer", net, x, with);
  });
}
