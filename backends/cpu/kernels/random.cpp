// Philox words to distributions, 16 blocks at a time: Note [Random layout] in backends/api/kernels/random.h.
#include "backends/api/functors/random.h"

#include "backends/api/kernels/random.h"

namespace rill::cpu::RILL_ARCH {
namespace {

#define RILL_INLINE [[gnu::always_inline]] inline

constexpr int kLanes = 16;
struct alignas(64) Words {
  std::uint32_t w[4][kLanes];
};

/// The words of blocks 16 * group + 0..15.
RILL_INLINE void fill_words(const Draw& draw, std::int64_t group, Words& out) {
  const std::uint64_t first = static_cast<std::uint64_t>(group) * kLanes;
  const std::uint32_t low = static_cast<std::uint32_t>(first), high = static_cast<std::uint32_t>(first >> 32);  // 16 blocks never carry
  const std::uint32_t call0 = static_cast<std::uint32_t>(draw.call), call1 = static_cast<std::uint32_t>(draw.call >> 32);
  const std::uint32_t key0 = static_cast<std::uint32_t>(draw.seed), key1 = static_cast<std::uint32_t>(draw.seed >> 32);
  for (int j = 0; j < kLanes; ++j) {
    std::uint32_t c0 = low + static_cast<std::uint32_t>(j), c1 = high, c2 = call0, c3 = call1;
#pragma GCC unroll 10
    for (std::uint32_t r = 0; r < philox::kRounds; ++r) philox::round(c0, c1, c2, c3, key0 + r * philox::kAdd0, key1 + r * philox::kAdd1);
    out.w[0][j] = c0, out.w[1][j] = c1, out.w[2][j] = c2, out.w[3][j] = c3;
  }
}

template <class T> struct Compute { using type = float; };
template <> struct Compute<double> { using type = double; };
template <class T> inline constexpr int kDigits = 24;
template <> inline constexpr int kDigits<Half> = 11;
template <> inline constexpr int kDigits<BFloat16> = 8;

template <class T, RandomKind kind, class C = typename Compute<T>::type> RILL_INLINE void make_group(const Words& words, const C* in, const RandomArgs& p, C* y) {
  const auto& w = words.w;
  const C a = static_cast<C>(p.a), b = static_cast<C>(p.b), c = static_cast<C>(p.c);
  constexpr bool wide = sizeof(C) == 8;
  if constexpr (kind == RandomKind::uniform) {
    const C span = static_cast<C>(p.b - p.a);
    for (int k = 0; k < (wide ? 2 : 4); ++k)
      for (int j = 0; j < kLanes; ++j) {
        C u;
        if constexpr (wide) u = fn::uniform_of(w[2 * k][j], w[2 * k + 1][j]);
        else u = fn::uniform_of<kDigits<T>>(w[k][j]);
        const C v = a + span * u;
        y[k * kLanes + j] = v < c ? v : c;
      }
  } else if constexpr (kind == RandomKind::normal) {
    for (int k = 0; k < (wide ? 2 : 4); k += 2)
      for (int j = 0; j < kLanes; ++j) {
        C r, cosine, sine;
        if constexpr (wide) r = fn::radius_of(fn::positive_uniform_of(w[0][j], w[1][j])), fn::turn(w[2][j], w[3][j], cosine, sine);
        else r = fn::radius_of(fn::positive_uniform_of(w[k][j])), fn::turn(w[k + 1][j], cosine, sine);
        y[k * kLanes + j] = a + b * (r * cosine);
        y[(k + 1) * kLanes + j] = a + b * (r * sine);
      }
  } else if constexpr (kind == RandomKind::exponential) {
    for (int k = 0; k < (wide ? 2 : 4); ++k)
      for (int j = 0; j < kLanes; ++j) {
        C u;
        if constexpr (wide) u = fn::positive_uniform_of(w[2 * k][j], w[2 * k + 1][j]);
        else u = fn::positive_uniform_of(w[k][j]);
        const C v = -fn::log_of(u) * a;
        y[k * kLanes + j] = v > C{0} ? v : C{0};
      }
  } else {
    // 32-bit draws for every dtype; float64 takes the high words. word < limit is compared signed: one instruction everywhere.
    const double limit = p.a * 4294967296.0;
    std::uint64_t hits = static_cast<std::uint64_t>(limit);  // words 0..hits-1 lie below
    if (static_cast<double>(hits) < limit) ++hits;
    const std::int32_t last = static_cast<std::int32_t>(static_cast<std::uint32_t>(hits - 1) ^ 0x80000000u);
    const std::uint32_t possible = hits ? ~0u : 0u;
    using Bits = std::conditional_t<wide, std::uint64_t, std::uint32_t>;
    for (int k = 0; k < (wide ? 2 : 4); ++k)
      for (int j = 0; j < kLanes; ++j) {
        const int i = k * kLanes + j;
        const std::int32_t word = static_cast<std::int32_t>(w[wide ? 2 * k + 1 : k][j] ^ 0x80000000u);
        if constexpr (kind == RandomKind::bernoulli_of) {
          y[i] = static_cast<double>(word) + 2147483648.0 < static_cast<double>(in[i]) * 4294967296.0 ? C{1} : C{0};
        } else {  // a mask of bits: g++ 12 merges a conditional load with the wrong lanes
          const std::uint32_t mask = (word <= last ? ~0u : 0u) & possible;
          const C value = kind == RandomKind::dropout ? in[i] * b : C{1};
          y[i] = __builtin_bit_cast(C, static_cast<Bits>(__builtin_bit_cast(Bits, value) & static_cast<Bits>(static_cast<std::int64_t>(static_cast<std::int32_t>(mask)))));
        }
      }
  }
}

template <class T, RandomKind kind> void piece(const RandomArgs& p) {
  using C = typename Compute<T>::type;
  constexpr int size = sizeof(C) == 8 ? 32 : 64;
  constexpr bool reads = kind == RandomKind::bernoulli_of || kind == RandomKind::dropout;
  T* out = static_cast<T*>(p.out);
  [[maybe_unused]] const T* in = static_cast<const T*>(p.in);
  alignas(64) C x[size] = {}, y[size];
  Words words;
  std::int64_t group = p.group;
  for (std::int64_t at = 0; at < p.n; at += size, ++group) {
    const int n = static_cast<int>(p.n - at < size ? p.n - at : size);
    fill_words(p.draw, group, words);
    if constexpr (reads) {
      if (n == size) for (int i = 0; i < size; ++i) x[i] = static_cast<C>(in[at + i]);
      else for (int i = 0; i < n; ++i) x[i] = static_cast<C>(in[at + i]);
    }
    make_group<T, kind>(words, x, p, y);
    if (n == size) for (int i = 0; i < size; ++i) out[at + i] = static_cast<T>(y[i]);
    else for (int i = 0; i < n; ++i) out[at + i] = static_cast<T>(y[i]);
  }
}

template <RandomKind kind> void fill_kind(RandomKernels& k) {
  auto& slots = k.random_piece[static_cast<std::size_t>(kind)];
  slots[static_cast<int>(Dtype::float32)] = &piece<float, kind>;
  slots[static_cast<int>(Dtype::float64)] = &piece<double, kind>;
  slots[static_cast<int>(Dtype::float16)] = &piece<Half, kind>;
  slots[static_cast<int>(Dtype::bfloat16)] = &piece<BFloat16, kind>;
}

}  // namespace

void fill_random(RandomKernels& k) {
  fill_kind<RandomKind::uniform>(k), fill_kind<RandomKind::normal>(k), fill_kind<RandomKind::exponential>(k);
  fill_kind<RandomKind::bernoulli>(k), fill_kind<RandomKind::bernoulli_of>(k), fill_kind<RandomKind::dropout>(k);
}

}  // namespace rill::cpu::RILL_ARCH
