// Copies, conversions and fills with any strides.
#include <algorithm>
#include <cstring>

#include "backends/cuda/kernels/dense.h"
#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/map.h"

namespace rill::RILL_GPU {
namespace {

struct Identity {
  template <class T> RILL_DEVICE T operator()(T x) const { return x; }
};

/// Values of one dtype move as integers of their size.
Dtype carrier(Dtype d) {
  switch (size_of(d)) {
    case 1: return Dtype::uint8;
    case 2: return Dtype::int16;
    case 4: return Dtype::int32;
    default: return Dtype::int64;
  }
}

template <class T> void copy_parts(const View& from, const View& to) {
  const Dtype dtypes[] = {to.dtype, from.dtype};
  for_each_part(LoopPlan<2>({to, from}), [&](const LoopPlan<2>& part) {
    using K = MapKernel<Identity, T, T, 1>;
    const Plan plan = plan_of(part, dtypes, K::kItems);
    launch(K{{}, plan}, blocks_for(plan.numel, K::kThreads * K::kItems));
  });
}

void copy(const View& from, const View& to) {
  if (to.numel == 0) return;
  if (from.dtype == to.dtype) {
    if (from.contiguous && to.contiguous && from.numel == to.numel) return copy_on_device(to.data, from.data, to.numel * static_cast<std::int64_t>(size_of(to.dtype)));
    View x = from, y = to;
    x.dtype = y.dtype = carrier(to.dtype);
    switch (y.dtype) {
      case Dtype::uint8: return copy_parts<std::uint8_t>(x, y);
      case Dtype::int16: return copy_parts<std::int16_t>(x, y);
      case Dtype::int32: return copy_parts<std::int32_t>(x, y);
      default: return copy_parts<std::int64_t>(x, y);
    }
  }
  switch (from.dtype) {  // loaded as they are, converted when they are stored
    case Dtype::boolean: return copy_parts<bool>(from, to);
    case Dtype::uint8: return copy_parts<std::uint8_t>(from, to);
    case Dtype::int8: return copy_parts<std::int8_t>(from, to);
    case Dtype::int16: return copy_parts<std::int16_t>(from, to);
    case Dtype::int32: return copy_parts<std::int32_t>(from, to);
    case Dtype::int64: return copy_parts<std::int64_t>(from, to);
    case Dtype::float64: return copy_parts<double>(from, to);
    default: return copy_parts<float>(from, to);  // 16-bit floats, too: float holds them exactly
  }
}

template <int most> struct UploadKernel {
  static constexpr int kThreads = 256;
  char* to;
  int n;
  char bytes[most];
  RILL_DEVICE void operator()(Team& team) const {
    for (int i = team.thread(); i < n; i += kThreads) to[i] = bytes[i];
  }
};
template <int most> void upload_parts(char* to, const char* from, std::int64_t bytes) {
  for (std::int64_t i = 0; i < bytes; i += most) {
    UploadKernel<most> part{to + i, static_cast<int>(std::min<std::int64_t>(most, bytes - i)), {}};
    std::memcpy(part.bytes, from + i, static_cast<std::size_t>(part.n));
    launch(part, 1);
  }
}

template <class T> struct FillKernel {
  static constexpr int kThreads = kMapThreads, kItems = kMapItems<T>;
  T value;
  Plan plan;
  RILL_DEVICE void operator()(Team& team) const {
    const auto tile = static_cast<std::uint32_t>(team.block()) * (kThreads * kItems), thread = static_cast<std::uint32_t>(team.thread());
    const std::uint32_t first = tile + thread * kItems;
    if (plan.flat && first + kItems <= plan.numel) {
      Vector<T, kItems> all;
      RILL_UNROLL
      for (int j = 0; j < kItems; ++j) all.v[j] = value;
      *reinterpret_cast<Vector<T, kItems>*>(plan.data[0] + static_cast<std::int64_t>(first) * static_cast<std::int64_t>(sizeof(T))) = all;
      return;
    }
    RILL_UNROLL
    for (int j = 0; j < kItems; ++j) {
      const std::uint32_t i = plan.flat ? first + static_cast<std::uint32_t>(j) : tile + static_cast<std::uint32_t>(j) * kThreads + thread;
      if (i >= plan.numel) continue;
      std::int64_t at[1];
      plan.offsets(i, at);
      *reinterpret_cast<T*>(plan.data[0] + at[0]) = value;
    }
  }
};
template <class T> void fill_parts(const void* value, const View& to) {
  const Dtype dtypes[] = {to.dtype};
  for_each_part(LoopPlan<1>({to}), [&](const LoopPlan<1>& part) {
    using K = FillKernel<T>;
    const Plan plan = plan_of(part, dtypes, K::kItems);
    launch(K{*static_cast<const T*>(value), plan}, blocks_for(plan.numel, K::kThreads * K::kItems));
  });
}
void fill(const void* value, const View& to) {
  switch (size_of(to.dtype)) {
    case 1: return fill_parts<std::uint8_t>(value, to);
    case 2: return fill_parts<std::uint16_t>(value, to);
    case 4: return fill_parts<std::uint32_t>(value, to);
    default: return fill_parts<std::uint64_t>(value, to);
  }
}

}  // namespace

void fill_copy(MapKernels& k) {
  k.copy = &copy;
  k.fill = &fill;
}
void upload(void* to, const void* from, std::int64_t bytes) {
  if (bytes <= 256) upload_parts<256>(static_cast<char*>(to), static_cast<const char*>(from), bytes);
  else upload_parts<8192>(static_cast<char*>(to), static_cast<const char*>(from), bytes);
}

const MapKernels& copies() {
  static const MapKernels table = [] {
    MapKernels k;
    fill_copy(k);
    return k;
  }();
  return table;
}

}  // namespace rill::RILL_GPU
