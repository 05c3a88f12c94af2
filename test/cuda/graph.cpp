// Captured steps against the same steps run op by op. The emulation records launches and runs them again.
#include <rill/rill.h>

#include <numeric>

#include <rill/cuda/graph.h>

#include "test/cuda/backends.h"
#include "test/support/message.h"

using namespace rill;

namespace {

const Options kOnDevice{.device = Device::cuda()};

Tensor values(const Shape& shape, double step) {
  const std::int64_t n = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>{});
  return sin(arange(n, {.dtype = float64}) * step).reshape(shape).to(float32);
}

/// A small network with everything that changes from step to step: dropout, a schedule, the corrections of Adam.
struct Network {
  Tensor kernel = values({4, 2, 3, 3}, 0.71).to(Device::cuda()).requires_grad_(), weight = values({3, 4 * 3 * 3}, 0.37).to(Device::cuda()).requires_grad_(),
         bias = values({3}, 0.5).to(Device::cuda()).requires_grad_();
  optim::AdamW optimizer{{{"kernel", kernel}, {"weight", weight}, {"bias", bias}}, {.lr = 0.01, .weight_decay = 0.1}};

  std::vector<Tensor> step(const std::vector<Tensor>& in) {
    optimizer.zero_grad();
    const Tensor features = max_pool2d(relu(conv2d(in[0], kernel, {}, {.padding = 1})), 2);
    const Tensor loss = cross_entropy(linear(dropout(features.flatten(1), 0.3), weight, bias), in[1]);
    loss.backward();
    optimizer.step();
    return {loss};
  }
};
std::vector<Tensor> batch(int i, std::int64_t size) {
  return {values({size, 2, 6, 6}, 0.1 + 0.01 * i), remainder(arange(size) * (i + 1), 3)};
}

void steps_compute_what_they_compute_op_by_op() {
  constexpr int kSteps = 9;
  const auto train = [](Network& n, const std::function<std::vector<Tensor>(const std::vector<Tensor>&)>& step) {
    manual_seed(11);
    std::vector<float> losses;
    for (int i = 0; i < kSteps; ++i) {
      n.optimizer.set_lr(0.01 / (1 + i));
      auto in = batch(i, i % 3 == 2 ? 5 : 4);  // another shape in between
      if (i % 2) in[0] = in[0].to(Device::cuda());
      if (in[1].device().is_cpu() && i % 2) in[1] = in[1].to(Device::cuda());
      losses.push_back(step(in)[0].item<float>());
    }
    return losses;
  };
  Network eager, captured;
  const auto want = train(eager, [&](const std::vector<Tensor>& in) {
    return eager.step({in[0].to(Device::cuda()), in[1].to(Device::cuda())});
  });
  const Tensor state = default_generator().state();
  cuda::GraphStep step([&](const std::vector<Tensor>& in) { return captured.step(in); }, {.warmup = 2});
  const auto found = train(captured, std::ref(step));
  CHECK(step.graphs() == 2);
  CHECK(found == want);
  CHECK(default_generator().state().to_vector<std::uint8_t>() == state.to_vector<std::uint8_t>());
  for (const auto& [a, b] : {std::pair{captured.kernel, eager.kernel}, {captured.weight, eager.weight}, {captured.bias, eager.bias}}) {
    CHECK(allclose(a.cpu(), b.cpu(), 0, 0));
    CHECK(allclose(a.grad().cpu(), b.grad().cpu(), 0, 0));
  }
  for (const auto& [name, value] : captured.optimizer.state()) CHECK(allclose(value.cpu(), find(eager.optimizer.state(), name).cpu(), 0, 0));
}

void scaled_steps_are_captured() {
  const auto train = [](bool graph) {
    const Tensor p = values({33, 5}, 0.3).to(Device::cuda()).requires_grad_();
    optim::Sgd sgd(std::vector<Tensor>{p}, {.lr = 0.01, .momentum = 0.9});
    amp::GradScaler scaler({.init_scale = 8, .growth_interval = 2});
    const auto f = [&](const std::vector<Tensor>& in) {
      sgd.zero_grad();
      const Tensor loss = sum(p * p * in[0]);
      scaler.scale(loss).backward();
      scaler.step(sgd);
      scaler.update();
      return std::vector<Tensor>{loss};
    };
    cuda::GraphStep step(f);
    for (int i = 0; i < 9; ++i) {
      const Tensor factor = full({}, i == 6 ? INFINITY : 1 + 0.1 * i, {.dtype = float32});  // that captured step changes nothing
      graph ? step({factor}) : f({factor.to(Device::cuda())});
    }
    CHECK(step.graphs() == (graph ? 1 : 0));
    std::vector<double> all = p.detach().to_vector<double>();
    all.push_back(scaler.get_scale());
    return all;
  };
  const auto captured = train(true);
  CHECK(captured == train(false));
  CHECK(captured.back() == 8 * 2 * 2 * 2 / 2 * 2);
}

