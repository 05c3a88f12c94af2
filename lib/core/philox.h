// Philox4x32-10: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011). A bijection of a 128-bit counter under a
// 64-bit key, good enough that consecutive counters give independent words.
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define RILL_PHILOX __host__ __device__ constexpr
#else
#define RILL_PHILOX [[gnu::always_inline]] constexpr inline
#endif

namespace rill {

/// Where the numbers of one op come from: the key of Philox and the upper half of its counter (48 bits of call, 16 of stream).
/// The lower half counts the blocks of four words inside the call.
struct Draw {
  std::uint64_t seed = 0, call = 0;
  const std::uint64_t* base = nullptr;  // in device memory: the seed, and the call that `call` counts from; null: both are as they stand
};
inline constexpr std::uint64_t kCalls = (std::uint64_t{1} << 48) - 1;  // the bits of a call below those of its stream

/// The draw itself, where one was captured; for kernels of the device that holds its base.
RILL_PHILOX Draw resolved(const Draw& d) {
  if (!d.base) return d;
  return {d.base[0], (d.base[1] & ~kCalls) | ((d.base[1] + d.call) & kCalls)};
}

struct PhiloxBlock {
  std::uint32_t w[4];
};

namespace philox {
inline constexpr std::uint32_t kMultiply0 = 0xD2511F53u, kMultiply1 = 0xCD9E8D57u;  // round function
inline constexpr std::uint32_t kAdd0 = 0x9E3779B9u, kAdd1 = 0xBB67AE85u;            // key schedule: golden ratio and sqrt(3) - 1
inline constexpr int kRounds = 10;

/// One round; k0, k1: the round's key.
RILL_PHILOX void round(std::uint32_t& c0, std::uint32_t& c1, std::uint32_t& c2, std::uint32_t& c3, std::uint32_t k0, std::uint32_t k1) {
  const std::uint64_t a = std::uint64_t{kMultiply0} * c0, b = std::uint64_t{kMultiply1} * c2;
  c0 = static_cast<std::uint32_t>(b >> 32) ^ c1 ^ k0;
  c2 = static_cast<std::uint32_t>(a >> 32) ^ c3 ^ k1;
  c1 = static_cast<std::uint32_t>(b);
  c3 = static_cast<std::uint32_t>(a);
}
}  // namespace philox

RILL_PHILOX PhiloxBlock philox_block(std::uint64_t key, std::uint64_t counter_low, std::uint64_t counter_high) {
  std::uint32_t c0 = static_cast<std::uint32_t>(counter_low), c1 = static_cast<std::uint32_t>(counter_low >> 32);
  std::uint32_t c2 = static_cast<std::uint32_t>(counter_high), c3 = static_cast<std::uint32_t>(counter_high >> 32);
  std::uint32_t k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int r = 0; r < philox::kRounds; ++r) {
    philox::round(c0, c1, c2, c3, k0, k1);
    k0 += philox::kAdd0, k1 += philox::kAdd1;
  }
  return {{c0, c1, c2, c3}};
}

/// 64-bit number i of a call: words 0, 1 or 2, 3 of block i / 2, low word first.
RILL_PHILOX std::uint64_t philox_random64(const Draw& draw, std::uint64_t i) {
  const Draw d = resolved(draw);
  const PhiloxBlock b = philox_block(d.seed, i / 2, d.call);
  const int at = static_cast<int>(i % 2) * 2;
  return std::uint64_t{b.w[at + 1]} << 32 | b.w[at];
}

/// The upper half of the 128-bit product: maps 64 random bits to [0, range) with a bias below range / 2^64.
RILL_PHILOX std::uint64_t scale_down(std::uint64_t random, std::uint64_t range) {
  return static_cast<std::uint64_t>(static_cast<unsigned __int128>(random) * range >> 64);
}

}  // namespace rill
