// Classifies images with the weights of a checkpoint: mnist_inference --images FILE --checkpoint FILE.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "examples/mnist/inference.h"
#include "examples/support/flags.h"

int main(int argc, char** argv) {
  return examples::run([&] {
    using namespace rill;
    std::string images = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz", checkpoint = "mnist-checkpoints";
    std::int64_t first = 0, count = 10;
    bool draw = false;
    examples::Flags flags("mnist_inference", "classifies images of an IDX file with a trained network");
    flags.add("images", images, "IDX file of images, plain or .gz")
        .add("checkpoint", checkpoint, "checkpoint file, or a folder whose newest one is taken")
        .add("first", first, "number of the first image")
        .add("count", count, "how many images")
        .add("draw", draw, "show the images, too");
    if (!flags.parse(argc, argv)) return;

    if (std::filesystem::is_directory(checkpoint)) {
      const auto newest = io::latest_checkpoint(checkpoint);
      if (!newest) throw NotFound("mnist_inference", "there is no checkpoint in \"" + checkpoint + "\"; mnist_train writes them");
      checkpoint = newest->path;
    }
    const auto model = mnist::model_of(io::load_checkpoint(checkpoint));
    const Tensor all = data::read_idx(images);
    if (all.dtype() != uint8 || all.dim() != 3) throw ValueError("mnist_inference", "\"" + images + "\" holds no images; expected uint8 [n, rows, columns]");
    const Tensor chosen = all.narrow(0, first, std::min(count, all.size(0) - first));
    const std::int64_t n = chosen.size(0), columns = all.size(2);

    const InferenceMode inference;
    const Tensor logits = model(chosen.reshape({n, all.size(1) * columns}).to(float32) / 255);
    const Tensor shares = exp(logits), classes = argmax(logits, 1);
    for (std::int64_t i = 0; i < n; ++i) {
      if (draw)
        for (std::int64_t row = 0; row < all.size(1); ++row) {
          for (const int value : chosen[i][row].to_vector<int>()) std::putchar(" .:-=+*#%@"[value * 10 / 256]);
          std::putchar('\n');
        }
      const auto best = classes[i].item<std::int64_t>();
      std::printf("image %lld: class %lld (%.1f %%)\n", static_cast<long long>(first + i), static_cast<long long>(best),
                  100 * shares[i][best].item<double>() / shares[i].sum().item<double>());
    }
  });
}
