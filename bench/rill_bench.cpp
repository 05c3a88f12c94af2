// The workloads of a peer's benchmark under the same names and shapes; scripts/bench runs both interleaved.
#include <cmath>

#include <rill/rill.h>

#include "bench/harness.h"

using namespace rill;

namespace {

Tensor parameter(const Shape& shape, double bound) { return (rand(shape) * (2 * bound) - bound).requires_grad_(); }

/// y = x w' + b with PyTorch's default range.
struct Dense {
  Tensor w, b;
  Dense(std::int64_t in, std::int64_t out) : w(parameter({out, in}, 1 / std::sqrt(in))), b(parameter({out}, 1 / std::sqrt(in))) {}
  Tensor operator()(const Tensor& x) const { return linear(x, w, b); }
};
struct Convolution {
  Tensor w, b;
  std::int64_t padding;
  Convolution(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t padding)
      : w(parameter({out, in, kernel, kernel}, 1 / std::sqrt(in * kernel * kernel))), b(parameter({out}, 1 / std::sqrt(in * kernel * kernel))), padding(padding) {}
  Tensor operator()(const Tensor& x) const { return conv2d(x, w, b, {.padding = padding}); }
};
struct LeNet {
  Convolution c1{1, 32, 5, 2}, c2{32, 64, 5, 2};
  Dense f1{3136, 512}, f2{512, 10};
  Tensor operator()(const Tensor& x) const {
    Tensor h = max_pool2d(relu(c1(x)), 2);
    h = max_pool2d(relu(c2(h)), 2);
    return f2(relu(f1(h.flatten(1))));
  }
  std::vector<Tensor> parameters() const { return {c1.w, c1.b, c2.w, c2.b, f1.w, f1.b, f2.w, f2.b}; }
};

void clear_gradients(const std::vector<Tensor>& parameters) {
  for (const Tensor& p : parameters) p.set_grad({});
}

void engine(const bench::Settings& s) {
  {
    NoGrad off;
    const Tensor a = randn({4}), b = randn({4}), m = randn({16, 16});
    bench::run(s, "op_add4_nograd", [&] { for (int i = 0; i < 1000; ++i) const Tensor c = a + b; }, 1000);
    bench::run(s, "op_matmul16_nograd", [&] { for (int i = 0; i < 1000; ++i) const Tensor c = matmul(m, m); }, 1000);
    bench::run(s, "op_view_nograd", [&] { for (int i = 0; i < 1000; ++i) const Tensor c = m.view({256}); }, 1000);
  }
  const Tensor a = randn({4}).requires_grad_(), b = randn({4});
  bench::run(s, "op_add4_grad_record", [&] {
    Tensor c = a;
    for (int i = 0; i < 1000; ++i) c = c + b;
  }, 1000);
  bench::run(s, "op_mul4_fwd_bwd", [&] {
    Tensor c = a;
    for (int i = 0; i < 1000; ++i) c = c * b;
    c.sum().backward();
    a.set_grad({});
  }, 1000);
  bench::run(s, "op_scalar_chain_fwd_bwd", [&] {
    Tensor x = a;
    for (int i = 0; i < 250; ++i) x = tanh(x * 1.01 + 0.1) - 0.5;
    x.sum().backward();
    a.set_grad({});
  }, 1000);
}

void kernels(const bench::Settings& s) {
  NoGrad off;
  for (const std::int64_t n : {256, 1024, 2048}) {
    const Tensor x = randn({n, n}), y = randn({n, n});
    bench::run(s, "sgemm_" + std::to_string(n), [&] { const Tensor z = matmul(x, y); });
  }
  const Tensor v = randn({1 << 22}), w = randn({1 << 22}), m = randn({4096, 1000});
  bench::run(s, "ew_add_4M", [&] { const Tensor z = v + w; });
  bench::run(s, "ew_exp_4M", [&] { const Tensor z = exp(v); });
  bench::run(s, "ew_tanh_4M", [&] { const Tensor z = tanh(v); });
  bench::run(s, "sum_4M", [&] { const Tensor z = v.sum(); });
  bench::run(s, "softmax_4096x1000", [&] { const Tensor z = softmax(m, 1); });
  bench::run(s, "sum_dim0_4096x1000", [&] { const Tensor z = m.sum({0}); });
  bench::run(s, "bcast_add_row_4096x1000", [&] { const Tensor z = m + m[0]; });
  bench::run(s, "transpose_copy_4096x1000", [&] { const Tensor z = m.t().contiguous(); });
}

void networks(const bench::Settings& s) {
  {
    const Dense f1(784, 500), f2(500, 10);
    const std::vector<Tensor> parameters = {f1.w, f1.b, f2.w, f2.b};
    std::vector<Tensor> average;
    for (const Tensor& p : parameters) average.push_back(p.detach().clone());
    const Tensor x = rand({100, 784}), y = randint(0, 10, {100});
    bench::run(s, "mlp_train_step_b100", [&] {
      clear_gradients(parameters);
      Tensor loss = cross_entropy(f2(relu(f1(x))), y);
      for (const Tensor& p : {f1.w, f2.w}) loss = loss + 1e-4 * square(p).sum() * 0.5;
      loss.backward();
      NoGrad off;
      for (std::size_t i = 0; i < parameters.size(); ++i) {
        parameters[i].add_(parameters[i].grad(), -0.1);
        average[i].mul_(0.99).add_(parameters[i], 0.01);
      }
    });
  }
  for (const std::int64_t batch : {1, 100}) {
    const LeNet net;
    const Tensor x = rand({batch, 1, 28, 28}), y = randint(0, 10, {batch});
    bench::run(s, "lenet_fwd_bwd_b" + std::to_string(batch), [&] {
      clear_gradients(net.parameters());
      cross_entropy(net(x), y).backward();
    });
    NoGrad off;
    bench::run(s, "lenet_infer_b" + std::to_string(batch), [&] { const Tensor z = net(x); });
  }
  {
    const Convolution c(64, 64, 3, 1);
    const Tensor x = randn({16, 64, 56, 56}).requires_grad_();
    bench::run(s, "conv3x3_64_56_b16_fwd_bwd", [&] {
      c(x).sum().backward();
      x.set_grad({});
    });
  }
  {
    const Tensor x = randn({2048, 512}).requires_grad_(), g = ones({512}).requires_grad_(), b = zeros({512}).requires_grad_();
    bench::run(s, "layernorm_2048x512_fwd_bwd", [&] {
      layer_norm(x, {512}, g, b).sum().backward();
      x.set_grad({});
    });
    const Tensor table = randn({10000, 650}).requires_grad_(), index = randint(0, 10000, {700});
    bench::run(s, "embedding_10k_650_fwd_bwd", [&] {
      table.set_grad({});
      embedding(table, index).sum().backward();
    });
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Settings s = bench::parse(argc, argv);
  set_num_threads(s.threads);
  manual_seed(0);
  engine(s);
  kernels(s);
  networks(s);
  bench::print_peak_memory();
}
