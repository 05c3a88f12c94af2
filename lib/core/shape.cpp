#include <rill/core/shape.h>

#include <algorithm>

#include "lib/core/checked.h"

namespace rill {

void Dims::resize(std::int64_t rank) {
  check<ShapeError>(rank >= 0 && rank <= kMaxRank, "shape", "rank {} is outside 0..{}", rank, kMaxRank);
  if (rank > kInline) heap_ = new std::int64_t[static_cast<std::size_t>(rank)];
  rank_ = static_cast<int>(rank);
}

void Dims::copy_long(const Dims& other) {
  heap_ = new std::int64_t[static_cast<std::size_t>(other.rank_)];
  std::copy_n(other.heap_, other.rank_, heap_);
}

void Dims::insert(int position, std::int64_t v) {
  Dims wider;
  wider.resize(rank_ + 1);
  std::copy_n(data(), position, wider.data());
  wider.data()[position] = v;
  std::copy(data() + position, data() + rank_, wider.data() + position + 1);
  *this = std::move(wider);
}

void Dims::erase(int position) {
  if (rank_ <= kInline) {
    std::copy(inline_ + position + 1, inline_ + rank_, inline_ + position);
    --rank_;
    return;
  }
  Dims narrower;
  narrower.resize(rank_ - 1);
  std::copy_n(data(), position, narrower.data());
  std::copy(data() + position + 1, data() + rank_, narrower.data() + position);
  *this = std::move(narrower);
}

std::string to_string(const Dims& d) {
  std::string s = "[";
  for (int i = 0; i < d.rank(); ++i) s += (i ? ", " : "") + std::to_string(d[i]);
  return s + "]";
}

Shape broadcast_shapes(const Shape& a, const Shape& b, const char* op) {
  const bool a_longer = a.rank() >= b.rank();
  Shape out = a_longer ? a : b;
  const Shape& other = a_longer ? b : a;
  for (int i = 1; i <= other.rank(); ++i) {
    auto& size = out[out.rank() - i];
    const auto with = other[other.rank() - i];
    if (size == with) continue;
    check<ShapeError>(size == 1 || with == 1, op, "shapes {} and {} do not broadcast: sizes {} and {} differ at axis {} from the right and neither is 1",
                      a, b, a[a.rank() - i], b[b.rank() - i], -i);
    if (size == 1) size = with;
  }
  return out;
}

std::int64_t checked_numel(std::string_view op, const Shape& shape, Dtype dtype) {
  std::int64_t product = static_cast<std::int64_t>(size_of(dtype)), numel = 1;
  for (const auto size : shape) {
    check<ShapeError>(size >= 0, op, "shape {} has the negative size {}", shape, size);
    check<ShapeError>(!__builtin_mul_overflow(product, std::max<std::int64_t>(size, 1), &product), op,
                      "a {} tensor of shape {} has more bytes than a 64-bit size can count", dtype, shape);
    numel *= size;
  }
  return numel;
}

Strides row_major_strides(const Shape& shape) {
  Strides s = shape;
  std::int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    s[i] = step;
    step *= std::max<std::int64_t>(shape[i], 1);
  }
  return s;
}

Strides channels_last_strides(std::string_view op, const Shape& shape) {
  check<ShapeError>(shape.rank() >= 3 && shape.rank() <= 5, op, "channels_last needs rank 3 to 5 (N, C, spatial...), got shape {}", shape);
  Strides s = shape;
  std::int64_t step = 1;
  auto place = [&](int axis) {
    s[axis] = step;
    step *= std::max<std::int64_t>(shape[axis], 1);
  };
  place(1);
  for (int i = shape.rank() - 1; i >= 2; --i) place(i);
  place(0);
  return s;
}

std::int64_t wrap_axis(std::string_view op, std::int64_t axis, std::int64_t rank) {
  const std::int64_t r = std::max<std::int64_t>(rank, 1);
  check<IndexError>(axis >= -r && axis < r, op, "axis {} is outside [{}, {}) for a tensor of rank {}", axis, -r, r, rank);
  return axis < 0 ? axis + r : axis;
}

}  // namespace rill
