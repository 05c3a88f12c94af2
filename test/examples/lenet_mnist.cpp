#include "test/examples/workbench.h"

#include <rill/core/random.h>
#include <rill/data/idx.h>
#include <rill/ops/create.h>
#include <rill/ops/random.h>

using namespace rill;
using Catch::Matchers::Contains;

namespace {

/// Images of 28 x 28 pixels; the class is a bright row plus noise.
void write_set(const std::string& images_path, const std::string& labels_path, std::int64_t n) {
  const Tensor images = randint(0, 100, {n, 28, 28}), labels = randint(0, 10, {n});
  const auto label = labels.to_vector<int>();
  for (std::int64_t i = 0; i < n; ++i) images[i][2 * label[static_cast<std::size_t>(i)] + 4].fill_(250);
  data::write_idx(images_path, images.to(uint8));
  data::write_idx(labels_path, labels.to(uint8));
}

}  // namespace

TEST_CASE("lenet_mnist learns, and a resumed training writes the same checkpoint", "[examples]") {
  Workbench w;
  manual_seed(7);
  std::filesystem::create_directory(w.path / "data");
  write_set(w / "data/train-images-idx3-ubyte", w / "data/train-labels-idx1-ubyte", 340);
  write_set(w / "data/t10k-images-idx3-ubyte", w / "data/t10k-labels-idx1-ubyte", 60);
  const std::string common = "--data data --validation 40 --batch 20 --report-every 5 ";
  REQUIRE(w.run(LENET_MNIST, common + "--ema 0.5 --steps 32 --save-every 20 --checkpoint-dir whole") == 0);
  CHECK_THAT(w.output, Contains("step 5/32  loss") && Contains("images/s") && Contains("epoch 2  validation accuracy: "));
  CHECK(w.number_after("test accuracy: ") > 0.9);
  CHECK(w.number_after("test accuracy of the averaged weights: ") > 0.9);
  REQUIRE(w.run(LENET_MNIST, common + "--ema 0.5 --steps 22 --save-every 20 --checkpoint-dir parts") == 0);
  REQUIRE(w.run(LENET_MNIST, common + "--ema 0.5 --steps 32 --save-every 20 --checkpoint-dir parts --resume") == 0);
  CHECK_THAT(w.output, Contains("resumed at step 22"));
  CHECK(slurp(w / "whole/checkpoint-000000032.safetensors") == slurp(w / "parts/checkpoint-000000032.safetensors"));

  REQUIRE(w.run(LENET_MNIST, common + "--adam --lr 0.001 --l2 0 --dropout 0 --steps 3") == 0);
  check_calls(w, LENET_MNIST, {{"--help", 0, "--adam"},
                               {"--data nowhere", 1, "error: read_mnist: there is no folder \"nowhere\""},
                               {common + "--batch 0", 1, "error: train: batch is 0; expected at least 1"},
                               {common + "--steps 40 --checkpoint-dir whole --resume --lr 0.5", 1, "belongs to another training: {\"ema\":0.5} there and {\"ema\":0.99} here, {\"lr\":0.01} there and {\"lr\":0.5} here"},
                               {common + "--steps 9 --lr 1e30", 1, "error: train: the loss is no longer finite at step"}});
}
