// Predicts the next value of a sine from the last ten with an LSTM.
#include <cmath>
#include <cstdio>

#include <rill/nn/rnn.h>
#include <rill/rill.h>

#include "examples/support/checkpoints.h"
#include "examples/support/device.h"
#include "examples/support/progress.h"

using namespace rill;

namespace {

struct Predictor : nn::Module {
  nn::LSTM lstm;
  nn::Linear out;

  Predictor(std::int64_t features, std::int64_t hidden, std::int64_t layers) : lstm(features, hidden, {.num_layers = layers, .batch_first = true}), out(hidden, 1) {}
  /// [N, T, features] -> [N], from the output after the last step.
  Tensor operator()(const Tensor& x) const { return out(lstm(x).output.select(1, -1)).squeeze(1); }
  void parts(nn::Parts& p) override { p("lstm", lstm)("out", out); }
};

struct Windows { Tensor x, y; };  ///< [n, window] and the value after each, [n]

/// `count` windows of the sine sampled every 0.01, from sample `first` on.
Windows windows(std::int64_t first, std::int64_t count, std::int64_t window, Device device) {
  const Tensor samples = sin(arange(first, first + count + window, 1, {.dtype = float64, .device = device}) * 0.01).to(float32);
  std::vector<Tensor> columns;
  for (std::int64_t i = 0; i < window; ++i) columns.push_back(samples.narrow(0, i, count));
  return {stack(columns, 1), samples.narrow(0, window, count)};
}

/// Root of the mean squared error.
double rmse(const Predictor& model, const Windows& w, bool one_step) {
  const NoGrad off;
  return std::sqrt(mse_loss(model(w.x.unsqueeze(one_step ? 1 : 2)), w.y).item<double>());
}

}  // namespace

int main(int argc, char** argv) {
  return examples::run([&] {
    std::int64_t steps = 10000, batch = 32, window = 10, hidden = 30, layers = 2, train = 10000, test = 1000, seed = 1, report_every = 1000;
    double lr = 0.1;
    std::string device = "cpu";
    bool one_step = false;
    examples::Flags flags("sine_lstm", "learns to predict a sine and prints the root of the mean squared error on what comes after");
    flags.add("steps", steps, "training steps")
        .add("batch", batch, "windows per step")
        .add("window", window, "values that a prediction is made from")
        .add("hidden", hidden, "units of each layer")
        .add("layers", layers, "LSTM layers")
        .add("train", train, "windows to train on")
        .add("test", test, "windows after those, to test on")
        .add("lr", lr, "learning rate of Adagrad")
        .add("one-step", one_step, "the whole window as the features of a single time step, as the TensorFlow course has it")
        .add("seed", seed, "of the initial weights and the batches")
        .add("report-every", report_every, "steps between lines of progress where there is no terminal; 0: silent")
        .add("device", device, examples::kDeviceHelp);
    if (!flags.parse(argc, argv)) return;
    for (const auto& [name, value] : {std::pair("batch", batch), std::pair("window", window), std::pair("train", train), std::pair("test", test)}) examples::check_least(name, value, 1);
    manual_seed(static_cast<std::uint64_t>(seed));

    const Device where = examples::device_of(device);
    const Windows known = windows(0, train, window, where), later = windows(train + window, test, window, where);
    const auto model = examples::on(where, Predictor(one_step ? window : 1, hidden, layers));
    std::printf("root mean squared error before training: %.5f\n", rmse(model, later, one_step));
    optim::Adagrad adagrad(model.named_parameters(), {.lr = lr, .initial_accumulator_value = 0.1, .eps = 0});  // TensorFlow's
    {
      examples::Progress progress(0, steps, batch, report_every, "windows");
      for (std::int64_t step = 1; step <= steps; ++step) {
        const Tensor rows = randint(train, {batch}, {.device = where});
        const Tensor loss = mse_loss(model(index_select(known.x, 0, rows).unsqueeze(one_step ? 1 : 2)), index_select(known.y, 0, rows));
        adagrad.zero_grad();
        loss.backward();
        adagrad.step();
        examples::check_loss(loss.item<double>(), step);
        progress.update(step, loss.item<double>());
      }
    }
    std::printf("root mean squared error: %.5f\n", rmse(model, later, one_step));
  });
}
