// Watches a folder of checkpoints and evaluates each new one with its averaged weights: mnist_eval --data FOLDER [--once].
#include <chrono>
#include <cstdio>
#include <thread>

#include "examples/mnist/inference.h"
#include "examples/support/flags.h"

int main(int argc, char** argv) {
  return examples::run([&] {
    using Clock = std::chrono::steady_clock;
    std::string folder = "/usr/share/datasets/fashion-mnist", checkpoints = "mnist-checkpoints";
    bool once = false, raw = false;
    std::int64_t until = 0, validation = 5000;
    double interval = 10, wait = 600;
    examples::Flags flags("mnist_eval", "evaluates the newest checkpoint whenever there is a new one");
    flags.add("data", folder, "folder with the four IDX files, plain or .gz")
        .add("checkpoint-dir", checkpoints, "folder that mnist_train writes to")
        .add("once", once, "evaluate the newest checkpoint and stop")
        .add("until", until, "stop after a checkpoint of this step or a later one; 0: go on")
        .add("interval", interval, "seconds between looks at the folder")
        .add("wait", wait, "stop when nothing new has come for so many seconds")
        .add("validation", validation, "as given to mnist_train")
        .add("raw", raw, "the weights as trained instead of their averages");
    if (!flags.parse(argc, argv)) return;

    const auto data = rill::data::read_mnist(folder, {.validation = validation});
    std::int64_t done = -1;
    for (auto last = Clock::now(); std::chrono::duration<double>(Clock::now() - last).count() <= wait;) {
      const auto newest = rill::io::latest_checkpoint(checkpoints);
      if (!newest && once) throw rill::NotFound("mnist_eval", "there is no checkpoint in \"" + checkpoints + "\"; mnist_train writes them");
      if (newest && newest->step > done) {
        try {
          const auto model = mnist::model_of(rill::io::load_checkpoint(newest->path), !raw);
          std::printf("step %lld  validation accuracy: %.4f\n", static_cast<long long>(newest->step), mnist::accuracy(model, data.validation));
          std::printf("test accuracy: %.4f\n", mnist::accuracy(model, data.test));
          std::fflush(stdout);
          done = newest->step;
          last = Clock::now();
        } catch (const rill::NotFound&) {  // removed between listing and opening: there is a newer one
          if (once) continue;
        }
      }
      if (once || (until > 0 && done >= until)) return;
      std::this_thread::sleep_for(std::chrono::duration<double>(interval));
    }
  });
}
