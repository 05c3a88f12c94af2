// The three MNIST programs on a small synthetic set, called as a user calls them.
#include "test/support/catch.h"

#include <filesystem>

#include <rill/core/random.h>
#include <rill/data/idx.h>
#include <rill/ops/create.h>
#include <rill/ops/random.h>

#include "test/examples/workbench.h"

using namespace rill;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

/// Images of 8 x 8 pixels; the class is a bright row plus noise.
void write_set(const std::string& images_path, const std::string& labels_path, std::int64_t n) {
  const Tensor images = randint(0, 100, {n, 8, 8}), labels = randint(0, 8, {n});
  const auto label = labels.to_vector<int>();
  for (std::int64_t i = 0; i < n; ++i) images[i][label[static_cast<std::size_t>(i)]].fill_(200);
  data::write_idx(images_path, images.to(uint8));
  data::write_idx(labels_path, labels.to(uint8));
}

struct MnistBench : Workbench {
  MnistBench() {
    manual_seed(7);
    fs::create_directory(path / "data");
    write_set(*this / "data/train-images-idx3-ubyte", *this / "data/train-labels-idx1-ubyte", 600);
    write_set(*this / "data/t10k-images-idx3-ubyte", *this / "data/t10k-labels-idx1-ubyte", 200);
  }
  int train(const std::string& arguments) { return run(MNIST_TRAIN, "--data data --validation 100 --batch 20 --hidden 16 --lr 0.2 --report-every 10 " + arguments); }
};

double accuracy_in(const std::string& line) {
  INFO(line);
  REQUIRE(line.starts_with("test accuracy: "));
  REQUIRE(line.size() == std::string("test accuracy: 0.1234").size());
  return std::stod(line.substr(15));
}

}  // namespace

TEST_CASE("mnist_train learns, mnist_eval finds the same accuracy, mnist_inference classifies", "[examples][mnist]") {
  MnistBench w;
  REQUIRE(w.train("--steps 300 --save-every 100 --keep 2 --checkpoint-dir c") == 0);
  CHECK_THAT(w.output, Contains("500 training, 100 validation, 200 test images") && Contains("step 10/300  loss") && Contains("images/s") && Contains("ETA"));
  const std::string trained = w.last_line();
  CHECK(accuracy_in(trained) > 0.9);
  CHECK(fs::exists(w / "c/checkpoint-000000200.safetensors"));
  CHECK_FALSE(fs::exists(w / "c/checkpoint-000000100.safetensors"));

  REQUIRE(w.run(MNIST_EVAL, "--data data --validation 100 --checkpoint-dir c --once") == 0);
  CHECK_THAT(w.output, Contains("step 300  validation accuracy: "));
  CHECK(w.last_line() == trained);
  REQUIRE(w.run(MNIST_EVAL, "--data data --validation 100 --checkpoint-dir c --until 300 --interval 0.01 --raw") == 0);
  accuracy_in(w.last_line());
  REQUIRE(w.run(MNIST_EVAL, "--data data --validation 100 --checkpoint-dir none --wait 0.05 --interval 0.01") == 0);

  REQUIRE(w.run(MNIST_INFERENCE, "--images data/t10k-images-idx3-ubyte --checkpoint c --first 190 --count 20 --draw") == 0);
  CHECK_THAT(w.output, Contains("image 190: class ") && Contains("image 199: class ") && !Contains("image 200"));
}

TEST_CASE("a resumed training writes the same checkpoint as one that was never interrupted", "[examples][mnist]") {
  MnistBench w;
  for (const std::string flags : {"", "--no-ema --no-l2 --no-decay", "--no-hidden", "--no-activation"}) {
    INFO(flags);
    REQUIRE(w.train("--overwrite --steps 83 --save-every 30 --checkpoint-dir whole " + flags) == 0);
    REQUIRE(w.train("--overwrite --steps 37 --save-every 30 --checkpoint-dir parts " + flags) == 0);  // inside an epoch of 25 steps
    REQUIRE(w.train("--resume --steps 83 --save-every 30 --checkpoint-dir parts " + flags) == 0);
    CHECK_THAT(w.output, Contains("resumed at step 37"));
    for (const char* name : {"checkpoint-000000060.safetensors", "checkpoint-000000083.safetensors"}) {
      const std::string whole = slurp(w / "whole/" + name);
      CHECK(whole.size() > 1000);
      CHECK(whole == slurp(w / "parts/" + name));
    }
  }
  // whatever the number of threads
  REQUIRE(w.run("OMP_NUM_THREADS=1 " MNIST_TRAIN, "--data data --validation 100 --batch 20 --hidden 16 --lr 0.2 --no-activation --steps 83 --checkpoint-dir one") == 0);
  CHECK(slurp(w / "one/checkpoint-000000083.safetensors") == slurp(w / "whole/checkpoint-000000083.safetensors"));
}

