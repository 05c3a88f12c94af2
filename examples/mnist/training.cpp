#include "examples/mnist/training.h"

#include "examples/support/progress.h"

namespace mnist {

using namespace rill;

namespace {

/// Everything that decides the course of a training; a resumed run must agree.
io::State fixed_settings(const Settings& s, const Model& model, const data::ImageSet& set) {
  io::State state = {{"batch", s.batch}, {"seed", s.seed}, {"lr", s.lr}, {"decay", s.decay}, {"l2", s.l2}, {"ema", s.ema}, {"examples", set.size()}};
  describe(model.options, state);
  return state;
}

struct Run {
  const Settings& settings;
  data::Mnist& data;
  Model model;
  optim::Sgd sgd;
  optim::MovingAverage average;
  std::int64_t step = 0;

  Run(const Settings& s, data::Mnist& d)
      : settings(s), data(d), model({.inputs = d.train.pixels(), .hidden = s.hidden, .activation = s.activation}),
        sgd(model.named_parameters(), {.lr = s.lr}), average(model.named_parameters(), {.decay = s.ema}) {}

  bool averaging() const { return settings.ema > 0; }

  void save() const {
    NamedTensors tensors = with_prefix("model.", model.state());
    if (averaging())
      for (auto& entry : with_prefix("model.", average.state())) tensors.push_back(std::move(entry));
    io::State state = fixed_settings(settings, model, data.train);
    examples::put(state, data.train.position());
    settings.checkpoints.save(step, tensors, state);
  }

  void start() {
    const auto found = settings.checkpoints.start(fixed_settings(settings, model, data.train));
    if (!found) return;
    const auto& c = *found;
    model.load(without_prefix("model.", optim::without_averages(c.tensors)));
    if (averaging()) average.load(without_prefix("model.", optim::only_averages(c.tensors)), c.step);
    data.train.seek(examples::position_of(c.state));
    step = c.step;
  }

  double one_step(const optim::ExponentialDecay& rate, const std::vector<Tensor>& weights) {
    const auto [images, labels] = data.train.next_batch(settings.batch);
    Tensor loss = cross_entropy(model(images), labels);
    if (settings.l2 > 0) loss = loss + optim::l2(weights, settings.l2);
    sgd.zero_grad();
    loss.backward();
    sgd.set_lr(rate(step));
    sgd.step();
    ++step;
    if (averaging()) average.update(step);
    return loss.item<double>();
  }
};

}  // namespace

Result train(const Settings& settings, data::Mnist& data) {
  examples::check_least("steps", settings.steps, 0), examples::check_least("batch", settings.batch, 1), examples::check_least("hidden", settings.hidden, 0);
  manual_seed(static_cast<std::uint64_t>(settings.seed));
  Run run(settings, data);
  run.start();

  const optim::ExponentialDecay rate{.base = settings.lr, .steps = std::max<std::int64_t>(1, data.train.size() / settings.batch), .decay = settings.decay, .staircase = true};
  const std::vector<Tensor> weights = optim::decayable(run.model.named_parameters());
  Result result;
  {
    examples::Progress progress(run.step, settings.steps, settings.batch, settings.report_every);
    while (run.step < settings.steps) {
      const double loss = run.one_step(rate, weights);
      examples::check_loss(loss, run.step);
      progress.update(run.step, loss);
      if (settings.checkpoints.due(run.step, settings.steps)) run.save();
    }
    result.seconds = progress.seconds();
  }
  result.validation = result.raw_validation = accuracy(run.model, data.validation);
  result.test = result.raw_test = accuracy(run.model, data.test);
  if (run.averaging()) {
    const auto scope = run.average.swap_in();
    result.validation = accuracy(run.model, data.validation);
    result.test = accuracy(run.model, data.test);
  }
  return result;
}

}  // namespace mnist
