// Random numbers. Element i of a call (row-major) is made from Philox words alone (lib/core/philox.h); no thread count, instruction
// set or device enters.
//
// Note [Random layout]: words are handed out in groups of 16 blocks, so that a vector unit fills whole registers and a GPU thread
// that computes one block writes coalesced. With 32-bit draws (every dtype but float64) a group makes 64 elements: element
// i = 64 g + 16 k + j comes from word k of block 16 g + j. With 64-bit draws (float64) it makes 32: element i = 32 g + 16 k + j
// comes from words 2k (low) and 2k + 1 (high) of block 16 g + j. A Box-Muller pair is the cosine (k even) and the sine (k odd) of
// words k, k + 1 (of both 64-bit draws in float64).
//
// Note [Random mathematics]: the formulas in functors/random.h use nothing but correctly rounded +, -, *, / and sqrt, without
// contraction to fused multiply-add, so that every processor finds the same bits.
#pragma once

#include <array>

#include "backends/api/view.h"
#include "lib/core/philox.h"

namespace rill {

enum class RandomKind : std::uint8_t {
  uniform,      ///< [a, b): a + (b - a) u, at most c
  normal,       ///< a + b z
  exponential,  ///< -log(u) * a, u in (0, 1]
  bernoulli,    ///< 1 where a 32-bit word lies below a * 2^32, else 0
  bernoulli_of, ///< the same with a probability for each element (in[i])
  dropout,      ///< in[i] * b where a 32-bit word lies below a * 2^32, else 0
};
inline constexpr int kRandomKinds = 6;
constexpr int random_group(Dtype d) { return d == Dtype::float64 ? 32 : 64; }

/// A piece of a call: elements from group `group` on; out and in point at the first of them.
struct RandomArgs {
  Draw draw;
  std::int64_t group, n;
  const void* in;
  void* out;
  double a, b, c;
};
using RandomFn = void (*)(const RandomArgs&);

struct RandomKernels {
  std::array<std::array<RandomFn, kDtypeCount>, kRandomKinds> random_piece{};  // by dtype of the output; floating dtypes

  /// Fills `out` (contiguous, floating); `in` has its dtype and layout, or null.
  void (*random)(RandomKind kind, const Draw& draw, double a, double b, double c, const View* in, const View& out) = nullptr;
  /// out[i] = low + floor(range * r_i / 2^64), r_i: 64-bit number i of the call (philox_random64). int64, contiguous.
  void (*random_integers)(const Draw& draw, std::int64_t low, std::uint64_t range, const View& out) = nullptr;
  /// Fisher-Yates: for i = 0..n-2 swap element i with element i + floor((n - i) r_i / 2^64). int64, contiguous.
  void (*random_permutation)(const Draw& draw, const View& out) = nullptr;
  /// weights [rows, n] (float64, checked), out [rows, samples] (int64), both contiguous. With replacement: sample s of a row is the
  /// first index whose cumulative weight exceeds u * total. Without: the smallest of -log(u_i) / weight_i, in order.
  void (*multinomial)(const Draw& draw, const View& weights, bool replacement, const View& out) = nullptr;
  /// out[i] ~ Poisson(rates[i]), both float64 and contiguous; element i draws from the blocks i + 2^40 attempt.
  void (*poisson)(const Draw& draw, const View& rates, const View& out) = nullptr;
};

}  // namespace rill
