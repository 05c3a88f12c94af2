// The workloads of rill_cuda_bench: the floors of docs/cuda.md under the names that peer_torch_cuda.py uses, too.
#pragma once

#include <rill/cuda/device.h>
#include <rill/cuda/graph.h>
#include <rill/nn/models.h>

#include "bench/harness.h"
#include "bench/lenet.h"

namespace bench {

struct DeviceSizes {
  std::int64_t elements = 1 << 26, rows = 1 << 15, columns = 4096, product = 8192, batch = 128, words = 10000, hidden = 650, sequences = 20, image = 299, images = 32;
};

/// `calls` of f and then a wait for the device, all timed.
template <class F> void run_on_device(const Settings& s, const std::string& name, int calls, F f, Work work = {}) {
  work.calls = calls;
  run(s, name, [&] {
    for (int i = 0; i < calls; ++i) f();
    rill::cuda::synchronize();
  }, work);
}

/// What an op costs the host, which goes on while the device works.
inline void host(const Settings& s) {
  using namespace rill;
  const Options on{.device = Device::cuda()};
  const Work work{.calls = 200, .between = [] { cuda::synchronize(); }};
  const Tensor a = randn({4}, on).requires_grad_(), b = randn({4}, on);
  const auto add = [&] { for (int i = 0; i < work.calls; ++i) const Tensor c = a + b; };
  run(s, "host_add4_grad_record", add, work);
  const NoGrad off;
  run(s, "host_add4_nograd", add, work);
}

inline void device_kernels(const Settings& s, const DeviceSizes& z) {
  using namespace rill;
  const Options on{.device = Device::cuda()};
  const NoGrad off;
  {
    const auto n = static_cast<double>(z.elements);
    const Tensor x = randn({z.elements}, on), y = randn({z.elements}, on);
    run_on_device(s, "machine_copy", 10, [&] { y.copy_(x); }, {.bytes = 8 * n});
    run_on_device(s, "ew_add", 10, [&] { const Tensor t = x + y; }, {.bytes = 12 * n});
    run_on_device(s, "ew_exp", 10, [&] { const Tensor t = exp(x); }, {.bytes = 8 * n});
    run_on_device(s, "sum", 10, [&] { const Tensor t = x.sum(); }, {.bytes = 4 * n});
  }
  {
    const Tensor x = randn({z.rows, z.columns}, on);
    const double bytes = 4.0 * static_cast<double>(z.rows * z.columns);
    run_on_device(s, "softmax", 10, [&] { const Tensor t = softmax(x, 1); }, {.bytes = 2 * bytes});
    run_on_device(s, "sum_dim0", 10, [&] { const Tensor t = x.sum({0}); }, {.bytes = bytes});
    run_on_device(s, "transpose_copy", 10, [&] { const Tensor t = x.t().contiguous(); }, {.bytes = 2 * bytes});
  }
  const Tensor x = randn({z.product, z.product}, on), y = randn({z.product, z.product}, on);
  const Work work{.flop = 2.0 * static_cast<double>(z.product * z.product * z.product)};
  const auto product = [&](const char* name, const Tensor& a, const Tensor& b) { run_on_device(s, name, 1, [&] { const Tensor t = matmul(a, b); }, work); };
  product("matmul_fp32", x, y);
  cuda::allow_tf32(true);
  product("matmul_tf32", x, y);
  cuda::allow_tf32(false);
  product("matmul_bf16", x.to(bfloat16), y.to(bfloat16));
}

/// One training step, op by op and as a graph.
template <class Step> void train_on_device(const Settings& s, const std::string& name, int calls, const std::vector<rill::Tensor>& inputs, Step step) {
  run_on_device(s, name, calls, [&] { step(inputs); });
  rill::cuda::GraphStep graph(step);
  run_on_device(s, name + "_graph", calls, [&] { graph(inputs); });
}

inline void device_networks(const Settings& s, const DeviceSizes& z) {
  using namespace rill;
  const Options on{.device = Device::cuda()};
  cuda::allow_tf32(true);
  if (wanted(s, "lenet_train_step")) {
    LeNet net;
    net.to(on);
    optim::Adam adam(net.named_parameters(), {.lr = 1e-3});
    train_on_device(s, "lenet_train_step", 20, {rand({z.batch, 1, 28, 28}, on), randint(0, 10, {z.batch}, on)}, [&](const std::vector<Tensor>& in) {
      adam.zero_grad();
      const Tensor loss = cross_entropy(net(in[0]), in[1]);
      loss.backward();
      adam.step();
      return std::vector{loss};
    });
  }
  if (wanted(s, "ptb_lstm_train_step")) {
    nn::models::LstmLanguageModel model({.vocabulary = z.words, .embedding = z.hidden, .hidden = z.hidden});
    model.to(on);
    optim::Sgd sgd(model.named_parameters(), {.lr = 1});
    train_on_device(s, "ptb_lstm_train_step", 2, {randint(0, z.words, {z.sequences, 35}, on), randint(0, z.words, {z.sequences, 35}, on)}, [&](const std::vector<Tensor>& in) {
      sgd.zero_grad();
      const Tensor loss = cross_entropy(model(in[0]).output.reshape({z.sequences * 35, z.words}), in[1].reshape({z.sequences * 35}));
      loss.backward();
      sgd.step();
      return std::vector{loss};
    });
  }
  if (wanted(s, "inception_v3_train_tf32") || wanted(s, "inception_v3_train_bf16")) {
    nn::models::InceptionV3 net;
    net.to(on);
    optim::Sgd sgd(net.named_parameters(), {.lr = 0.01});
    const std::vector<Tensor> inputs{randn({z.images, 3, z.image, z.image}, on).contiguous(MemoryFormat::channels_last), randint(0, 1000, {z.images}, on)};
    for (const bool low : {false, true})
      train_on_device(s, low ? "inception_v3_train_bf16" : "inception_v3_train_tf32", 1, inputs, [&, low](const std::vector<Tensor>& in) {
        sgd.zero_grad();
        Tensor loss;
        {
          const amp::autocast scope(bfloat16, low);
          const auto [y, aux] = net.with_aux(in[0]);
          loss = cross_entropy(y, in[1]) + cross_entropy(aux, in[1]) * 0.4;
        }
        loss.backward();
        sgd.step();
        return std::vector{loss};
      });
  }
  cuda::allow_tf32(false);
}

}  // namespace bench
