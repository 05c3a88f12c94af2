// What each part of the training is worth: the full training and those without one part, as a table of measured accuracies.
#include <cstdio>

#include "examples/mnist/training.h"
#include "examples/support/flags.h"

int main(int argc, char** argv) {
  return examples::run([&] {
    std::string folder = "/usr/share/datasets/fashion-mnist";
    mnist::Settings full;
    full.steps = 5000;
    full.lr = 0.8;
    full.report_every = 0;
    examples::Flags flags("mnist_ablations", "trains with everything, then without one thing after the other, and prints a table");
    flags.add("data", folder, "folder with the four IDX files, plain or .gz")
        .add("steps", full.steps, "training steps of each run")
        .add("batch", full.batch, "images per step")
        .add("lr", full.lr, "learning rate of the first step")
        .add("seed", full.seed, "of the initial weights and the order of the images");
    if (!flags.parse(argc, argv)) return;

    struct Variant {
      const char* name;
      mnist::Settings settings;
    };
    std::vector<Variant> variants(8, {"all of it", full});
    variants[1].name = "without moving average", variants[1].settings.ema = 0;
    variants[2].name = "without decay of the rate", variants[2].settings.decay = 1;
    variants[3].name = "without regularization", variants[3].settings.l2 = 0;
    variants[4].name = "without hidden layer", variants[4].settings.hidden = 0;
    variants[5].name = "without activation", variants[5].settings.activation = false;
    // the two runs that the course made with another rate, too
    variants[6].name = "constant rate 0.1", variants[6].settings.decay = 1, variants[6].settings.lr = 0.1;
    variants[7].name = "without activation, rate 0.01", variants[7].settings.activation = false, variants[7].settings.lr = 0.01;

    std::printf("| variant | rate | validation | test | seconds |\n|---|---|---|---|---|\n");
    for (const auto& [name, settings] : variants) {
      auto data = rill::data::read_mnist(folder, {.seed = static_cast<std::uint64_t>(settings.seed)});
      try {
        const auto r = mnist::train(settings, data);
        std::printf("| %s | %g | %.4f | %.4f | %.1f |\n", name, settings.lr, r.validation, r.test, r.seconds);
      } catch (const rill::ValueError& e) {
        std::printf("| %s | %g | diverged | diverged | |\n", name, settings.lr);
      }
      std::fflush(stdout);
    }
  });
}