void recurrent_layers_are_captured() {
  const auto train = [](bool graph) {
    manual_seed(3);
    nn::LSTM lstm(3, 4, {.num_layers = 2, .dropout = 0.2});
    lstm.to(kOnDevice);
    optim::Sgd sgd(lstm.named_parameters(), {.lr = 0.1});
    const auto f = [&](const std::vector<Tensor>& in) {
      sgd.zero_grad();
      const Tensor loss = sum(square(lstm(in[0]).output));
      loss.backward();
      sgd.step();
      return std::vector{loss};
    };
    cuda::GraphStep step(f, {.warmup = 2});
    std::vector<float> losses;
    for (int i = 0; i < 6; ++i) {
      const Tensor x = values({5, 2, 3}, 0.3 + 0.1 * i).to(Device::cuda());
      losses.push_back((graph ? step({x}) : f({x}))[0].item<float>());
    }
    return losses;
  };
  CHECK(train(true) == train(false));
}

template <class Optimizer, class Options> void ratios_stay_on_the_device(const Options& options) {
  const auto train = [&](Device device, bool graph) {
    const Tensor p = values({33, 5}, 0.3).to(device).requires_grad_(), zero = zeros({4}, {.device = device}).requires_grad_();
    Optimizer optimizer(std::vector<Tensor>{p, zero}, options);
    const auto f = [&](const std::vector<Tensor>& in) {
      optimizer.zero_grad();
      const Tensor loss = sum(square(p * in[0] - 1)) + sum(zero * zero);
      loss.backward();
      optimizer.step();
      return std::vector{loss};
    };
    std::vector<double> all;
    const auto run = [&](auto&& step) {
      for (int i = 0; i < 6; ++i) {
        optimizer.set_lr(0.1 / (1 + i));
        all.push_back(step({full({}, 1 + 0.1 * i, {.dtype = float32}).to(device)})[0].template item<double>());
      }
    };
    if (graph) run(cuda::GraphStep(f));
    else run(f);
    for (const Tensor& t : {p, zero})
      for (const double v : t.detach().to_vector<double>()) all.push_back(v);
    return all;
  };
  const auto captured = train(Device::cuda(), true), eager = train(Device::cuda(), false), host = train(Device::cpu(), false);
  CHECK(captured == eager);
  for (std::size_t i = 0; i < host.size(); ++i) CHECK(eager[i] == Approx(host[i]).epsilon(1e-5).margin(1e-6));
}
void trust_ratios_are_captured() {
  ratios_stay_on_the_device<optim::Lars>(optim::LarsOptions{.lr = 0.1, .weight_decay = 0.01, .trust_coefficient = 0.5});
  ratios_stay_on_the_device<optim::Lars>(optim::LarsOptions{.lr = 0.1, .momentum = 0, .trust_coefficient = 0.5, .maximize = true});
  ratios_stay_on_the_device<optim::Lamb>(optim::LambOptions{.lr = 0.1});
}

void averages_are_captured() {
  const auto train = [](bool graph) {
    const Tensor p = values({33, 5}, 0.3).to(Device::cuda()).requires_grad_();
    optim::Sgd sgd(std::vector<Tensor>{p}, {.lr = 0.01});
    optim::MovingAverage counted({{"p", p}}, {.decay = 0.7}), debiased({{"p", p}}, {.decay = 0.9, .warmup = false, .zero_debias = true}),
        copied({{"p", p}}, {.decay = 0.9, .warmup = false, .copy_first = true});
    optim::SwaAverage mean({{"p", p}});
    const auto f = [&](const std::vector<Tensor>& in) {
      sgd.zero_grad();
      const Tensor loss = sum(p * p * in[0]);
      loss.backward();
      sgd.step();
      counted.update(counted.updates() + 3), debiased.update(), copied.update(), mean.update();
      return std::vector{loss};
    };
    cuda::GraphStep step(f);
    for (int i = 0; i < 11; ++i) {
      const Tensor factor = full(i % 3 ? Shape{} : Shape{1}, 1 + 0.1 * i, {.dtype = float32});  // two graphs take turns
      graph ? step({factor}) : f({factor.to(Device::cuda())});
    }
    CHECK(step.graphs() == (graph ? 2 : 0));
    std::vector<double> all;
    for (const auto* average : {&counted, &debiased, &copied})
      for (const auto& [name, value] : average->state())
        for (const double v : value.to_vector<double>()) all.push_back(v);
    for (const auto& [name, value] : mean.state())
      for (const double v : value.to_vector<double>()) all.push_back(v);
    all.push_back(static_cast<double>(counted.updates()));
    return all;
  };
  CHECK(train(true) == train(false));
}

