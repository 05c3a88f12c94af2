// Trains the network and leaves checkpoints behind: mnist_train --data FOLDER [--resume].
#include <cstdio>

#include "examples/mnist/training.h"
#include "examples/support/flags.h"

int main(int argc, char** argv) {
  return examples::run([&] {
    mnist::Settings s;
    s.checkpoints.folder = "mnist-checkpoints";
    std::string folder = "/usr/share/datasets/fashion-mnist";
    std::int64_t validation = 5000;
    bool no_activation = false, no_hidden = false, no_decay = false, no_l2 = false, no_ema = false;
    examples::Flags flags("mnist_train", "trains a network with one hidden layer on MNIST or any set in its format");
    flags.add("data", folder, "folder with the four IDX files, plain or .gz")
        .add("steps", s.steps, "training steps")
        .add("batch", s.batch, "images per step")
        .add("lr", s.lr, "learning rate of the first step")
        .add("decay", s.decay, "factor of the learning rate per epoch")
        .add("l2", s.l2, "penalty: this times sum(w^2) / 2")
        .add("ema", s.ema, "decay of the moving average of the weights")
        .add("hidden", s.hidden, "size of the hidden layer")
        .add("validation", validation, "images at the start of the training set that are kept for validation")
        .add("seed", s.seed, "of the initial weights and the order of the images")
        .add("report-every", s.report_every, "steps between lines of progress where there is no terminal; 0: silent")
        .add("no-activation", no_activation, "leave out the ReLU")
        .add("no-hidden", no_hidden, "leave out the hidden layer")
        .add("no-decay", no_decay, "constant learning rate")
        .add("no-l2", no_l2, "no penalty")
        .add("no-ema", no_ema, "no moving average");
    s.checkpoints.add_to(flags);
    if (!flags.parse(argc, argv)) return;
    s.activation = !no_activation;
    if (no_hidden) s.hidden = 0;
    if (no_decay) s.decay = 1;
    if (no_l2) s.l2 = 0;
    if (no_ema) s.ema = 0;

    auto data = rill::data::read_mnist(folder, {.validation = validation, .seed = static_cast<std::uint64_t>(s.seed)});
    std::printf("%lld training, %lld validation, %lld test images\n", static_cast<long long>(data.train.size()), static_cast<long long>(data.validation.size()),
                static_cast<long long>(data.test.size()));
    const auto result = mnist::train(s, data);
    std::printf("trained in %.1f s\nvalidation accuracy: %.4f\ntest accuracy: %.4f\n", result.seconds, result.validation, result.test);
  });
}
