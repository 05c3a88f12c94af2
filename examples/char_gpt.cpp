// A small GPT that learns to write, character by character, from one text file.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include <rill/data/text.h>
#include <rill/nn/models.h>
#include <rill/rill.h>

#include "examples/support/checkpoints.h"
#include "examples/support/device.h"
#include "examples/support/progress.h"

using namespace rill;

namespace {

struct Settings {
  std::string data, prompt, device = "cpu";
  std::int64_t steps = 2000, batch = 12, context = 64, layers = 4, heads = 4, width = 128, warmup = 100, eval_every = 250, eval_batches = 20, sample = 500, top_k = 0, seed = 1, report_every = 50;
  double lr = 1e-3, weight_decay = 0.1, dropout = 0, temperature = 0.8;
  examples::Checkpoints checkpoints;

  io::State fixed() const {
    return {{"batch", batch}, {"context", context}, {"layers", layers}, {"heads", heads}, {"width", width}, {"seed", seed}, {"lr", lr}, {"warmup", warmup}, {"weight_decay", weight_decay}, {"dropout", dropout}, {"steps", steps}};
  }
};

/// Up along a line to `lr` in `warmup` steps, then down along a cosine to a tenth of it at the last step.
double rate(const Settings& s, std::int64_t step) {
  if (step < s.warmup) return s.lr * static_cast<double>(step + 1) / static_cast<double>(s.warmup + 1);
  return optim::CosineDecay{.base = s.lr, .steps = std::max<std::int64_t>(1, s.steps - s.warmup), .alpha = 0.1}(step - s.warmup);
}

struct Training {
  const Settings& s;
  Device device;
  data::Vocabulary characters;
  Tensor train, validation;  // the last tenth of the text is for validation
  nn::models::Gpt model;
  optim::AdamW adam;
  std::int64_t step = 0;

  Training(const Settings& settings, const std::string& text)
      : s(settings), device(examples::device_of(s.device)), characters(data::Vocabulary::of_characters(text)),
        model(examples::on(device, nn::models::Gpt({.vocabulary = characters.size(), .context = s.context, .layers = s.layers, .heads = s.heads, .width = s.width, .dropout = s.dropout}))),
        adam({groups(model, s)[0], groups(model, s)[1]}) {
    const Tensor ids = characters.encode(text).to(device);
    const std::int64_t split = ids.numel() * 9 / 10;
    train = ids.narrow(0, 0, split), validation = ids.narrow(0, split, ids.numel() - split);
    if (validation.numel() <= s.context) throw ValueError("train", "the text has " + std::to_string(ids.numel()) + " characters; a tenth of it must be more than a context of " + std::to_string(s.context));
    io::State fixed = s.fixed();
    fixed["characters"] = ids.numel();
    if (const auto found = s.checkpoints.start(fixed)) {
      model.load(without_prefix("model.", found->tensors));
      adam.load(without_prefix("optimizer.", found->tensors));
      step = found->step;
    }
  }
  /// Weights are decayed, biases and normalisations are not.
  static std::array<optim::AdamW::Group, 2> groups(const nn::models::Gpt& model, const Settings& s) {
    const optim::AdamWOptions options{.lr = s.lr, .betas = {0.9, 0.99}, .weight_decay = s.weight_decay};
    auto without_decay = options;
    without_decay.weight_decay = 0;
    const auto [weights, others] = optim::partition(model.named_parameters(), optim::is_weight);
    return {optim::AdamW::Group{weights, options}, optim::AdamW::Group{others, without_decay}};
  }

  void save() const {
    NamedTensors tensors = with_prefix("model.", model.state());
    for (auto& entry : with_prefix("optimizer.", adam.state())) tensors.push_back(std::move(entry));
    io::State state = s.fixed();
    state["characters"] = train.numel() + validation.numel();
    s.checkpoints.save(step, tensors, state);
  }

  /// Pieces of the text from random places, and the same one character later.
  data::TokenBatches::Batch draw(const Tensor& ids) const {
    const Tensor at = randint(ids.numel() - s.context, {s.batch, 1}, {.device = device}) + arange(s.context, {.device = device});
    return {take(ids, at), take(ids, at + 1)};
  }
  Tensor loss(const data::TokenBatches::Batch& batch) const { return cross_entropy(model(batch.inputs).flatten(0, 1), batch.targets.flatten()); }

