// A word-level language model on the Penn Treebank (Zaremba, Sutskever, Vinyals 2014): LSTM layers trained by truncated back-propagation through time.
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

/// What a configuration fixes beside the network.
struct Recipe {
  nn::models::LstmLanguageModelOptions model;
  std::int64_t unroll, epochs, constant_epochs;  // steps of back-propagation; passes; those with the first rate
  double decay;                                  // factor of the rate after each further pass
  double clip;                                   // largest norm of the gradient
};
Recipe recipe(const std::string& size) {
  using Options = nn::models::LstmLanguageModelOptions;
  if (size == "small") return {Options{}, 20, 13, 4, 0.5, 5};
  if (size == "medium") return {Options::medium(), 35, 39, 6, 0.8, 5};
  if (size == "large") return {Options::large(), 35, 55, 14, 1 / 1.15, 10};
  if (size == "course") return {Options::course(), 35, 5, 5, 1, 5};
  throw examples::UsageError("ptb_lstm", "--size is \"" + size + "\", expected small, medium, large or course; --help lists the flags");
}

struct Settings {
  std::string data, size = "small", device = "cpu";
  std::int64_t epochs = 0, steps = 0, batch = 20, unroll = 0, hidden = 0, seed = 1, report_every = 100;
  double lr = 1;
  examples::Checkpoints checkpoints;
};

data::TokenBatches::Batch on_device(const data::TokenBatches::Batch& b, Device device) { return {b.inputs.to(device), b.targets.to(device)}; }

/// e to the mean cross entropy per word.
double perplexity(nn::models::LstmLanguageModel& model, const Tensor& ids, std::int64_t rows, std::int64_t unroll, Device device) {
  const InferenceMode inference;
  model.eval();
  const data::TokenBatches batches(ids, rows, unroll);
  nn::LSTMState state;
  double total = 0;
  for (std::int64_t i = 0; i < batches.size(); ++i) {
    const auto [inputs, targets] = on_device(batches[i], device);
    const auto [logits, next] = model(inputs, state);
    total += cross_entropy(logits.flatten(0, 1), targets.flatten()).item<double>();
    state = next;
  }
  model.train();
  return std::exp(total / static_cast<double>(batches.size()));
}

struct Training {
  const Settings& s;
  Device device;
  Recipe how;
  data::Ptb data;
  data::TokenBatches batches;
  nn::models::LstmLanguageModel model;
  optim::Sgd sgd;
  nn::LSTMState state;        // handed on from batch to batch, zero at the start of an epoch
  double epoch_loss = 0;      // sum over the epoch's batches
  std::int64_t step = 0;

  static nn::models::LstmLanguageModelOptions sized(nn::models::LstmLanguageModelOptions o, const data::Ptb& data, std::int64_t hidden) {
    o.vocabulary = data.vocabulary.size();
    if (hidden > 0) o.embedding = o.hidden = hidden;
    return o;
  }
  explicit Training(const Settings& settings)
      : s(settings), device(examples::device_of(s.device)), how(recipe(s.size)), data(data::read_ptb(s.data)), batches(data.train, s.batch, unroll()), model(examples::on(device, nn::models::LstmLanguageModel(sized(how.model, data, s.hidden)))),
        sgd(model.named_parameters(), {.lr = s.lr}) {
    if (s.epochs > 0) how.epochs = s.epochs;
    if (const auto found = s.checkpoints.start(fixed())) {
      model.load(without_prefix("model.", found->tensors));
      state = {find(found->tensors, "state.h"), find(found->tensors, "state.c")};
      if (state.h.defined()) state = {state.h.to(device), state.c.to(device)};
      epoch_loss = io::get<double>(found->state, "epoch_loss");
      step = found->step;
    }
  }
  std::int64_t unroll() const { return s.unroll > 0 ? s.unroll : how.unroll; }
  io::State fixed() const { return {{"size", s.size}, {"batch", s.batch}, {"unroll", unroll()}, {"hidden", s.hidden}, {"lr", s.lr}, {"seed", s.seed}, {"tokens", data.train.numel()}}; }

