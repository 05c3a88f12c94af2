// Random numbers: threads over pieces, and the draws that are not elementwise.
#include "backends/cpu/random.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "backends/api/backend.h"
#include "backends/api/functors/random.h"
#include "lib/core/parallel.h"

namespace rill::cpu {
namespace {

constexpr std::int64_t kGrain = 16 << 10;  // a multiple of every group

void random(RandomKind kind, const Draw& draw, double a, double b, double c, const View* in, const View& out) {
  const RandomFn fn = cpu_kernels().random_piece[static_cast<std::size_t>(kind)][static_cast<int>(out.dtype)];
  check<DtypeError>(fn != nullptr, "random", "{} is not supported (expected a floating dtype)", out.dtype);
  const auto bytes = static_cast<std::int64_t>(size_of(out.dtype));
  const int group = random_group(out.dtype);
  parallel_for(out.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    fn({draw, begin / group, end - begin, in ? in->as<std::byte>() + begin * bytes : nullptr, out.as<std::byte>() + begin * bytes, a, b, c});
  });
}

void random_integers(const Draw& draw, std::int64_t low, std::uint64_t range, const View& out) {
  auto* y = out.as<std::int64_t>();
  parallel_for(out.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end;) {  // two numbers per block
      const PhiloxBlock block = philox_block(draw.seed, static_cast<std::uint64_t>(i / 2), draw.call);
      for (int k = static_cast<int>(i % 2); k < 2 && i < end; ++k, ++i) {
        const std::uint64_t r = std::uint64_t{block.w[2 * k + 1]} << 32 | block.w[2 * k];
        y[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + (range ? scale_down(r, range) : r));
      }
    }
  });
}

void random_permutation(const Draw& draw, const View& out) {
  auto* y = out.as<std::int64_t>();
  const std::int64_t n = out.numel;
  std::iota(y, y + n, std::int64_t{0});
  for (std::int64_t i = 0; i + 1 < n;) {
    const PhiloxBlock block = philox_block(draw.seed, static_cast<std::uint64_t>(i / 2), draw.call);
    for (int k = 0; k < 2 && i + 1 < n; ++k, ++i) {
      const std::uint64_t r = std::uint64_t{block.w[2 * k + 1]} << 32 | block.w[2 * k];
      std::swap(y[i], y[i + static_cast<std::int64_t>(scale_down(r, static_cast<std::uint64_t>(n - i)))]);
    }
  }
}

double open_uniform(const Draw& draw, std::int64_t i) {  // in (0, 1]
  const std::uint64_t r = philox_random64(draw, static_cast<std::uint64_t>(i));
  return fn::positive_uniform_of(static_cast<std::uint32_t>(r), static_cast<std::uint32_t>(r >> 32));
}

void multinomial(const Draw& draw, const View& weights, bool replacement, const View& out) {
  const std::int64_t n = weights.sizes[weights.rank - 1], samples = out.sizes[out.rank - 1], rows = n ? weights.numel / n : 0;
  const auto* w = weights.as<double>();
  auto* y = out.as<std::int64_t>();
  parallel_for(rows, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, n)), [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> total;
    std::vector<std::pair<double, std::int64_t>> keys;
    for (std::int64_t row = begin; row < end; ++row) {
      const double* weight = w + row * n;
      if (replacement) {
        total.resize(static_cast<std::size_t>(n));
        std::partial_sum(weight, weight + n, total.begin());
        std::int64_t last = n - 1;  // rounding must not lead to an index of weight 0
        while (last > 0 && !(weight[last] > 0)) --last;
        for (std::int64_t s = 0; s < samples; ++s) {
          const double u = 1 - open_uniform(draw, row * samples + s);
          const auto at = std::upper_bound(total.begin(), total.end(), u * total.back()) - total.begin();
          y[row * samples + s] = std::min<std::int64_t>(at, last);
        }
      } else {
        keys.clear();
        for (std::int64_t i = 0; i < n; ++i)
          if (weight[i] > 0) keys.emplace_back(-fn::log_of(open_uniform(draw, row * n + i)) / weight[i], i);
        std::partial_sort(keys.begin(), keys.begin() + samples, keys.end());
        for (std::int64_t s = 0; s < samples; ++s) y[row * samples + s] = keys[static_cast<std::size_t>(s)].second;
      }
    }
  });
}

/// The numbers of one element: pairs of doubles in (0, 1].
class Attempts {
 public:
  Attempts(const Draw& draw, std::int64_t element) : draw_(draw), element_(static_cast<std::uint64_t>(element)) {}  // below 2^40
  double next() {
    if (at_ == 0) block_ = philox_block(draw_.seed, element_ | attempt_++ << 40, draw_.call);
    const double u = fn::positive_uniform_of(block_.w[2 * at_], block_.w[2 * at_ + 1]);
    at_ ^= 1;
    return u;
  }

 private:
  const Draw& draw_;
  std::uint64_t element_, attempt_ = 0;
  PhiloxBlock block_{};
  int at_ = 0;
};

double poisson_of(double rate, Attempts numbers) {
  if (rate == 0) return 0;
  if (rate < 10) {  // Knuth: count exponentials until they pass the rate
    const double limit = std::exp(-rate);
    double product = numbers.next(), k = 0;
    while (product > limit) product *= numbers.next(), ++k;
    return k;
  }
  // W. Hoermann, "The transformed rejection method for generating Poisson random variables" (1993), algorithm PTRS
  const double root = std::sqrt(rate), log_rate = std::log(rate), b = 0.931 + 2.53 * root, a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), quick = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double u = numbers.next() - 0.5, v = numbers.next(), us = 0.5 - std::fabs(u);
    const double k = std::floor((2 * a / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= quick) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (std::log(v) + std::log(inverse_alpha) - std::log(a / (us * us) + b) <= -rate + k * log_rate - fn::lgamma(k + 1)) return k;
  }
}

void poisson(const Draw& draw, const View& rates, const View& out) {
  const auto* x = rates.as<double>();
  auto* y = out.as<double>();
  parallel_for(out.numel, kGrain / 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) y[i] = poisson_of(x[i], Attempts(draw, i));
  });
}

}  // namespace

void add_random(RandomKernels& k) {
  k.random = &random;
  k.random_integers = &random_integers;
  k.random_permutation = &random_permutation;
  k.multinomial = &multinomial;
  k.poisson = &poisson;
}

}  // namespace rill::cpu
