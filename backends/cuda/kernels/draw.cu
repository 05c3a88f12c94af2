// Draws that are not elementwise: permutations, choices by weight, Poisson numbers. The bits of the CPU.
#include <limits>

#include "backends/api/functors/random.h"
#include "backends/api/kernels/random.h"
#include "backends/cuda/kernels/dense.h"
#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/lines.h"
#include "backends/cuda/kernels/order.h"

namespace rill::RILL_GPU {
namespace {

using Int = std::int64_t;
constexpr int kDrawThreads = 256;

// Note [Parallel shuffle]: the swaps of Fisher and Yates depend on each other only where they touch the same element. In each round every swap that
// is left reserves its two elements, the earliest one wins, and a swap that has both is done. All are done after about log n rounds (Shun, Gu,
// Blelloch, Fineman and Gibbons, "Sequential random permutation, list contraction and tree contraction are highly parallel", 2015).
constexpr Int kFree = std::numeric_limits<Int>::max();

struct StartShuffle {
  static constexpr int kThreads = kDrawThreads;
  Draw draw;
  Int n;
  Int *out, *partner, *holder;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i >= n) return;
    out[i] = i, holder[i] = kFree;
    partner[i] = i + 1 < n ? i + static_cast<Int>(scale_down(philox_random64(draw, static_cast<std::uint64_t>(i)), static_cast<std::uint64_t>(n - i))) : -1;
  }
};
struct ReserveSwaps {
  static constexpr int kThreads = kDrawThreads;
  Int n;
  const Int* partner;  // -1: done
  Int *holder, *first_left;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i == 0) *first_left = kFree;
    if (i >= n || partner[i] < 0) return;
    atomic_min(holder + i, i);
    atomic_min(holder + partner[i], i);
  }
};
struct CommitSwaps {
  static constexpr int kThreads = kDrawThreads;
  Int n;
  Int *out, *partner, *holder, *first_left;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i >= n || partner[i] < 0) return;
    const Int j = partner[i];
    if (holder[i] != i || holder[j] != i) return atomic_min(first_left, i);
    const Int x = out[i];
    out[i] = out[j], out[j] = x;
    holder[i] = holder[j] = kFree, partner[i] = -1;
  }
};
void random_permutation(const Draw& draw, const View& out) {
  const Int n = out.numel, bytes = n * static_cast<Int>(sizeof(Int)), blocks = blocks_for(n, kDrawThreads);
  if (n == 0) return;
  constexpr int kRounds = 8;  // between two looks at what is left
  const Scratch partner(bytes), holder(bytes), left(sizeof(Int));
  launch(StartShuffle{draw, n, out.as<Int>(), partner.as<Int>(), holder.as<Int>()}, blocks);
  for (Int first = 0; first != kFree;) {
    for (int r = 0; r < kRounds; ++r) {
      launch(ReserveSwaps{n, partner.as<const Int>(), holder.as<Int>(), left.as<Int>()}, blocks);
      launch(CommitSwaps{n, out.as<Int>(), partner.as<Int>(), holder.as<Int>(), left.as<Int>()}, blocks);
    }
    copy_to_host(&first, left.as<void>(), sizeof first);
  }
}

// ---- multinomial ------------------------------------------------------------------------------------------------------------------

/// Running sums of each row, in index order as on the CPU: the threads of a block bring the weights, one adds them up.
struct WeightSums {
  static constexpr int kThreads = kDrawThreads;
  struct Shared {
    double weight[kThreads];
  };
  Int n;
  const double* weights;
  double* total;
  Int* last;  // index of a positive weight
  RILL_DEVICE void operator()(Team& team, Shared& shared) const {
    const double* w = weights + team.block() * n;
    double* to = total + team.block() * n;
    double sum = 0;
    Int positive = 0;
    for (Int begin = 0; begin < n; begin += kThreads) {
      const Int i = begin + team.thread();
      if (i < n) shared.weight[team.thread()] = w[i];
      team.sync();
      if (team.thread() == 0)
        for (Int k = 0; k < kThreads && begin + k < n; ++k) {
          const double v = shared.weight[k];
          if (v > 0) positive = begin + k;
          shared.weight[k] = sum = begin + k == 0 ? v : sum + v;
        }
      team.sync();
      if (i < n) to[i] = shared.weight[team.thread()];
      team.sync();
    }
    if (team.thread() == 0) last[team.block()] = positive;
  }
};
struct PickByWeight {
  static constexpr int kThreads = kDrawThreads;
  Draw draw;
  Int count, samples, n;
  const double* total;
  const Int* last;
  Int* out;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i >= count) return;
    const Int row = i / samples;
    const double *sums = total + row * n, wanted = (1 - fn::open_uniform(draw, i)) * sums[n - 1];
    Int low = 0, high = n;  // the first sum above it
    while (low < high) {
      const Int middle = low + (high - low) / 2;
      if (wanted < sums[middle]) high = middle;
      else low = middle + 1;
    }
    out[i] = low < last[row] ? low : last[row];  // rounding must not lead to an index of weight 0
  }
};
struct RaceKernel {  // weight 0 comes last
  static constexpr int kThreads = kDrawThreads;
  Draw draw;
  Int count;
  const double* weights;
  double* key;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i < count) key[i] = weights[i] > 0 ? -fn::log_of(fn::open_uniform(draw, i)) / weights[i] : std::numeric_limits<double>::quiet_NaN();
  }
};
void multinomial(const Draw& draw, const View& weights, bool replacement, const View& out) {
  const Int n = weights.sizes[weights.rank - 1], samples = out.sizes[out.rank - 1], rows = n ? weights.numel / n : 0;
  if (out.numel == 0) return;
  if (replacement) {
    const Scratch total(weights.numel * static_cast<Int>(sizeof(double))), last(rows * static_cast<Int>(sizeof(Int)));
    launch(WeightSums{n, weights.as<const double>(), total.as<double>(), last.as<Int>()}, rows);
    return launch(PickByWeight{draw, out.numel, samples, n, total.as<const double>(), last.as<const Int>(), out.as<Int>()}, blocks_for(out.numel, kDrawThreads));
  }
  const Int of_keys[] = {rows, n}, of_choices[] = {rows, samples}, steps[] = {samples, 1};
  Dense keys, winners;
  const View key = keys.make(Dtype::float64, of_keys, 2), winner = winners.make(Dtype::float64, of_choices, 2);
  launch(RaceKernel{draw, weights.numel, weights.as<const double>(), key.as<double>()}, blocks_for(weights.numel, kDrawThreads));
  sort(key, 1, false, winner, View{out.data, Dtype::int64, 2, of_choices, steps, out.numel, true});
}

// ---- Poisson ----------------------------------------------------------------------------------------------------------------------

struct PoissonKernel {
  static constexpr int kThreads = kDrawThreads;
  Draw draw;
  Int n;
  const double* rates;
  double* out;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i < n) out[i] = fn::poisson_of(rates[i], fn::Attempts(draw, i));
  }
};
void poisson(const Draw& draw, const View& rates, const View& out) {
  launch(PoissonKernel{draw, out.numel, rates.as<const double>(), out.as<double>()}, blocks_for(out.numel, kDrawThreads));
}

}  // namespace

void fill_draw(RandomKernels& k) {
  k.random_permutation = &random_permutation;
  k.multinomial = &multinomial;
  k.poisson = &poisson;
}

}  // namespace rill::RILL_GPU
