// MT19937 (Matsumoto and Nishimura 1998) with the transforms of PyTorch's CPU generator, so that seeds carry over.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

namespace rill {

class Mersenne {
 public:
  static constexpr int kWords = 624;
  explicit Mersenne(std::uint64_t seed) { reseed(seed); }

  void reseed(std::uint64_t seed) {
    words[0] = static_cast<std::uint32_t>(seed);
    for (std::uint32_t i = 1; i < kWords; ++i) words[i] = 1812433253u * (words[i - 1] ^ (words[i - 1] >> 30)) + i;
    position = kWords;
    spare_normal.reset();
  }

  std::uint32_t random() {
    if (position == kWords) refill();
    std::uint32_t y = words[position++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
  }
  std::uint64_t random64() {  // the first word is the high half
    const std::uint64_t high = random();
    return high << 32 | random();
  }
  float uniform_float() { return static_cast<float>(random() & ((1u << 24) - 1)) * 0x1p-24f; }
  double uniform_double() { return static_cast<double>(random64() & ((std::uint64_t{1} << 53) - 1)) * 0x1p-53; }
  double normal() {
    if (spare_normal) return *std::exchange(spare_normal, std::nullopt);
    const double angle = 2 * kPi * uniform_double(), radius = std::sqrt(-2 * std::log1p(-uniform_double()));
    spare_normal = radius * std::sin(angle);
    return radius * std::cos(angle);
  }
  double exponential() { return -std::log1p(-uniform_double()); }

  /// n >= 16 standard normals, blocks of 16: u[j] and u[j + 8] make one pair; the last block overlaps when n is no multiple of 16.
  template <class T> void fill_normal(T* out, std::int64_t n, T mean, T std) {
    auto uniform = [&] {
      if constexpr (sizeof(T) == 4) return uniform_float();
      else return uniform_double();
    };
    auto transform = [&](T* p) {
      for (int j = 0; j < 8; ++j) {
        const T radius = std::sqrt(T{-2} * std::log(T{1} - p[j])), angle = static_cast<T>(2 * kPi) * p[j + 8];
        p[j] = radius * std::cos(angle) * std + mean;
        p[j + 8] = radius * std::sin(angle) * std + mean;
      }
    };
    for (std::int64_t i = 0; i < n; ++i) out[i] = uniform();
    for (std::int64_t i = 0; i + 16 <= n; i += 16) transform(out + i);
    if (n % 16 == 0) return;
    for (std::int64_t i = n - 16; i < n; ++i) out[i] = uniform();
    transform(out + n - 16);
  }

  std::array<std::uint32_t, kWords> words;
  int position = kWords;
  std::optional<double> spare_normal;

 private:
  static constexpr double kPi = 3.14159265358979323846;
  void refill() {
    for (int i = 0; i < kWords; ++i) {
      const std::uint32_t y = (words[i] & 0x80000000u) | (words[(i + 1) % kWords] & 0x7fffffffu);
      words[i] = words[(i + 397) % kWords] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0u);
    }
    position = 0;
  }
};

}  // namespace rill
