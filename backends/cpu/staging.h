// Blocks in which strided or converted operands are staged for the contiguous kernels.
#pragma once

#include <cstdint>
#include <cstring>

namespace rill::cpu {

inline constexpr std::int64_t kBlock = 512;  // elements per staged block: a few of them stay in the L1 cache

struct alignas(64) Buffer {
  char bytes[kBlock * 8];
};

namespace detail {
template <class T> void gather(const char* from, std::int64_t stride, char* to, std::int64_t n) {
  T* out = reinterpret_cast<T*>(to);
  for (std::int64_t i = 0; i < n; ++i) std::memcpy(out + i, from + i * stride, sizeof(T));
}
template <class T> void scatter(const char* from, char* to, std::int64_t stride, std::int64_t n) {
  const T* in = reinterpret_cast<const T*>(from);
  for (std::int64_t i = 0; i < n; ++i) std::memcpy(to + i * stride, in + i, sizeof(T));
}
}  // namespace detail

/// n elements of `size` bytes that are `stride` bytes apart, side by side into `to`.
inline void gather(std::size_t size, const char* from, std::int64_t stride, char* to, std::int64_t n) {
  if (stride == static_cast<std::int64_t>(size)) return void(std::memcpy(to, from, static_cast<std::size_t>(n) * size));
  switch (size) {
    case 1: return detail::gather<std::uint8_t>(from, stride, to, n);
    case 2: return detail::gather<std::uint16_t>(from, stride, to, n);
    case 4: return detail::gather<std::uint32_t>(from, stride, to, n);
    default: return detail::gather<std::uint64_t>(from, stride, to, n);
  }
}
/// And back.
inline void scatter(std::size_t size, const char* from, char* to, std::int64_t stride, std::int64_t n) {
  if (stride == static_cast<std::int64_t>(size)) return void(std::memcpy(to, from, static_cast<std::size_t>(n) * size));
  switch (size) {
    case 1: return detail::scatter<std::uint8_t>(from, to, stride, n);
    case 2: return detail::scatter<std::uint16_t>(from, to, stride, n);
    case 4: return detail::scatter<std::uint32_t>(from, to, stride, n);
    default: return detail::scatter<std::uint64_t>(from, to, stride, n);
  }
}

}  // namespace rill::cpu
