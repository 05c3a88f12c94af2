// Trains LeNet-5 on MNIST with everything the TensorFlow course teaches: dropout, penalty, moving average, falling rate.
#include <cstdio>

#include <rill/nn/models.h>
#include <rill/rill.h>

#include "examples/support/checkpoints.h"
#include "examples/support/device.h"
#include "examples/support/progress.h"

using namespace rill;

namespace {

struct Settings {
  std::string data = "/usr/share/datasets/fashion-mnist", device = "cpu";
  std::int64_t epochs = 12, steps = 0, batch = 100, validation = 5000, seed = 1, report_every = 100;
  double lr = 0.01, momentum = 0.9, decay = 0.95, l2 = 1e-4, ema = 0.99, dropout = 0.5;
  bool adam = false;
  examples::Checkpoints checkpoints;

  io::State fixed() const {
    return {{"batch", batch}, {"validation", validation}, {"seed", seed}, {"lr", lr}, {"momentum", momentum}, {"decay", decay}, {"l2", l2}, {"ema", ema}, {"dropout", dropout}, {"adam", adam}};
  }
};

Tensor as_images(const Tensor& pixels) { return pixels.view({-1, 1, 28, 28}); }

double accuracy(nn::models::LeNet5& net, const data::ImageSet& set, Device device) {
  const InferenceMode inference;
  net.eval();
  std::int64_t right = 0;
  for (std::int64_t i = 0; i < set.size(); i += 500) {
    const auto [images, labels] = set.range(i, std::min<std::int64_t>(500, set.size() - i));
    right += sum(eq(argmax(net(as_images(images.to(device))), 1), labels.to(device))).item<std::int64_t>();
  }
  net.train();
  return set.size() > 0 ? static_cast<double>(right) / static_cast<double>(set.size()) : 0;
}

struct Training {
  const Settings& s;
  Device device;
  data::Mnist data;
  nn::models::LeNet5 net;
  std::unique_ptr<optim::Optimizer> optimizer;
  optim::MovingAverage average;
  std::int64_t step = 0;

  explicit Training(const Settings& settings)
      : s(settings), device(examples::device_of(s.device)), data(data::read_mnist(s.data, {.validation = s.validation, .seed = static_cast<std::uint64_t>(s.seed)})), net(examples::on(device, nn::models::LeNet5({.dropout = s.dropout}))),
        average(net.named_parameters(), {.decay = s.ema}) {
    if (s.adam) optimizer = std::make_unique<optim::Adam>(net.named_parameters(), optim::AdamOptions{.lr = s.lr});
    else optimizer = std::make_unique<optim::Sgd>(net.named_parameters(), optim::SgdOptions{.lr = s.lr, .momentum = s.momentum});
    if (const auto found = s.checkpoints.start(s.fixed())) {
      net.load(without_prefix("model.", optim::without_averages(found->tensors)));
      average.load(without_prefix("model.", optim::only_averages(found->tensors)), found->step);
      optimizer->load(without_prefix("optimizer.", found->tensors));
      data.train.seek(examples::position_of(found->state));
      step = found->step;
    }
  }

  void save() const {
    NamedTensors tensors = with_prefix("model.", net.state());
    for (auto& entry : with_prefix("model.", average.state())) tensors.push_back(std::move(entry));
    for (auto& entry : with_prefix("optimizer.", optimizer->state())) tensors.push_back(std::move(entry));
    io::State state = s.fixed();
    examples::put(state, data.train.position());
    s.checkpoints.save(step, tensors, state);
  }

  double one_step(const optim::ExponentialDecay& rate, const std::vector<Tensor>& weights) {
    const auto [images, labels] = data.train.next_batch(s.batch);
    Tensor loss = cross_entropy(net(as_images(images.to(device))), labels.to(device));
    if (s.l2 > 0) loss = loss + optim::l2(weights, s.l2);
    optimizer->zero_grad();
    loss.backward();
    optimizer->set_lr(rate(step));
    optimizer->step();
    average.update(++step);
    return loss.item<double>();
  }

  void run() {
    const std::int64_t per_epoch = std::max<std::int64_t>(1, data.train.size() / s.batch), last = s.steps > 0 ? s.steps : s.epochs * per_epoch;
    const optim::ExponentialDecay rate{.base = s.lr, .steps = per_epoch, .decay = s.decay, .staircase = true};
    const std::vector<Tensor> weights = net.linear_weights();  // the course leaves the convolutions alone
    examples::Progress progress(step, last, s.batch, s.report_every);
    while (step < last) {
      const double loss = one_step(rate, weights);
      examples::check_loss(loss, step);
      progress.update(step, loss);
      if (s.checkpoints.due(step, last)) save();
      if (step % per_epoch == 0) {
        progress.clear();
        const auto averages = average.swap_in();
        std::printf("epoch %lld  validation accuracy: %.4f\n", static_cast<long long>(step / per_epoch), accuracy(net, data.validation, device));
      }
    }
    progress.clear();
    std::printf("test accuracy: %.4f\n", accuracy(net, data.test, device));
    const auto averages = average.swap_in();
    std::printf("test accuracy of the averaged weights: %.4f\n", accuracy(net, data.test, device));
  }
};

}  // namespace

int main(int argc, char** argv) {
  return examples::run([&] {
    Settings s;
    examples::Flags flags("lenet_mnist", "trains LeNet-5 (32 and 64 filters, 512 hidden units) on MNIST or any set of 28x28 images in its format");
    flags.add("data", s.data, "folder with the four IDX files, plain or .gz")
        .add("epochs", s.epochs, "passes over the training set")
        .add("steps", s.steps, "steps instead of epochs; 0: by epochs")
        .add("batch", s.batch, "images per step")
        .add("lr", s.lr, "learning rate of the first epoch; 0.001 is usual with --adam")
        .add("momentum", s.momentum, "of gradient descent; the course has none")
        .add("decay", s.decay, "factor of the learning rate per epoch")
        .add("adam", s.adam, "Adam instead of gradient descent")
        .add("l2", s.l2, "penalty on the weights of the linear layers: this times sum(w^2) / 2")
        .add("dropout", s.dropout, "probability to drop a hidden unit")
        .add("ema", s.ema, "decay of the moving average of the weights")
        .add("validation", s.validation, "images at the start of the training set that are kept for validation")
        .add("seed", s.seed, "of the initial weights and the order of the images")
        .add("report-every", s.report_every, "steps between lines of progress where there is no terminal; 0: silent")
        .add("device", s.device, examples::kDeviceHelp);
    s.checkpoints.add_to(flags);
    if (!flags.parse(argc, argv)) return;
    examples::check_least("batch", s.batch, 1), examples::check_least("epochs", s.epochs, 1), examples::check_least("steps", s.steps, 0);
    manual_seed(static_cast<std::uint64_t>(s.seed));
    Training(s).run();
  });
}
