#include "test/support/catch.h"

#include <filesystem>
#include <set>

#include <rill/data/idx.h>
#include <rill/data/mnist.h>
#include <rill/ops/create.h>
#include <rill/ops/view.h>

#include "test/support/scratch.h"

using namespace rill;
using Catch::Matchers::Contains;

namespace {

Tensor images(std::int64_t n, std::int64_t rows = 2, std::int64_t columns = 3) { return arange(n * rows * columns).reshape({n, rows, columns}).to(uint8); }
Tensor labels(std::int64_t n) {
  std::vector<std::uint8_t> values;
  for (std::int64_t i = 0; i < n; ++i) values.push_back(static_cast<std::uint8_t>(i % 10));
  return tensor(values);
}
struct Folder : ScratchFolder {
  Folder() {
    data::write_idx(*this / "train-images-idx3-ubyte", images(20));
    data::write_idx(*this / "train-labels-idx1-ubyte", labels(20));
    data::write_idx(*this / "t10k-images-idx3-ubyte", images(6));
    data::write_idx(*this / "t10k-labels-idx1-ubyte", labels(6));
  }
  data::Mnist read(const data::MnistOptions& options = {.validation = 5}) const { return data::read_mnist(path.string(), options); }
};
std::vector<std::int64_t> order_of(data::ImageSet& set, std::int64_t count, bool shuffle = true) {
  std::vector<std::int64_t> rows;
  const auto batch = set.next_batch(count, shuffle);
  for (std::int64_t i = 0; i < count; ++i) rows.push_back(static_cast<std::int64_t>(batch.images[i][0].item<float>() * 255 + 0.5f) / 6);
  return rows;
}

}  // namespace

TEST_CASE("read_mnist splits the first examples off for validation and scales bytes to [0, 1]", "[data][mnist]") {
  const Folder folder;
  const auto m = folder.read();
  CHECK(m.train.size() == 15);
  CHECK(m.validation.size() == 5);
  CHECK(m.test.size() == 6);
  CHECK(m.train.pixels() == 6);
  const auto batch = m.validation.range(1, 2);
  CHECK(batch.images.shape() == Shape{2, 6});
  CHECK(batch.images[0][0].item<float>() == 6 * (1.0f / 255.0f));
  CHECK(batch.labels.to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 2});
  CHECK(m.train.range(0, 1).labels.item<std::int64_t>() == 5);
  CHECK_THROWS_AS(m.test.range(5, 2), IndexError);
  CHECK_THROWS_WITH(m.test.range(5, 2), "range: examples 5 to 7 are outside the set of 6");
}

TEST_CASE("batches are never short, straddle epochs and cover each epoch once", "[data][mnist]") {
  data::ImageSet set(images(7), labels(7), 10, 3);
  std::vector<std::int64_t> rows;
  for (int i = 0; i < 7; ++i)
    for (const auto row : order_of(set, 3)) rows.push_back(row);
  for (int epoch = 0; epoch < 3; ++epoch) CHECK(std::set<std::int64_t>(rows.begin() + epoch * 7, rows.begin() + epoch * 7 + 7).size() == 7);
  CHECK(std::vector<std::int64_t>(rows.begin(), rows.begin() + 7) != std::vector<std::int64_t>(rows.begin() + 7, rows.begin() + 14));
  CHECK(set.epochs_completed() == 2);  // counted when a call finds too little left
  order_of(set, 1);
  CHECK(set.epochs_completed() == 3);
  CHECK(order_of(set, 20).size() == 20);  // larger than the set

  data::ImageSet plain(images(4), labels(4), 10, 3);
  CHECK(order_of(plain, 6, false) == std::vector<std::int64_t>{0, 1, 2, 3, 0, 1});
  CHECK_THROWS_AS(plain.next_batch(0), ValueError);
}

TEST_CASE("the order depends on the seed and can be continued from a position", "[data][mnist]") {
  data::ImageSet a(images(30), labels(30), 10, 1), b(images(30), labels(30), 10, 1), c(images(30), labels(30), 10, 2);
  CHECK(order_of(a, 30) == order_of(b, 30));
  CHECK(order_of(a, 30) != order_of(c, 30));
  order_of(a, 17);
  b.seek(a.position());
  for (int i = 0; i < 5; ++i) CHECK(order_of(a, 13) == order_of(b, 13));
  CHECK_THROWS_AS(b.seek({-1, 0, 0}), ValueError);
  CHECK_THROWS_WITH(b.seek({0, 31, 0}), "seek: epoch 0, index 31, order 0 is no position in a set of 30");
}

TEST_CASE("folders that do not hold such a set are refused with names and numbers", "[data][mnist]") {
  CHECK_THROWS_AS(data::read_mnist("/nowhere/at/all"), NotFound);
  CHECK_THROWS_WITH(data::read_mnist("/nowhere/at/all"), Contains("read_mnist: there is no folder \"/nowhere/at/all\"; expected one with train-images-idx3-ubyte"));
  {
    const Folder f;
    std::filesystem::remove(f / "t10k-labels-idx1-ubyte");
    CHECK_THROWS_AS(f.read(), NotFound);
    CHECK_THROWS_WITH(f.read(), Contains("lacks t10k-labels-idx1-ubyte (plain or .gz)"));
  }
  {
    const Folder f;
    data::write_idx(f / "train-labels-idx1-ubyte", labels(19));
    CHECK_THROWS_AS(f.read(), ValueError);
    CHECK_THROWS_WITH(f.read(), Contains("holds 20 images") && Contains("19 labels"));
  }
  {
    const Folder f;
    data::write_idx(f / "train-labels-idx1-ubyte", images(20));
    CHECK_THROWS_WITH(f.read(), Contains("holds uint8 [20, 2, 3]; expected uint8 of rank 1 (magic number 2049)"));
    data::write_idx(f / "train-labels-idx1-ubyte", labels(20).to(int32));
    CHECK_THROWS_WITH(f.read(), Contains("holds int32 [20]"));
  }
  {
    const Folder f;
    data::write_idx(f / "t10k-images-idx3-ubyte", images(6, 3, 3));
    CHECK_THROWS_WITH(f.read(), Contains("training images [20, 2, 3] and test images [6, 3, 3] differ in size"));
  }
  {
    const Folder f;
    CHECK_THROWS_WITH(f.read({.validation = 21}), "read_mnist: validation is 21; the training set has 20 examples");
    CHECK_THROWS_WITH(f.read({.validation = 5, .classes = 9}), Contains("label 9 of example") && Contains("is outside the 9 classes 0..8"));
  }
  {
    const Folder f;
    spill(f / "train-images-idx3-ubyte", slurp(f / "train-images-idx3-ubyte").substr(0, 100));
    CHECK_THROWS_AS(f.read(), DataLoss);
    spill(f / "train-images-idx3-ubyte", "this is no IDX file at all");
    CHECK_THROWS_AS(f.read(), DataLoss);
  }
  CHECK_THROWS_AS(data::ImageSet(images(3), labels(4), 10, 0), ShapeError);
  CHECK_THROWS_AS(data::ImageSet(images(3).to(float32), labels(3), 10, 0), DtypeError);
}
