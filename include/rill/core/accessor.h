// Fast access to single elements: dtype and rank are checked once, an element then costs a few multiplications.
//
//   const auto a = accessor<float, 2>(t);
//   for (std::int64_t i = 0; i < a.size(0); ++i) total += a(i, 0);
#pragma once

#include <concepts>
#include <cstdint>

#include <rill/core/tensor.h>

namespace rill {

/// Elements of one CPU tensor, whose storage must outlive it. Indices are not checked. Writes are seen by all views, but not by the tape.
template <class T, int Rank> class Accessor {
 public:
  template <std::integral... I> T& operator()(I... indices) const requires(sizeof...(I) == Rank) {
    std::int64_t offset = 0;
    int axis = 0;
    (..., (offset += static_cast<std::int64_t>(indices) * strides_[axis++]));
    return data_[offset];
  }
  std::int64_t size(int axis) const { return sizes_[axis]; }

 private:
  template <class U, int R> friend Accessor<U, R> accessor(const Tensor& t);
  T* data_ = nullptr;
  std::int64_t sizes_[Rank > 0 ? Rank : 1] = {}, strides_[Rank > 0 ? Rank : 1] = {};
};

namespace detail {
void check_accessor(const Tensor& t, int rank);
}
/// Throws DtypeError when T is not the element type, ShapeError when the rank differs, DeviceError when the tensor is not on the CPU.
template <class T, int Rank> Accessor<T, Rank> accessor(const Tensor& t) {
  detail::check_accessor(t, Rank);
  Accessor<T, Rank> a;
  a.data_ = t.data<T>();
  for (int i = 0; i < Rank; ++i) a.sizes_[i] = t.shape()[i], a.strides_[i] = t.strides()[i];
  return a;
}

}  // namespace rill
