// Rows taken from, and combined into, positions of one axis.
#include "backends/api/kernels/index.h"

#include <cstring>

#include "backends/api/functors/combine.h"
#include "backends/cpu/kernels/fill.h"

namespace rill::cpu::RILL_ARCH {
namespace {

template <class T> void take(const IndexRows& r) {
  const T* x = static_cast<const T*>(r.x);
  T* flat = static_cast<T*>(r.flat);
  if (r.run == 1) {
    for (std::int64_t k = 0; k < r.count; ++k) flat[k * r.step] = x[r.offsets[k] * r.scale];
  } else {
    for (std::int64_t k = 0; k < r.count; ++k) std::memcpy(flat + k * r.step, x + r.offsets[k] * r.scale, static_cast<std::size_t>(r.run) * sizeof(T));
  }
}
template <class T> void put(const IndexRows& r) {
  T* x = static_cast<T*>(r.x);
  const T* flat = static_cast<const T*>(r.flat);
  if (r.run == 1) {
    for (std::int64_t k = 0; k < r.count; ++k) x[r.offsets[k] * r.scale] = flat[k * r.step];
  } else {
    for (std::int64_t k = 0; k < r.count; ++k) std::memcpy(x + r.offsets[k] * r.scale, flat + k * r.step, static_cast<std::size_t>(r.run) * sizeof(T));
  }
}

template <class F, class T> void combine(const IndexRows& r) {
  T* x = static_cast<T*>(r.x);
  const T* flat = static_cast<const T*>(r.flat);
  for (std::int64_t k = 0; k < r.count; ++k) {
    T* __restrict to = x + r.offsets[k] * r.scale;
    const T* __restrict from = flat + k * r.step;
    for (std::int64_t i = 0; i < r.run; ++i) to[i] = F::of(to[i], from[i]);
  }
}

template <class T> void fill_type(IndexKernels& k) {
  const auto d = static_cast<std::size_t>(dtype_of<T>);
  k.put_rows[static_cast<std::size_t>(Combine::add)][d] = &combine<fn::CombineAdd, T>;
  k.put_rows[static_cast<std::size_t>(Combine::mul)][d] = &combine<fn::CombineMul, T>;
  k.put_rows[static_cast<std::size_t>(Combine::max)][d] = &combine<fn::CombineMax, T>;
  k.put_rows[static_cast<std::size_t>(Combine::min)][d] = &combine<fn::CombineMin, T>;
}

}  // namespace

void fill_index(IndexKernels& k) {
  const IndexRowsFn take_by_size[] = {&take<std::uint8_t>, &take<std::uint16_t>, &take<std::uint32_t>, &take<std::uint64_t>};
  const IndexRowsFn put_by_size[] = {&put<std::uint8_t>, &put<std::uint16_t>, &put<std::uint32_t>, &put<std::uint64_t>};
  for (int i = 0; i < 4; ++i) k.take_rows[i] = take_by_size[i];
  for (int d = 0; d < kDtypeCount; ++d) {
    const auto bytes = size_of(static_cast<Dtype>(d));
    k.put_rows[0][d] = put_by_size[bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : 3];
  }
  fill_type<bool>(k), fill_type<std::uint8_t>(k), fill_type<std::int8_t>(k), fill_type<std::int16_t>(k), fill_type<std::int32_t>(k);
  fill_type<std::int64_t>(k), fill_type<float>(k), fill_type<double>(k);
}

}  // namespace rill::cpu::RILL_ARCH
