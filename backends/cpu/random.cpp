// Random numbers: threads over pieces, and the draws that are not elementwise.
#include "backends/cpu/random.h"

#include <algorithm>
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
          const double u = 1 - fn::open_uniform(draw, row * samples + s);
          const auto at = std::upper_bound(total.begin(), total.end(), u * total.back()) - total.begin();
          y[row * samples + s] = std::min<std::int64_t>(at, last);
        }
      } else {
        keys.clear();
        for (std::int64_t i = 0; i < n; ++i)
          if (weight[i] > 0) keys.emplace_back(-fn::log_of(fn::open_uniform(draw, row * n + i)) / weight[i], i);
        std::partial_sort(keys.begin(), keys.begin() + samples, keys.end());
        for (std::int64_t s = 0; s < samples; ++s) y[row * samples + s] = keys[static_cast<std::size_t>(s)].second;
      }
    }
  });
}

void poisson(const Draw& draw, const View& rates, const View& out) {
  const auto* x = rates.as<double>();
  auto* y = out.as<double>();
  parallel_for(out.numel, kGrain / 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) y[i] = fn::poisson_of(x[i], fn::Attempts(draw, i));
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
