// 16-bit floating point storage types. Arithmetic happens in float; a value is rounded once (to nearest, ties to even).
#pragma once

#include <bit>
#include <cstdint>

namespace rill {

/// IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits.
struct Half {
  std::uint16_t bits = 0;
  Half() = default;
  [[gnu::always_inline]] constexpr Half(float f) noexcept : bits(round(f)) {}
  [[gnu::always_inline]] constexpr operator float() const noexcept { return widen(bits); }

  [[gnu::always_inline]] static constexpr std::uint16_t round(float f) noexcept {
    const auto u = std::bit_cast<std::uint32_t>(f);
    const std::uint32_t sign = (u >> 16) & 0x8000u, a = u & 0x7fffffffu;
    if (a > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u);   // NaN
    if (a >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);  // rounds to infinity
    if (a < 0x38800000u) {                                                    // subnormal or zero: let float rounding do it
      const float shifted = std::bit_cast<float>(a) + 0.5f;                   // one unit in the last place of 0.5 is 2^-24
      return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u));
    }
    return static_cast<std::uint16_t>(sign | ((a - 0x38000000u + 0xfffu + ((a >> 13) & 1u)) >> 13));
  }
  [[gnu::always_inline]] static constexpr float widen(std::uint16_t h) noexcept {
    const std::uint32_t sign = (h & 0x8000u) << 16, a = h & 0x7fffu;
    if (a >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | ((a & 0x3ffu) << 13));
    if (a >= 0x400u) return std::bit_cast<float>(sign | ((a << 13) + 0x38000000u));
    const float magnitude = static_cast<float>(a) * 5.9604644775390625e-8f;  // subnormal: a * 2^-24
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
  }
};

/// The upper half of a float: 1 sign, 8 exponent and 7 fraction bits.
struct BFloat16 {
  std::uint16_t bits = 0;
  BFloat16() = default;
  [[gnu::always_inline]] constexpr BFloat16(float f) noexcept : bits(round(f)) {}
  [[gnu::always_inline]] constexpr operator float() const noexcept { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

  [[gnu::always_inline]] static constexpr std::uint16_t round(float f) noexcept {
    const auto u = std::bit_cast<std::uint32_t>(f);
    if ((u & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((u >> 16) | 0x40u);  // NaN stays NaN
    return static_cast<std::uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
  }
};

}  // namespace rill
