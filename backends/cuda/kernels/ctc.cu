// Connectionist temporal classification in log space, in double: a block for each sample, a thread for each state, one time step after the
// other. Graves, Fernandez, Gomez and Schmidhuber, "Connectionist temporal classification" (2006), section 4.1.
#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <vector>

#include "backends/api/functors/scalar.h"
#include "backends/api/kernels/norm.h"
#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/lines.h"
#include <rill/core/dtype.h>

namespace rill::RILL_GPU {
namespace {

using Int = std::int64_t;

/// The targets of a batch, on the device.
struct DeviceTargets {
  const Int *labels, *starts, *target_lengths, *input_lengths;
  const Int* again;     // for each label of a sample: the next place in its target that has it, or -1
  const Int* repeated;  // 1: the label stands earlier in its target, too
  Int blank;
};
class Targets {
 public:
  Targets(const CtcTargets& t, Int samples) {
    Int count = 0;
    for (Int n = 0; n < samples; ++n) count = std::max(count, t.starts[n] + t.target_lengths[n]);
    std::vector<Int> all(t.labels, t.labels + count);
    for (const Int* lengths : {t.starts, t.target_lengths, t.input_lengths}) all.insert(all.end(), lengths, lengths + samples);
    std::vector<Int> again(static_cast<std::size_t>(count), -1), repeated(static_cast<std::size_t>(count));
    for (Int n = 0; n < samples; ++n) {
      std::map<Int, Int> last;
      for (Int k = 0; k < t.target_lengths[n]; ++k) {
        const auto [at, fresh] = last.try_emplace(t.labels[t.starts[n] + k], k);
        if (!fresh) again[static_cast<std::size_t>(t.starts[n] + at->second)] = k, repeated[static_cast<std::size_t>(t.starts[n] + k)] = 1, at->second = k;
      }
    }
    all.insert(all.end(), again.begin(), again.end());
    all.insert(all.end(), repeated.begin(), repeated.end());
    memory_.emplace(static_cast<Int>(all.size() * sizeof(Int)));
    copy_to_device(memory_->as<void>(), all.data(), static_cast<Int>(all.size() * sizeof(Int)));
    const Int* p = memory_->as<const Int>();
    view_ = {p, p + count, p + count + samples, p + count + 2 * samples, p + count + 3 * samples, p + 2 * count + 3 * samples, t.blank};
  }
  const DeviceTargets& view() const { return view_; }