  void save() const {
    NamedTensors tensors = with_prefix("model.", model.state());
    if (state.h.defined()) tensors.emplace_back("state.h", state.h), tensors.emplace_back("state.c", state.c);
    io::State all = fixed();
    all["epoch_loss"] = epoch_loss;
    s.checkpoints.save(step, tensors, all);
  }

  /// One batch; returns the mean cross entropy.
  double one_step() {
    const auto [inputs, targets] = on_device(batches[step % batches.size()], device);
    const auto [logits, next] = model(inputs, state);
    const Tensor loss = cross_entropy(logits.flatten(0, 1), targets.flatten());
    sgd.zero_grad();
    (loss * static_cast<double>(unroll())).backward();  // the paper's cost adds up over time: the clipping and the rate refer to that
    optim::clip_grad_norm_(model.parameters(), how.clip);
    sgd.step();
    state = nn::models::detach(next);  // the values go on, the gradient does not
    ++step;
    return loss.item<double>();
  }

  void run() {
    const std::int64_t per_epoch = batches.size(), last = s.steps > 0 ? s.steps : how.epochs * per_epoch;
    std::printf("%lld training, %lld validation, %lld test tokens, %lld words; %lld steps per epoch\n", static_cast<long long>(data.train.numel()), static_cast<long long>(data.valid.numel()),
                static_cast<long long>(data.test.numel()), static_cast<long long>(data.vocabulary.size()), static_cast<long long>(per_epoch));
    examples::Progress progress(step, last, s.batch * unroll(), s.report_every, "words");
    while (step < last) {
      const std::int64_t epoch = step / per_epoch;
      if (step % per_epoch == 0) state = {}, epoch_loss = 0;
      sgd.set_lr(s.lr * std::pow(how.decay, static_cast<double>(std::max<std::int64_t>(0, epoch + 1 - how.constant_epochs))));
      const double loss = one_step();
      examples::check_loss(loss, step);
      epoch_loss += loss;
      progress.update(step, loss);
      if (s.checkpoints.due(step, last)) save();
      if (step % per_epoch == 0) {
        progress.clear();
        std::printf("epoch %lld  train perplexity %.2f  validation perplexity %.2f\n", static_cast<long long>(epoch + 1), std::exp(epoch_loss / static_cast<double>(per_epoch)),
                    perplexity(model, data.valid, s.batch, unroll(), device));
        std::fflush(stdout);
      }
    }
    progress.clear();
    std::printf("validation perplexity: %.2f\ntest perplexity: %.2f\n", perplexity(model, data.valid, s.batch, unroll(), device), perplexity(model, data.test, s.batch, unroll(), device));
  }
};

}  // namespace

int main(int argc, char** argv) {
  return examples::run([&] {
    Settings s;
    examples::Flags flags("ptb_lstm", "trains an LSTM to predict the next word of the Penn Treebank");
    flags.add("data", s.data, "folder with ptb.train.txt, ptb.valid.txt and ptb.test.txt")
        .add("size", s.size, "small, medium or large as in the paper, or course: 300 units, tied weights")
        .add("epochs", s.epochs, "passes over the training text; 0: those of the size")
        .add("steps", s.steps, "steps instead of epochs; 0: by epochs")
        .add("batch", s.batch, "rows of text that are read side by side")
        .add("unroll", s.unroll, "words per step of training; 0: those of the size")
        .add("hidden", s.hidden, "units and embedding; 0: those of the size")
        .add("lr", s.lr, "learning rate of the first epochs")
        .add("seed", s.seed, "of the initial weights and dropout")
        .add("report-every", s.report_every, "steps between lines of progress where there is no terminal; 0: silent")
        .add("device", s.device, examples::kDeviceHelp);
    s.checkpoints.add_to(flags);
    if (!flags.parse(argc, argv)) return;
    if (s.data.empty()) throw examples::UsageError("ptb_lstm", "--data is missing; --help lists the flags");
    recipe(s.size);
    examples::check_least("batch", s.batch, 1), examples::check_least("steps", s.steps, 0);
    manual_seed(static_cast<std::uint64_t>(s.seed));
    Training(s).run();
  });
}
