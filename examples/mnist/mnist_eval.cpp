// Watches a folder of checkpoints and evaluates each new one with its averaged weights: mnist_eval --data FOLDER [--once].
#include <algorithm>
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
      if (newest && newest->step > done) {  // a file may be damaged, or be removed between listing and opening: then the one before it
        const auto found = rill::io::load_latest_checkpoint(checkpoints);
        for (const auto& reason : found.skipped) std::fprintf(stderr, "skipped: %s\n", reason.c_str());
        if (!found.checkpoint && once) throw rill::DataLoss("mnist_eval", "no checkpoint in \"" + checkpoints + "\" can be read");
        if (found.checkpoint && found.checkpoint->step > done) {
          const auto model = mnist::model_of(*found.checkpoint, !raw);
          std::printf("step %lld  validation accuracy: %.4f\n", static_cast<long long>(found.checkpoint->step), mnist::accuracy(model, data.validation));
          std::printf("test accuracy: %.4f\n", mnist::accuracy(model, data.test));
          std::fflush(stdout);
          last = Clock::now();
        }
        done = std::max(newest->step, found.checkpoint ? found.checkpoint->step : 0);
      }
      if (once || (until > 0 && done >= until)) return;
      std::this_thread::sleep_for(std::chrono::duration<double>(interval));
    }
  });
}
