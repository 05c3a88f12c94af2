// Transposition in registers: squares of 8x8 elements of 4 bytes or 4x4 of 8 bytes.
#pragma once

#include <cstdint>
#include <cstring>

namespace rill::cpu::RILL_ARCH {

/// A square of elements in registers, one row each; `turn` exchanges rows and columns.
template <class T> struct Square;

template <> struct Square<std::uint32_t> {
  static constexpr std::int64_t size = 8;
  using Row = std::uint32_t __attribute__((vector_size(32)));
  Row r[8];
  [[gnu::always_inline]] void turn() {
    Row s[8], t[8];
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
      s[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
      s[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 8; i += 4) {
      t[i] = __builtin_shufflevector(s[i], s[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      t[i + 1] = __builtin_shufflevector(s[i], s[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
      t[i + 2] = __builtin_shufflevector(s[i + 1], s[i + 3], 0, 1, 8, 9, 4, 5, 12, 13);
      t[i + 3] = __builtin_shufflevector(s[i + 1], s[i + 3], 2, 3, 10, 11, 6, 7, 14, 15);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      r[i] = __builtin_shufflevector(t[i], t[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
      r[i + 4] = __builtin_shufflevector(t[i], t[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
  }
};

template <> struct Square<std::uint64_t> {
  static constexpr std::int64_t size = 4;
  using Row = std::uint64_t __attribute__((vector_size(32)));
  Row r[4];
  [[gnu::always_inline]] void turn() {
    const Row s0 = __builtin_shufflevector(r[0], r[1], 0, 4, 2, 6), s1 = __builtin_shufflevector(r[0], r[1], 1, 5, 3, 7);
    const Row s2 = __builtin_shufflevector(r[2], r[3], 0, 4, 2, 6), s3 = __builtin_shufflevector(r[2], r[3], 1, 5, 3, 7);
    r[0] = __builtin_shufflevector(s0, s2, 0, 1, 4, 5), r[1] = __builtin_shufflevector(s1, s3, 0, 1, 4, 5);
    r[2] = __builtin_shufflevector(s0, s2, 2, 3, 6, 7), r[3] = __builtin_shufflevector(s1, s3, 2, 3, 6, 7);
  }
};

/// to[j * to_row + i] = from[i * from_row + j]; both far enough apart.
template <class T> void transpose_tile(const T* from, std::int64_t from_row, T* to, std::int64_t to_row, std::int64_t rows, std::int64_t columns) {
  std::int64_t i = 0;
  if constexpr (sizeof(T) >= 4) {
    using S = Square<T>;
    constexpr std::int64_t w = S::size;
    for (; i + w <= rows; i += w) {
      std::int64_t j = 0;
      for (; j + w <= columns; j += w) {
        S s;
#pragma GCC unroll 8
        for (int r = 0; r < w; ++r) std::memcpy(&s.r[r], from + (i + r) * from_row + j, sizeof s.r[r]);
        s.turn();
#pragma GCC unroll 8
        for (int r = 0; r < w; ++r) std::memcpy(to + (j + r) * to_row + i, &s.r[r], sizeof s.r[r]);
      }
      for (; j < columns; ++j)
        for (int r = 0; r < w; ++r) to[j * to_row + i + r] = from[(i + r) * from_row + j];
    }
  }
  for (std::int64_t j = 0; j < columns; ++j)
    for (std::int64_t k = i; k < rows; ++k) to[j * to_row + k] = from[k * from_row + j];
}

}  // namespace rill::cpu::RILL_ARCH