TEST_CASE("a damaged newest checkpoint is skipped by --resume", "[examples][mnist]") {
  MnistBench w;
  REQUIRE(w.train("--steps 40 --save-every 20 --checkpoint-dir c") == 0);
  const std::string whole = slurp(w / "c/checkpoint-000000040.safetensors");
  spill(w / "c/checkpoint-000000040.safetensors", whole.substr(0, whole.size() / 2));
  REQUIRE(w.run(MNIST_EVAL, "--data data --validation 100 --checkpoint-dir c --once") == 0);
  CHECK_THAT(w.output, Contains("skipped: ") && Contains("step 20  validation accuracy: "));
  REQUIRE(w.train("--resume --steps 40 --save-every 20 --checkpoint-dir c") == 0);
  CHECK_THAT(w.output, Contains("skipped: ") && Contains("truncated") && Contains("resumed at step 20"));
  CHECK(slurp(w / "c/checkpoint-000000040.safetensors") == whole);
}

TEST_CASE("the programs refuse bad flags, folders and files with one sentence", "[examples][mnist]") {
  MnistBench w;
  struct Case {
    std::string program, arguments;
    int status;
    std::string text;
  };
  REQUIRE(w.train("--steps 20 --checkpoint-dir c") == 0);
  spill(w / "foreign.safetensors", "not a checkpoint, but long enough to be read");
  const std::string train = MNIST_TRAIN, eval = MNIST_EVAL, inference = MNIST_INFERENCE;
  const std::string good = "--data data --validation 100 --batch 20 --hidden 16 --lr 0.2 --checkpoint-dir c ";
  const std::vector<Case> cases = {
      {train, "--help", 0, "--checkpoint-dir TEXT"},
      {eval, "--help", 0, "--once"},
      {inference, "--help", 0, "--count N"},
      {train, "--stepz 3", 2, "mnist_train: there is no flag --stepz; --help lists the flags"},
      {train, "--steps", 2, "mnist_train: --steps needs a value"},
      {train, "--steps=3x", 2, "mnist_train: --steps is \"3x\", expected an integer"},
      {train, "--lr abc", 2, "mnist_train: --lr is \"abc\", expected a number"},
      {train, "--resume=1", 2, "mnist_train: --resume takes no value"},
      {train, "run", 2, "mnist_train: \"run\" is not a flag"},
      {train, "--data nowhere", 1, "error: read_mnist: there is no folder \"nowhere\""},
      {train, "--data data --validation 601", 1, "error: read_mnist: validation is 601; the training set has 600 examples"},
      {train, "--data data --validation 100 --batch 0", 1, "error: train: batch is 0; expected at least 1"},
      {train, good + "--steps 40", 1, "\"c\" already holds checkpoints up to step 20; go on with --resume, remove them with --overwrite or choose another --checkpoint-dir"},
      {train, good + "--steps 40 --resume --l2 0.5", 1, "belongs to another training: {\"l2\":0.0001} there and {\"l2\":0.5} here; use the same flags"},
      {train, good + "--resume --checkpoint-dir none", 1, "error: resume: there is no checkpoint in \"none\"; start without --resume"},
      {train, good + "--steps 50 --lr 1e30 --checkpoint-dir \"\"", 1, "error: train: the loss is no longer finite at step"},
      {eval, "--data data --validation 100 --checkpoint-dir none --once", 1, "error: mnist_eval: there is no checkpoint in \"none\"; mnist_train writes them"},
      {inference, "--images data/t10k-labels-idx1-ubyte --checkpoint c", 1, "holds no images; expected uint8 [n, rows, columns]"},
      {inference, "--images nowhere --checkpoint c", 1, "error: open: \"nowhere\": no such file"},
      {inference, "--images data/t10k-images-idx3-ubyte --checkpoint foreign.safetensors", 1, "error: load_safetensors: "},
      {inference, "--images data/t10k-images-idx3-ubyte --checkpoint c --first 300", 1, "error: "},
  };
  const std::string before = slurp(w / "c/checkpoint-000000020.safetensors");
  for (const auto& c : cases) {
    INFO(c.program << " " << c.arguments);
    CHECK(w.run(c.program, c.arguments) == c.status);
    CHECK_THAT(w.output, Contains(c.text));
  }
  CHECK(slurp(w / "c/checkpoint-000000020.safetensors") == before);
  CHECK(std::distance(fs::directory_iterator(w / "c"), fs::directory_iterator()) == 1);
}

TEST_CASE("mnist_ablations prints a row for each variant", "[examples][mnist]") {
  MnistBench w;
  fs::create_directory(w.path / "big");
  write_set(w / "big/train-images-idx3-ubyte", w / "big/train-labels-idx1-ubyte", 5200);
  write_set(w / "big/t10k-images-idx3-ubyte", w / "big/t10k-labels-idx1-ubyte", 100);
  REQUIRE(w.run(MNIST_ABLATIONS, "--data big --steps 3") == 0);
  CHECK_THAT(w.output, Contains("| all of it | 0.8 | ") && Contains("| without moving average |") && Contains("| without hidden layer |") && Contains("| without activation |"));
}
