#include "examples/mnist/training.h"

#include <cmath>
#include <cstdio>
#include <filesystem>

#include "examples/support/progress.h"

namespace mnist {

using namespace rill;

namespace {

constexpr const char* kGenerator = "generator";  // the tensor with the state of the random number generator

/// Everything that decides the course of a training; a resumed run must agree.
io::State fixed_settings(const Settings& s, const Model& model, const data::ImageSet& set) {
  io::State state = {{"batch", s.batch}, {"seed", s.seed}, {"lr", s.lr}, {"decay", s.decay}, {"l2", s.l2}, {"ema", s.ema}, {"examples", set.size()}};
  describe(model.options, state);
  return state;
}

std::string shown(const io::State& state, const std::string& key) {
  const auto it = state.find(key);
  return it == state.end() ? "nothing" : io::to_json({*it});
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
    tensors.emplace_back(kGenerator, default_generator().state());
    io::State state = fixed_settings(settings, model, data.train);
    const auto& at = data.train.position();
    state["data.epoch"] = at.epoch;
    state["data.index"] = at.index;
    state["data.order"] = at.order;
    io::save_checkpoint(settings.checkpoint_dir, step, tensors, state, {.keep = static_cast<int>(settings.keep)});
  }

  void resume() {
    const auto latest = io::load_latest_checkpoint(settings.checkpoint_dir);
    for (const auto& reason : latest.skipped) std::fprintf(stderr, "skipped: %s\n", reason.c_str());
    if (!latest.checkpoint) throw NotFound("resume", "there is no checkpoint in \"" + settings.checkpoint_dir + "\"; start without --resume");
    const auto& c = *latest.checkpoint;
    std::string differences;
    for (const auto& [key, value] : fixed_settings(settings, model, data.train))
      if (const auto it = c.state.find(key); it == c.state.end() || it->second != value)
        differences += (differences.empty() ? "" : ", ") + shown(c.state, key) + " there and " + shown({{key, value}}, key) + " here";
    if (!differences.empty()) throw ValueError("resume", "\"" + c.path + "\" belongs to another training: " + differences + "; use the same flags");
    model.load(without_prefix("model.", optim::without_averages(c.tensors)));
    if (averaging()) average.load(without_prefix("model.", optim::only_averages(c.tensors)), c.step);
    const Tensor generator = find(c.tensors, kGenerator);
    if (!generator.defined()) throw DataLoss("resume", "\"" + c.path + "\" holds no tensor \"" + kGenerator + "\"");
    default_generator().set_state(generator);
    data.train.seek({io::get<std::int64_t>(c.state, "data.epoch"), io::get<std::int64_t>(c.state, "data.index"), io::get<std::int64_t>(c.state, "data.order")});
    step = c.step;
    if (settings.report_every > 0) std::printf("resumed at step %lld\n", static_cast<long long>(step));
  }

  void start() {
    if (settings.checkpoint_dir.empty()) return;
    if (settings.resume) return resume();
    const auto old = io::list_checkpoints(settings.checkpoint_dir);
    if (old.empty()) return;
    if (!settings.overwrite)
      throw ValueError("train", "\"" + settings.checkpoint_dir + "\" already holds checkpoints up to step " + std::to_string(old.back().step) +
                                    "; go on with --resume, remove them with --overwrite or choose another --checkpoint-dir");
    for (const auto& file : old) std::filesystem::remove(file.path);
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
  for (const auto& [name, value, least] : {std::tuple("steps", settings.steps, 0), {"batch", settings.batch, 1}, {"hidden", settings.hidden, 0}, {"save-every", settings.save_every, 1}, {"keep", settings.keep, 0}})
    if (value < least) throw ValueError("train", std::string(name) + " is " + std::to_string(value) + "; expected at least " + std::to_string(least));
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
      if (!std::isfinite(loss)) throw ValueError("train", "the loss is no longer finite at step " + std::to_string(run.step) + "; a smaller --lr would work");
      progress.update(run.step, loss);
      if (!settings.checkpoint_dir.empty() && (run.step % settings.save_every == 0 || run.step == settings.steps)) run.save();
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