  double validation_loss() {
    const InferenceMode inference;
    const GeneratorScope same_pieces{Generator(static_cast<std::uint64_t>(s.seed), 1)};
    model.eval();
    double total = 0;
    for (std::int64_t i = 0; i < s.eval_batches; ++i) total += loss(draw(validation)).item<double>();
    model.train();
    return total / static_cast<double>(s.eval_batches);
  }

  void run() {
    std::printf("%lld characters, %lld different; %lld parameters\n", static_cast<long long>(train.numel() + validation.numel()), static_cast<long long>(characters.size()),
                static_cast<long long>(model.parameter_count()));
    examples::Progress progress(step, s.steps, s.batch * s.context, s.report_every, "characters");
    while (step < s.steps) {
      const Tensor error = loss(draw(train));
      adam.zero_grad();
      error.backward();
      optim::clip_grad_norm_(model.parameters(), 1);
      adam.set_lr(rate(s, step));
      adam.step();
      ++step;
      examples::check_loss(error.item<double>(), step);
      progress.update(step, error.item<double>());
      if (s.checkpoints.due(step, s.steps)) save();
      if (step % s.eval_every == 0 || step == s.steps) {
        progress.clear();
        std::printf("step %lld  validation loss %.4f\n", static_cast<long long>(step), validation_loss());
        std::fflush(stdout);
      }
    }
  }

  void write() {
    model.eval();
    const Tensor start = characters.encode(s.prompt.empty() ? characters.word(0) : s.prompt).unsqueeze(0).to(device);
    nn::models::GenerateOptions options{.temperature = s.temperature};
    if (s.top_k > 0) options.top_k = s.top_k;
    std::printf("---\n%s\n", characters.decode(model.generate(start, s.sample, options).cpu()).c_str());
  }
};

}  // namespace

int main(int argc, char** argv) {
  return examples::run([&] {
    Settings s;
    examples::Flags flags("char_gpt", "trains a small GPT on the characters of a text and lets it write");
    flags.add("data", s.data, "the text file")
        .add("steps", s.steps, "training steps")
        .add("batch", s.batch, "pieces of text per step")
        .add("context", s.context, "characters that the model sees at once")
        .add("layers", s.layers, "transformer blocks")
        .add("heads", s.heads, "heads of attention in each")
        .add("width", s.width, "features of a character")
        .add("dropout", s.dropout, "probability to drop an activation; larger models need some")
        .add("lr", s.lr, "largest learning rate")
        .add("warmup", s.warmup, "steps until it is reached")
        .add("weight-decay", s.weight_decay, "decay of weights (not of biases and normalisations)")
        .add("eval-every", s.eval_every, "steps between looks at the validation loss")
        .add("eval-batches", s.eval_batches, "batches that it is measured on")
        .add("sample", s.sample, "characters to write at the end; 0: none")
        .add("prompt", s.prompt, "what they begin with; empty: the first of the characters, usually a line end")
        .add("temperature", s.temperature, "below 1: bolder about what is likely; 0: always the likeliest")
        .add("top-k", s.top_k, "draw among so many characters only; 0: all")
        .add("seed", s.seed, "of the initial weights, the pieces and the writing")
        .add("report-every", s.report_every, "steps between lines of progress where there is no terminal; 0: silent")
        .add("device", s.device, examples::kDeviceHelp);
    s.checkpoints.add_to(flags);
    if (!flags.parse(argc, argv)) return;
    if (s.data.empty()) throw examples::UsageError("char_gpt", "--data is missing; --help lists the flags");
    for (const auto& [name, value] : {std::pair("batch", s.batch), std::pair("context", s.context), std::pair("eval-every", s.eval_every), std::pair("eval-batches", s.eval_batches)}) examples::check_least(name, value, 1);
    manual_seed(static_cast<std::uint64_t>(s.seed));
    Training training(s, data::read_text(s.data));
    training.run();
    if (s.sample > 0) training.write();
  });
}
