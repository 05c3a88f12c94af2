#include <rill/rill.h>

#include <cstdio>

int main() {
  const rill::Tensor w = rill::tensor({1.0, -2.0}, {.requires_grad = true});
  for (int step = 0; step < 100; ++step) {
    const rill::Tensor loss = rill::sum(rill::square(w - 3.0));
    loss.backward();
    rill::NoGrad off;
    w -= 0.1 * w.grad();
    w.set_grad({});
  }
  std::printf("%.4f %.4f\n", w[0].item<double>(), w[1].item<double>());
  return rill::allclose(w.detach(), rill::tensor({3.0, 3.0}), 1e-4) ? 0 : 1;
}