 private:
  std::optional<Scratch> memory_;
  DeviceTargets view_{};
};

/// log(e^a + e^b + e^c); NaN passes through.
RILL_DEVICE double log_sum(double a, double b, double c) {
  const double ab = a < b ? b : a, top = ab < c ? c : ab;
  if (!(top > -std::numeric_limits<double>::infinity())) return a + b + c;
  return top + fn::log(fn::exp(a - top) + fn::exp(b - top) + fn::exp(c - top));
}

/// One sample: the labels with a blank before, between and behind them, and its log-probabilities.
template <class T> struct CtcSample {
  static constexpr double kNever = -std::numeric_limits<double>::infinity();  // log 0
  const T* x;  // step 0
  const Int *labels, *again, *repeated;
  Int steps, states, blank, step;

  RILL_DEVICE CtcSample(const T* all, const DeviceTargets& t, Int n, Int samples, Int classes)
      : x(all + n * classes), labels(t.labels + t.starts[n]), again(t.again + t.starts[n]), repeated(t.repeated + t.starts[n]), steps(t.input_lengths[n]), states(2 * t.target_lengths[n] + 1),
        blank(t.blank), step(samples * classes) {}
  RILL_DEVICE double score(Int time, Int state) const { return static_cast<double>(x[time * step + (state % 2 ? labels[state / 2] : blank)]); }
  /// May a path go from `state - 2` to `state`, leaving out the blank between two different labels?
  RILL_DEVICE bool skips(Int state) const { return state % 2 && state >= 2 && labels[state / 2] != labels[state / 2 - 1]; }
};

template <class T> struct CtcKernel {
  static constexpr int kThreads = kLineThreads;
  struct Shared {};
  DeviceTargets targets;
  const T* x;
  Int samples, classes, rows, width;  // of alpha for a sample
  double *losses, *alpha;
  RILL_DEVICE void operator()(Team& team, Shared&) const {
    const CtcSample<T> s(x, targets, team.block(), samples, classes);
    double* a = alpha + team.block() * rows * width;
    constexpr double never = CtcSample<T>::kNever;
    for (Int t = 0; t < s.steps; ++t) {
      const double* before = a + (t - 1) * width;
      for (Int k = team.thread(); k < s.states; k += kThreads) {
        if (t == 0) a[k] = k < 2 ? s.score(0, k) : never;
        else a[t * width + k] = s.score(t, k) + log_sum(before[k], k >= 1 ? before[k - 1] : never, s.skips(k) ? before[k - 2] : never);
      }
      team.sync();
    }
    if (team.thread() != 0) return;
    const double* last = a + (s.steps - 1) * width;
    if (s.steps == 0) losses[team.block()] = s.states == 1 ? 0 : -never;
    else losses[team.block()] = -log_sum(last[s.states - 1], s.states > 1 ? last[s.states - 2] : never, never);
  }
};

/// out[t][c] = -scale * P(path is at label c at time t | target).
template <class T> struct CtcGradientKernel {
  static constexpr int kThreads = kLineThreads;
  struct Shared {
    double sum[kThreads];
  };
  DeviceTargets targets;
  const T* x;
  Int samples, classes, rows, width;
  const double *losses, *alpha, *scale;
  double* scratch;  // for each sample: what is known of the steps behind, twice, and the shares of the states; `width` each
  bool skip_infinite;
  T* out;
  RILL_DEVICE void operator()(Team& team, Shared& shared) const {
    const Int n = team.block();
    const double loss = losses[n], factor = scale[n];
    if (skip_infinite && fn::abs(loss) == std::numeric_limits<double>::infinity()) return;
    const CtcSample<T> s(x, targets, n, samples, classes);
    constexpr double never = CtcSample<T>::kNever;
    double *beta = scratch + 3 * n * width, *next = beta + width, *share = next + width;
    for (Int k = team.thread(); k < s.states; k += kThreads) beta[k] = k >= s.states - 2 ? 0 : never;
    team.sync();
    for (Int t = s.steps - 1; t >= 0; --t) {
      const double* a = alpha + (n * rows + t) * width;
      T* to = out + t * s.step + n * classes;
      double blank = 0;
      for (Int c = team.thread(); c < classes; c += kThreads) to[c] = static_cast<T>(-factor * 0.0);
      for (Int k = team.thread(); k < s.states; k += kThreads) {
        share[k] = fn::exp(a[k] + beta[k] + loss);
        if (k % 2 == 0) blank += share[k];
        const auto after = [&](Int state) { return beta[state] + s.score(t, state); };
        next[k] = log_sum(after(k), k + 1 < s.states ? after(k + 1) : never, k + 2 < s.states && s.skips(k + 2) ? after(k + 2) : never);
      }
      blank = combine_line(team, Lines{1, kThreads}, shared.sum, blank, [](double p, double q) { return p + q; });
      if (team.thread() == 0) to[s.blank] = static_cast<T>(-factor * blank);
      for (Int k = team.thread(); k < s.states / 2; k += kThreads) {  // the labels of the target
        if (s.repeated[k]) continue;
        double sum = 0;
        for (Int j = k; j >= 0; j = s.again[j]) sum += share[2 * j + 1];
        to[s.labels[k]] = static_cast<T>(-factor * sum);
      }
      double* spare = beta;
      beta = next, next = spare;
      team.sync();
    }
  }
};

template <class F> void by_real_dtype(Dtype d, F f) {
  if (d == Dtype::float64) return f(double{});
  f(float{});
}
void ctc(const View& x, const CtcTargets& t, const View& losses, const View& alpha) {
  const Int samples = x.sizes[1];
  const Targets targets(t, samples);
  by_real_dtype(x.dtype, [&](auto v) {
    using T = decltype(v);
    launch(CtcKernel<T>{targets.view(), x.as<const T>(), samples, x.sizes[2], alpha.sizes[1], alpha.sizes[2], losses.as<double>(), alpha.as<double>()}, samples);
  });
}
void ctc_gradient(const View& x, const CtcTargets& t, const View& losses, const View& alpha, const View& scale, bool skip_infinite, const View& out) {
  const Int samples = x.sizes[1], width = alpha.sizes[2];
  if (out.numel == 0) return;
  clear(out.data, out.numel * static_cast<Int>(size_of(out.dtype)));  // steps behind the end of a sample have no influence
  const Targets targets(t, samples);
  const Scratch scratch(3 * samples * width * static_cast<Int>(sizeof(double)));
  by_real_dtype(x.dtype, [&](auto v) {
    using T = decltype(v);
    launch(CtcGradientKernel<T>{targets.view(), x.as<const T>(), samples, x.sizes[2], alpha.sizes[1], width, losses.as<const double>(), alpha.as<const double>(), scale.as<const double>(),
                                scratch.as<double>(), skip_infinite, out.as<T>()}, samples);
  });
}

}  // namespace

void fill_ctc(NormKernels& k) {
  k.ctc = &ctc;
  k.ctc_gradient = &ctc_gradient;
}

}  // namespace rill::RILL_GPU
