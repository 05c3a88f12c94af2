#include <rill/data/mnist.h>

#include <filesystem>
#include <numeric>

#include <rill/data/idx.h>
#include <rill/ops/create.h>
#include <rill/ops/view.h>

#include "lib/core/check.h"

namespace rill::data {
namespace {

/// A stream of 64-bit numbers from two keys: SplitMix64 (Steele, Lea, Flood 2014) over a hashed start.
class Stream {
 public:
  Stream(std::uint64_t seed, std::uint64_t stream) : state_(mix(mix(seed) + stream)) {}
  /// Uniform below n (n < 2^32; the bias of the multiplication is below 2^-32).
  std::uint64_t below(std::uint64_t n) { return ((next() >> 32) * n) >> 32; }

 private:
  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15u); }
  std::uint64_t state_;
};

}  // namespace

ImageSet::ImageSet(Tensor images, Tensor labels, std::int64_t classes, std::uint64_t seed) : seed_(seed) {
  const char* op = "ImageSet";
  check_defined(op, images, "images");
  check_defined(op, labels, "labels");
  check<DtypeError>(images.dtype() == uint8 && labels.dtype() == uint8, op, "images are {} and labels {}; both must be uint8", images.dtype(), labels.dtype());
  check<ShapeError>(images.dim() == 3 && labels.dim() == 1 && images.size(0) == labels.size(0), op,
                    "images {} and labels {} do not belong together; expected [n, rows, columns] and [n]", images.shape(), labels.shape());
  images_ = images.contiguous();
  labels_ = labels.contiguous();
  const auto* label = labels_.data<std::uint8_t>();
  for (std::int64_t i = 0; i < labels_.numel(); ++i)
    check<ValueError>(label[i] < classes, op, "label {} of example {} is outside the {} classes 0..{}", label[i], i, classes, classes - 1);
  order_.resize(static_cast<std::size_t>(size()));
  std::iota(order_.begin(), order_.end(), 0);
}

std::int64_t ImageSet::size() const { return images_.size(0); }
std::int64_t ImageSet::pixels() const { return images_.size(1) * images_.size(2); }

void ImageSet::draw_order() {
  position_.order = position_.epoch;
  std::iota(order_.begin(), order_.end(), 0);
  Stream random(seed_, static_cast<std::uint64_t>(position_.epoch));
  for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random.below(i)]);  // Fisher, Yates; Durstenfeld 1964
}

Batch ImageSet::next_batch(std::int64_t count, bool shuffle) {
  check<ValueError>(count >= 1 && size() >= 1, "next_batch", "{} examples were asked from a set of {}; both must be at least 1", count, size());
  if (position_.epoch == 0 && position_.index == 0 && shuffle) draw_order();
  std::vector<std::int64_t> rows;
  rows.reserve(static_cast<std::size_t>(count));
  while (std::ssize(rows) < count) {
    const auto n = std::min(count - std::ssize(rows), size() - position_.index);
    rows.insert(rows.end(), order_.begin() + position_.index, order_.begin() + position_.index + n);
    position_.index += n;
    if (std::ssize(rows) == count) break;
    ++position_.epoch;
    position_.index = 0;
    if (shuffle) draw_order();
  }
  return gather(rows);
}

Batch ImageSet::range(std::int64_t begin, std::int64_t count) const {
  check<IndexError>(begin >= 0 && count >= 0 && begin <= size() - count, "range", "examples {} to {} are outside the set of {}", begin, begin + count, size());
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), begin);
  return gather(rows);
}

Batch ImageSet::gather(const std::vector<std::int64_t>& rows) const {
  Batch batch{empty({std::ssize(rows), pixels()}, {.dtype = float32}), empty({std::ssize(rows)}, {.dtype = int64})};
  const auto* from = images_.data<std::uint8_t>();
  const auto* label = labels_.data<std::uint8_t>();
  auto* to = batch.images.data<float>();
  auto* target = batch.labels.data<std::int64_t>();
  const std::int64_t n = pixels();
  for (const auto row : rows) {
    const auto* source = from + row * n;
    for (std::int64_t k = 0; k < n; ++k) to[k] = static_cast<float>(source[k]) * (1.0f / 255.0f);
    to += n;
    *target++ = label[row];
  }
  return batch;
}

void ImageSet::seek(const Position& p) {
  check<ValueError>(p.epoch >= 0 && p.index >= 0 && p.index <= size() && p.order >= -1 && p.order <= p.epoch, "seek",
                    "epoch {}, index {}, order {} is no position in a set of {}", p.epoch, p.index, p.order, size());
  position_ = p;
  if (p.order >= 0) {
    position_.epoch = p.order;
    draw_order();
    position_ = p;
  } else {
    std::iota(order_.begin(), order_.end(), 0);
  }
}

Mnist read_mnist(const std::string& folder, const MnistOptions& options) {
  const char* op = "read_mnist";
  constexpr const char* kNames[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};
  namespace fs = std::filesystem;
  std::error_code ignored;
  check<NotFound>(fs::is_directory(folder, ignored), op, "there is no folder \"{}\"; expected one with {}, {}, {} and {}, plain or .gz", folder, kNames[0], kNames[1], kNames[2], kNames[3]);
  std::string paths[4], missing;
  for (int i = 0; i < 4; ++i) {
    for (const char* ending : {"", ".gz"})
      if (const auto path = fs::path(folder) / (std::string(kNames[i]) + ending); paths[i].empty() && fs::exists(path, ignored)) paths[i] = path.string();
    if (paths[i].empty()) missing += (missing.empty() ? "" : ", ") + std::string(kNames[i]);
  }
  check<NotFound>(missing.empty(), op, "folder \"{}\" lacks {} (plain or .gz)", folder, missing);

  Tensor parts[4];
  for (int i = 0; i < 4; ++i) {
    parts[i] = read_idx(paths[i]);
    const int rank = i % 2 == 0 ? 3 : 1;
    check<ValueError>(parts[i].dtype() == uint8 && parts[i].dim() == rank, op, "\"{}\" holds {} {}; expected uint8 of rank {} (magic number {})", paths[i], parts[i].dtype(), parts[i].shape(), rank,
                      2048 + rank);
  }
  for (int i = 0; i < 4; i += 2)
    check<ValueError>(parts[i].size(0) == parts[i + 1].size(0), op, "\"{}\" holds {} images, \"{}\" {} labels", paths[i], parts[i].size(0), paths[i + 1], parts[i + 1].size(0));
  check<ValueError>(parts[0].size(1) == parts[2].size(1) && parts[0].size(2) == parts[2].size(2), op, "training images {} and test images {} differ in size", parts[0].shape(), parts[2].shape());
  const auto n = parts[0].size(0), held = options.validation;
  check<ValueError>(held >= 0 && held <= n, op, "validation is {}; the training set has {} examples", held, n);
  return {ImageSet(parts[0].narrow(0, held, n - held), parts[1].narrow(0, held, n - held), options.classes, options.seed),
          ImageSet(parts[0].narrow(0, 0, held), parts[1].narrow(0, 0, held), options.classes, options.seed), ImageSet(parts[2], parts[3], options.classes, options.seed)};
}

}  // namespace rill::data
