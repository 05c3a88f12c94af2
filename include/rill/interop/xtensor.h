// Opt-in: zero-copy views between rill and xtensor. The only public header that pulls xtensor.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xstrided_view.hpp>

#include <rill/core/tensor.h>
#include <rill/ops/create.h>

namespace rill {

/// A writable xtensor view of a CPU tensor with its own strides, without copying. The tensor must outlive the view.
/// Throws DtypeError when T is not the element type and DeviceError when the tensor is not on the CPU. Writes through the view
/// are not recorded and not counted as a version.
template <class T> auto as_xtensor(const Tensor& t) {
  std::vector<std::size_t> shape(t.shape().begin(), t.shape().end());
  std::vector<std::ptrdiff_t> strides;
  std::size_t reach = t.numel() > 0 ? 1 : 0;  // elements between the first and the last one, both included
  for (int i = 0; i < t.shape().rank(); ++i) {
    // xtensor wants stride 0 on axes of size 1
    strides.push_back(t.shape()[i] == 1 ? 0 : static_cast<std::ptrdiff_t>(t.strides()[i]));
    if (reach) reach += static_cast<std::size_t>((t.shape()[i] - 1) * t.strides()[i]);
  }
  return xt::adapt(t.data<T>(), reach, xt::no_ownership(), std::move(shape), std::move(strides));
}

/// A tensor with the values of an xtensor expression. An xt::xarray or xt::xtensor rvalue in row-major order is taken over without
/// copying; everything else is evaluated once.
template <class E> Tensor from_xtensor(E&& expression) {
  using Value = std::decay_t<typename std::decay_t<E>::value_type>;
  using Array = xt::xarray<Value, xt::layout_type::row_major>;
  auto values = std::make_shared<Array>(std::forward<E>(expression));
  Shape shape(std::span<const std::int64_t>{});
  for (const auto s : values->shape()) shape.push_back(static_cast<std::int64_t>(s));
  return from_blob(std::span<Value>(values->data(), values->size()), shape, [values]() mutable { values.reset(); });
}

}  // namespace rill