void graphs_make_room() {
  const auto before = cuda::memory_stats();
  {
    const Tensor w = ones({1 << 20}, kOnDevice);
    cuda::GraphStep step([&](const std::vector<Tensor>& in) { return std::vector{exp(in[0] + w), in[0] * 2}; }, {.warmup = 1, .graphs = 2});
    for (const std::int64_t rows : {1, 2, 3})
      for (int i = 0; i < 3; ++i) {
        const auto out = step({full({rows, 1}, static_cast<double>(i), kOnDevice)});
        CHECK(allclose(out[0].cpu(), full({rows, 1 << 20}, std::exp(i + 1.0)), 1e-5, 0));
        CHECK(allclose(out[1].cpu(), full({rows, 1}, 2.0 * i), 0, 0));
      }
    CHECK(step.graphs() == 2);
  }
  cuda::empty_cache();
  CHECK(cuda::memory_stats().allocated_bytes == before.allocated_bytes);
  CHECK(cuda::memory_stats().reserved_bytes <= before.reserved_bytes);
}

void what_cannot_be_captured_says_so() {
  const Tensor x = ones({3}, kOnDevice);
  const auto captured = [&](const std::function<Tensor(const Tensor&)>& f) {
    cuda::GraphStep step([&](const std::vector<Tensor>& in) { return std::vector{f(in[0])}; }, {.warmup = 1});
    step({x});
    const std::string text = MESSAGE(FailedPrecondition, step({x}));
    CHECK(allclose((x + 1).cpu(), full({3}, 2.0), 0, 0));  // the device goes on
    return text;
  };
  CHECK(captured([](const Tensor& t) { return t * sum(t).item<float>(); }) ==
        "to: the host would have to wait for the device (a copy between host and device), which a captured step cannot do; do it outside of the function given to cuda::GraphStep, "
        "and pass tensors from the host as its inputs");
  CHECK(captured([](const Tensor& t) { return masked_select(t, t > 0); }).starts_with("masked_select: the host would have to wait"));
  CHECK(captured([&](const Tensor& t) {
    cuda::GraphStep inner([](const std::vector<Tensor>& in) { return in; });
    return inner({t})[0];
  }) == "GraphStep: a captured step cannot contain another one");

  CHECK(MESSAGE(ValueError, cuda::GraphStep([](auto& in) { return in; }, {.warmup = 0})).starts_with("GraphStep: warmup is 0;"));
  CHECK(MESSAGE(DeviceError, cuda::GraphStep([](auto& in) { return in; }, {.device = Device::cpu()})) == "GraphStep: cpu is no CUDA device; use Device::cuda()");
}

}  // namespace

RILL_DEVICE_TEST(steps_compute_what_they_compute_op_by_op, "a captured step trains bit for bit as op by op", "[graph]")
RILL_DEVICE_TEST(scaled_steps_are_captured, "loss scaling and its skipped steps are part of a captured step", "[graph]")
RILL_DEVICE_TEST(recurrent_layers_are_captured, "recurrent layers are part of a captured step", "[graph]")
RILL_DEVICE_TEST(trust_ratios_are_captured, "Lars and Lamb keep their ratios on the device, in a captured step, too", "[graph]")
RILL_DEVICE_TEST(averages_are_captured, "averages of parameters are part of a captured step", "[graph]")
RILL_DEVICE_TEST(graphs_make_room, "graphs are kept for a few shapes and give their memory back", "[graph]")
RILL_DEVICE_TEST(what_cannot_be_captured_says_so, "what cannot be captured says so", "[graph]")

TEST_CASE("an illegal class ends a captured step with an error of the device, emulated", "[cuda][emulated][graph]") {
  const emulated::Emulation here;
  cuda::GraphStep step([](const std::vector<Tensor>& in) { return std::vector{cross_entropy(in[0], in[1])}; }, {.warmup = 1});
  const Tensor x = values({2, 3}, 0.3).to(Device::cuda());
  step({x, tensor({0, 2}, {.dtype = int64})}), step({x, tensor({1, 2}, {.dtype = int64})});
  CHECK_THROWS_AS(step({x, tensor({1, 3}, {.dtype = int64})}), DeviceLost);
  CHECK(std::isfinite(step({x, tensor({1, 0}, {.dtype = int64})})[0].item<float>()));
}
