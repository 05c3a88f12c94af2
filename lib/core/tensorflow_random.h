// The random stream of TensorFlow 1.x's CPU kernels: Philox with a pair of seeds, float32 only.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "lib/core/philox.h"

namespace rill {

/// The stream of one random op. The key is the first seed, the upper half of the counter the second; the lower half counts blocks.
struct TensorFlowRandom {
  std::uint64_t seed, op_seed, block = 0;

  /// Both seeds are taken modulo 2^31 - 1, and (0, 0) becomes (0, 2^31 - 1).
  TensorFlowRandom(std::uint64_t graph, std::uint64_t op) : seed(graph % kModulus), op_seed(op % kModulus) {
    if (seed == 0 && op_seed == 0) op_seed = kModulus;
  }

  PhiloxBlock words(std::uint64_t offset) const { return philox_block(seed, block + offset, op_seed); }
  /// 23 bits in [0, 1).
  static float uniform(std::uint32_t word) { return static_cast<float>(word & 0x7fffff) * 0x1p-23f; }
  /// Box and Muller (1958): the sine comes first.
  static void normal(std::uint32_t a, std::uint32_t b, float* out) {
    const float radius = std::sqrt(-2.0f * std::log(std::max(uniform(a), 1e-7f))), angle = static_cast<float>(2 * 3.14159265358979323846 * uniform(b));
    out[0] = std::sin(angle) * radius;
    out[1] = std::cos(angle) * radius;
  }

  /// n values: elements 4 i to 4 i + 3 come from block i.
  void fill_uniform(float* out, std::int64_t n) {
    fill(n, out, [&](std::uint64_t i, float* four) {
      const PhiloxBlock b = words(i);
      for (int k = 0; k < 4; ++k) four[k] = uniform(b.w[k]);
    });
  }
  void fill_normal(float* out, std::int64_t n) {
    fill(n, out, [&](std::uint64_t i, float* four) {
      const PhiloxBlock b = words(i);
      normal(b.w[0], b.w[1], four), normal(b.w[2], b.w[3], four + 2);
    });
  }
  /// Normal values below 2 in magnitude: group i draws pairs from block 256 i on until it has four.
  void fill_truncated_normal(float* out, std::int64_t n) {
    fill(n, out, [&](std::uint64_t i, float* four) {
      int have = 0;
      for (std::uint64_t at = kBlocksPerValue * i; have < 4; ++at) {
        const PhiloxBlock b = words(at);
        float drawn[4];
        normal(b.w[0], b.w[1], drawn), normal(b.w[2], b.w[3], drawn + 2);
        for (int k = 0; k < 4 && have < 4; ++k)
          if (std::fabs(drawn[k]) < 2) four[have++] = drawn[k];
      }
    });
  }

 private:
  static constexpr std::uint64_t kModulus = 2147483647, kBlocksPerValue = 256;
  /// Every run of the op takes this many blocks, whatever it uses.
  template <class F> void fill(std::int64_t n, float* out, F group) {
    for (std::int64_t i = 0; 4 * i < n; ++i) {
      float four[4];
      group(static_cast<std::uint64_t>(i), four);
      for (std::int64_t k = 4 * i; k < n && k < 4 * i + 4; ++k) out[k] = four[k - 4 * i];
    }
    block += kBlocksPerValue * static_cast<std::uint64_t>(n);
  }
};

}  // namespace rill
