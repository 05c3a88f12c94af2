// MNIST and every set in its format (Fashion-MNIST, KMNIST, ...): four IDX files in one folder, plain or .gz.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rill/core/tensor.h>

namespace rill::data {

struct Batch {
  Tensor images;  ///< float32 in [0, 1], [size, rows * columns]
  Tensor labels;  ///< int64, [size]
};

/// Images with labels, kept as bytes and handed out in batches. The order of an epoch is a function of the seed and the epoch's
/// number alone, so a position of three numbers is all it takes to go on with the same batches later.
class ImageSet {
 public:
  /// images: uint8 [n, rows, columns]; labels: uint8 [n]. ShapeError, DtypeError; ValueError for a label of `classes` or more.
  ImageSet(Tensor images, Tensor labels, std::int64_t classes, std::uint64_t seed);

  std::int64_t size() const;
  std::int64_t pixels() const;  ///< rows * columns
  const Tensor& images() const { return images_; }
  const Tensor& labels() const { return labels_; }

  /// The next `count` examples of an endless sequence of epochs; a batch may straddle two epochs and is never short. The order is
  /// drawn anew at the start and at each epoch boundary, unless `shuffle` is false in that call. ValueError for count < 1 or an empty set.
  Batch next_batch(std::int64_t count, bool shuffle = true);
  /// Examples begin, begin + 1, ... in the order of the file. IndexError outside the set.
  Batch range(std::int64_t begin, std::int64_t count) const;
  /// How often next_batch found too little left.
  std::int64_t epochs_completed() const { return position_.epoch; }

  struct Position {
    std::int64_t epoch = 0, index = 0;
    std::int64_t order = -1;  ///< the epoch for which the present order was drawn; -1: the order of the file
  };
  const Position& position() const { return position_; }
  void seek(const Position& position);

 private:
  void draw_order();
  Batch gather(const std::vector<std::int64_t>& rows) const;
  Tensor images_, labels_;
  std::uint64_t seed_;
  Position position_;
  std::vector<std::int64_t> order_;
};

struct Mnist {
  ImageSet train, validation, test;
};
struct MnistOptions {
  std::int64_t validation = 5000;  ///< the first so many training examples become the validation set
  std::int64_t classes = 10;
  std::uint64_t seed = 0;          ///< of the training order
};
/// Reads train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each plain or .gz.
/// Throws NotFound naming the folder and the files that are missing; ValueError for an IDX file of another type, counts that differ,
/// a label outside the classes or too large a validation set; DataLoss for damaged files.
Mnist read_mnist(const std::string& folder, const MnistOptions& options = {});

}  // namespace rill::data
