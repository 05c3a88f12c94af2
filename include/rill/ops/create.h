// New tensors. Random ones are in rill/ops/random.h.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include <rill/core/tensor.h>

namespace rill {

Tensor empty(const Shape& shape, const Options& options = {});
Tensor zeros(const Shape& shape, const Options& options = {});
Tensor ones(const Shape& shape, const Options& options = {});
/// Without dtype: the dtype of `value` (bool, int64 or the default floating dtype).
Tensor full(const Shape& shape, Scalar value, const Options& options = {});
/// n x m (default n x n) with ones on the main diagonal.
Tensor eye(std::int64_t n, std::int64_t m = -1, const Options& options = {});
/// start, start + step, ...: ceil((end - start) / step) values, computed in double. Integer arguments give int64.
/// ValueError for a step of 0 or one that leads away from end.
Tensor arange(Scalar end, const Options& options = {});
Tensor arange(Scalar start, Scalar end, Scalar step = 1, const Options& options = {});
/// `count` evenly spaced values, both ends included.
Tensor linspace(Scalar start, Scalar end, std::int64_t count, const Options& options = {});
/// The positions (row, column) of a lower (upper) triangle of [rows, columns] in row-major order: int64 [2, count]. See tril.
Tensor tril_indices(std::int64_t rows, std::int64_t columns, std::int64_t diagonal = 0, const Options& options = {});
Tensor triu_indices(std::int64_t rows, std::int64_t columns, std::int64_t diagonal = 0, const Options& options = {});
/// base ^ linspace(start, end).
Tensor logspace(Scalar start, Scalar end, std::int64_t count, double base = 10, const Options& options = {});

Tensor empty_like(const Tensor& x, const Options& options = {});
Tensor zeros_like(const Tensor& x, const Options& options = {});
Tensor ones_like(const Tensor& x, const Options& options = {});
Tensor full_like(const Tensor& x, Scalar value, const Options& options = {});

/// A nested list of numbers: `tensor({{1, 2}, {3, 4}})` is int64, `tensor({1., 2.})` the default floating dtype.
class Literal {
 public:
  template <class T> requires std::is_arithmetic_v<T> Literal(T value) : scalar_(value) {}
  Literal(std::initializer_list<Literal> items) : items_(items), list_(true) {}
  bool is_list() const noexcept { return list_; }
  Scalar scalar() const noexcept { return scalar_; }
  const std::vector<Literal>& items() const noexcept { return items_; }

 private:
  std::vector<Literal> items_;
  Scalar scalar_;
  bool list_ = false;
};
/// Throws ShapeError when rows differ in length or nesting.
Tensor tensor(std::initializer_list<Literal> values, const Options& options = {});
Tensor tensor(Scalar value, const Options& options = {});
/// A copy of the values with dtype T unless options say otherwise.
template <class T> Tensor tensor(const std::vector<T>& values, const Options& options = {});
template <class T> Tensor tensor(std::span<const T> values, const Shape& shape, const Options& options = {});

/// A tensor over memory of the caller: `from_blob(span, shape)` borrows, the span must outlive every view; `deleter` runs when the
/// last view is gone. ShapeError when the shape (or strides) needs more elements than the span holds.
template <class T> Tensor from_blob(std::span<T> memory, const Shape& shape, std::function<void()> deleter = {});
template <class T> Tensor from_blob(std::span<T> memory, const Shape& shape, const Strides& strides, std::function<void()> deleter = {});
/// Takes over the vector without copying.
template <class T> Tensor from_vector(std::vector<T> values, const Shape& shape);

namespace detail {
Tensor copy_of(const void* data, std::size_t count, Dtype dtype, const Shape& shape, const Options& options);
Tensor borrow(void* data, std::size_t count, Dtype dtype, const Shape& shape, const Strides* strides, std::function<void()> deleter);
}  // namespace detail

template <class T> Tensor tensor(std::span<const T> values, const Shape& shape, const Options& options) {
  return detail::copy_of(values.data(), values.size(), dtype_of<T>, shape, options);
}
template <class T> Tensor tensor(const std::vector<T>& values, const Options& options) {
  const Shape shape{static_cast<std::int64_t>(values.size())};
  if constexpr (std::is_same_v<T, bool>) {
    std::vector<std::uint8_t> bytes(values.begin(), values.end());
    return detail::copy_of(bytes.data(), bytes.size(), Dtype::boolean, shape, options);
  } else {
    return detail::copy_of(values.data(), values.size(), dtype_of<T>, shape, options);
  }
}
template <class T> Tensor from_blob(std::span<T> memory, const Shape& shape, std::function<void()> deleter) {
  return detail::borrow(memory.data(), memory.size(), dtype_of<T>, shape, nullptr, std::move(deleter));
}
template <class T> Tensor from_blob(std::span<T> memory, const Shape& shape, const Strides& strides, std::function<void()> deleter) {
  return detail::borrow(memory.data(), memory.size(), dtype_of<T>, shape, &strides, std::move(deleter));
}
template <class T> Tensor from_vector(std::vector<T> values, const Shape& shape) {
  auto keep = std::make_shared<std::vector<T>>(std::move(values));
  return detail::borrow(keep->data(), keep->size(), dtype_of<T>, shape, nullptr, [keep]() mutable { keep.reset(); });
}

}  // namespace rill
