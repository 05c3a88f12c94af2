// The workloads of a peer's benchmark under the same names and shapes; scripts/bench runs both interleaved.
#include <rill/nn/models.h>
#include <rill/rill.h>

#include "bench/lenet.h"
#include "bench/machine.h"

using namespace rill;

namespace {

void engine(const bench::Settings& s) {
  {
    NoGrad off;
    const Tensor a = randn({4}), b = randn({4}), m = randn({16, 16});
    bench::run(s, "op_add4_nograd", [&] { for (int i = 0; i < 1000; ++i) const Tensor c = a + b; }, {.calls = 1000});
    bench::run(s, "op_matmul16_nograd", [&] { for (int i = 0; i < 1000; ++i) const Tensor c = matmul(m, m); }, {.calls = 1000});
    bench::run(s, "op_view_nograd", [&] { for (int i = 0; i < 1000; ++i) const Tensor c = m.view({256}); }, {.calls = 1000});
  }
  const Tensor a = randn({4}).requires_grad_(), b = randn({4});
  bench::run(s, "op_add4_grad_record", [&] {
    Tensor c = a;
    for (int i = 0; i < 1000; ++i) c = c + b;
  }, {.calls = 1000});
  bench::run(s, "op_mul4_fwd_bwd", [&] {
    Tensor c = a;
    for (int i = 0; i < 1000; ++i) c = c * b;
    c.sum().backward();
    a.set_grad({});
  }, {.calls = 1000});
  bench::run(s, "op_scalar_chain_fwd_bwd", [&] {
    Tensor x = a;
    for (int i = 0; i < 250; ++i) x = tanh(x * 1.01 + 0.1) - 0.5;
    x.sum().backward();
    a.set_grad({});
  }, {.calls = 1000});
}

void kernels(const bench::Settings& s) {
  NoGrad off;
  for (const std::int64_t n : {256, 1024, 2048}) {
    const Tensor x = randn({n, n}), y = randn({n, n});
    bench::run(s, "sgemm_" + std::to_string(n), [&] { const Tensor z = matmul(x, y); }, {.flop = 2.0 * n * n * n});
  }
  {
    const Tensor x = randn({1024, 1024}).to(bfloat16), y = randn({1024, 1024}).to(bfloat16);
    bench::run(s, "sgemm_1024_bf16", [&] { const Tensor z = matmul(x, y); }, {.flop = 2.0 * (1 << 30)});
  }
  const Tensor v = randn({1 << 22}), w = randn({1 << 22}), m = randn({4096, 1000});
  bench::run(s, "ew_add_4M", [&] { const Tensor z = v + w; }, {.bytes = 12.0 * (1 << 22)});
  bench::run(s, "ew_exp_4M", [&] { const Tensor z = exp(v); }, {.bytes = 8.0 * (1 << 22)});
  bench::run(s, "ew_tanh_4M", [&] { const Tensor z = tanh(v); }, {.bytes = 8.0 * (1 << 22)});
  bench::run(s, "sum_4M", [&] { const Tensor z = v.sum(); }, {.bytes = 4.0 * (1 << 22)});
  bench::run(s, "softmax_4096x1000", [&] { const Tensor z = softmax(m, 1); }, {.bytes = 8.0 * 4096 * 1000});
  bench::run(s, "sum_dim0_4096x1000", [&] { const Tensor z = m.sum({0}); }, {.bytes = 4.0 * 4096 * 1000});
  bench::run(s, "bcast_add_row_4096x1000", [&] { const Tensor z = m + m[0]; }, {.bytes = 8.0 * 4096 * 1000});
  bench::run(s, "transpose_copy_4096x1000", [&] { const Tensor z = m.t().contiguous(); }, {.bytes = 8.0 * 4096 * 1000});
}

void networks(const bench::Settings& s) {
  {
    const nn::Linear f1(784, 500), f2(500, 10);
    const NamedTensors parameters = {{"f1.weight", f1.weight}, {"f1.bias", f1.bias}, {"f2.weight", f2.weight}, {"f2.bias", f2.bias}};
    optim::Sgd sgd(parameters, {.lr = 0.1});
    optim::MovingAverage average(parameters, {.decay = 0.99, .warmup = false});
    const Tensor x = rand({100, 784}), y = randint(0, 10, {100});
    std::int64_t step = 0;
    bench::run(s, "mlp_train_step_b100", [&] {
      sgd.zero_grad();
      (cross_entropy(f2(relu(f1(x))), y) + optim::l2({f1.weight, f2.weight}, 1e-4)).backward();
      sgd.step();
      average.update(++step);
    }, {.flop = 0.160e9});
  }
  for (const std::int64_t batch : {1, 100}) {
    bench::LeNet net;
    optim::Adam adam(net.named_parameters(), {.lr = 1e-3});
    const Tensor x = rand({batch, 1, 28, 28}), y = randint(0, 10, {batch});
    bench::run(s, "lenet_train_step_b" + std::to_string(batch), [&] {
      adam.zero_grad();
      cross_entropy(net(x), y).backward();
      adam.step();
    }, {.flop = 72.4e6 * static_cast<double>(batch)});
    NoGrad off;
    bench::run(s, "lenet_infer_b" + std::to_string(batch), [&] { const Tensor z = net(x); }, {.flop = 24.6e6 * static_cast<double>(batch)});
  }
  {
    bench::LeNet net;
    optim::Adam adam(net.named_parameters(), {.lr = 1e-3});
    const Tensor x = rand({100, 1, 28, 28}), y = randint(0, 10, {100});
    bench::run(s, "lenet_train_step_b100_bf16", [&] {
      adam.zero_grad();
      Tensor loss;
      {
        const amp::autocast scope(bfloat16);
        loss = cross_entropy(net(x), y);
      }
      loss.backward();
      adam.step();
    }, {.flop = 7.24e9});
  }
  {
    nn::models::InceptionA block(192, 32);
    const Tensor x = randn({8, 192, 35, 35});
    bench::run(s, "inceptionA_fwd_bwd_b8", [&] {
      block.zero_grad();
      mean(block(x)).backward();
    }, {.share = 2, .flop = 14.2e9});
    NoGrad off;
    block.eval();
    bench::run(s, "inceptionA_infer_b8", [&] { const Tensor z = block(x); }, {.flop = 5.0e9});
  }
  {
    const nn::Conv2d c(64, 64, {.kernel = 3, .padding = 1});
    const Tensor x = randn({16, 64, 56, 56}).requires_grad_();
    bench::run(s, "conv3x3_64_56_b16_fwd_bwd", [&] {
      c(x).sum().backward();
      x.set_grad({});
    }, {.flop = 11.1e9});
  }
  {
    nn::LSTM lstm(650, 650, {.num_layers = 2});
    const Tensor x = randn({35, 20, 650});
    bench::run(s, "lstm_2x650_t35_b20_fwd_bwd", [&] {
      lstm.zero_grad();
      lstm(x).output.sum().backward();
    }, {.share = 2, .flop = 26.0e9});
    bench::run(s, "lstm_2x650_t35_b20_fwd_bwd_bf16", [&] {
      lstm.zero_grad();
      Tensor y;
      {
        const amp::autocast scope(bfloat16);
        y = lstm(x).output.sum();
      }
      y.backward();
    }, {.share = 2, .flop = 26.0e9});
  }
  {
    const Tensor x = randn({2048, 512}).requires_grad_(), images = randn({32, 64, 28, 28}).requires_grad_();
    const nn::LayerNorm layer_norm({512});
    bench::run(s, "layernorm_2048x512_fwd_bwd", [&] {
      layer_norm(x).sum().backward();
      x.set_grad({});
    });
    const nn::BatchNorm2d batch_norm(64);
    bench::run(s, "batchnorm_32x64x28_fwd_bwd", [&] {
      batch_norm(images).sum().backward();
      images.set_grad({});
    });
    nn::Embedding table(10000, 650);
    const Tensor index = randint(0, 10000, {700});
    bench::run(s, "embedding_10k_650_fwd_bwd", [&] {
      table.zero_grad();
      table(index).sum().backward();
    });
  }
}

void models(const bench::Settings& s) {
  if (bench::wanted(s, "ptb_lstm_train_step")) {
    nn::models::LstmLanguageModel model({.embedding = 650, .hidden = 650});
    optim::Sgd sgd(model.named_parameters(), {.lr = 1});
    const Tensor words = randint(0, 10000, {20, 35}), next = randint(0, 10000, {20, 35});
    bench::run(s, "ptb_lstm_train_step", [&] {
      sgd.zero_grad();
      cross_entropy(model(words).output.reshape({700, 10000}), next.reshape({700})).backward();
      optim::clip_grad_norm_(model.parameters(), 5);
      sgd.step();
    }, {.share = 2, .flop = 53.3e9});
  }
  if (s.only.find("inception_v3") == std::string::npos) return;  // minutes
  nn::models::InceptionV3 net;
  optim::Sgd sgd(net.named_parameters(), {.lr = 0.01});
  const Tensor images = randn({32, 3, 299, 299}).contiguous(MemoryFormat::channels_last), labels = randint(0, 1000, {32});
  const auto train = [&](bool low) {
    sgd.zero_grad();
    Tensor loss;
    {
      const amp::autocast scope(bfloat16, low);
      const auto [y, aux] = net.with_aux(images);
      loss = cross_entropy(y, labels) + cross_entropy(aux, labels) * 0.4;
    }
    loss.backward();
    sgd.step();
  };
  bench::run(s, "inception_v3_train_b32", [&] { train(false); }, {.flop = 1.11e12});
  bench::run(s, "inception_v3_train_b32_bf16", [&] { train(true); }, {.flop = 1.11e12});
  const NoGrad off;
  net.eval();
  bench::run(s, "inception_v3_infer_b32", [&] { const Tensor y = net(images); }, {.flop = 0.366e12});
  const amp::autocast scope(bfloat16);
  bench::run(s, "inception_v3_infer_b32_bf16", [&] { const Tensor y = net(images); }, {.flop = 0.366e12});
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Settings s = bench::parse(argc, argv);
  set_num_threads(s.threads);
  manual_seed(0);
  bench::machine(s);
  engine(s);
  kernels(s);
  networks(s);
  models(s);
  bench::print_peak_memory();
}
