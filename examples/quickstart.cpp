#include <cstdio>

#include <rill/rill.h>

using namespace rill;

struct Mlp : nn::Module {
  nn::Linear hidden{784, 128}, out{128, 10};
  Tensor operator()(const Tensor& x) const { return out(relu(hidden(x))); }
  void parts(nn::Parts& p) override { p("hidden", hidden)("out", out); }
};

int main(int argc, char** argv) {
  auto data = data::read_mnist(argc > 1 ? argv[1] : "/usr/share/datasets/fashion-mnist");
  Mlp net;
  optim::Sgd sgd(net.named_parameters(), {.lr = 0.1});
  for (int step = 1; step <= 2000; ++step) {
    const auto [images, labels] = data.train.next_batch(100);
    const Tensor loss = cross_entropy(net(images), labels);
    sgd.zero_grad();
    loss.backward();
    sgd.step();
    if (step % 500 == 0) std::printf("step %d  loss %.3f\n", step, loss.item<double>());
  }
  NoGrad off;
  const auto [images, labels] = data.test.range(0, data.test.size());
  std::printf("test accuracy: %.4f\n", mean((argmax(net(images), 1) == labels).to(float32)).item<double>());
}
