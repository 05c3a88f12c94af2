// Connectionist temporal classification: forward and backward variables in log space, in double, samples shared out to threads.
// Graves, Fernandez, Gomez and Schmidhuber, "Connectionist temporal classification" (2006), section 4.1.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "backends/cpu/softmax.h"
#include "lib/core/parallel.h"

namespace rill::cpu {
namespace {

using Int = std::int64_t;
constexpr double kNever = -std::numeric_limits<double>::infinity();  // log 0

/// log(e^a + e^b + e^c); NaN passes through.
double log_sum(double a, double b, double c) {
  const double top = std::max(a, std::max(b, c));
  if (!(top > kNever)) return a + b + c;
  return top + std::log(std::exp(a - top) + std::exp(b - top) + std::exp(c - top));
}

/// One sample: the labels with a blank before, between and behind them, and its log-probabilities.
template <class T> struct Sample {
  const T* x;                  // step 0
  const Int* labels;
  Int steps, states, blank, step;  // step: elements from one time step to the next

  Sample(const View& v, const CtcTargets& t, Int n)
      : x(v.as<const T>() + n * v.sizes[2]), labels(t.labels + t.starts[n]), steps(t.input_lengths[n]), states(2 * t.target_lengths[n] + 1), blank(t.blank), step(v.sizes[1] * v.sizes[2]) {}
  Int label(Int state) const { return state % 2 ? labels[state / 2] : blank; }
  double score(Int time, Int state) const { return static_cast<double>(x[time * step + label(state)]); }
  /// May a path go from `state - 2` to `state`, leaving out the blank between two different labels?
  bool skips(Int state) const { return state % 2 && state >= 2 && labels[state / 2] != labels[state / 2 - 1]; }
};

template <class T> double forward(const Sample<T>& s, double* alpha, Int width) {
  if (s.steps == 0) return s.states == 1 ? 0 : -kNever;
  for (Int k = 0; k < s.states; ++k) alpha[k] = k < 2 ? s.score(0, k) : kNever;
  for (Int t = 1; t < s.steps; ++t) {
    const double* before = alpha + (t - 1) * width;
    for (Int k = 0; k < s.states; ++k)
      alpha[t * width + k] = s.score(t, k) + log_sum(before[k], k >= 1 ? before[k - 1] : kNever, s.skips(k) ? before[k - 2] : kNever);
  }
  const double* last = alpha + (s.steps - 1) * width;
  return -log_sum(last[s.states - 1], s.states > 1 ? last[s.states - 2] : kNever, kNever);
}

/// out[t][c] -= scale * P(path is at label c at time t | target): the derivative of the loss with respect to x[t][c].
template <class T> void backward(const Sample<T>& s, const double* alpha, Int width, double loss, double scale, Int classes, T* out) {
  std::vector<double> beta(static_cast<std::size_t>(s.states) + 2, kNever), shares(static_cast<std::size_t>(classes));  // two states behind the end
  for (Int k = std::max<Int>(0, s.states - 2); k < s.states; ++k) beta[static_cast<std::size_t>(k)] = 0;
  for (Int t = s.steps - 1; t >= 0; --t) {
    std::fill(shares.begin(), shares.end(), 0.0);
    for (Int k = 0; k < s.states; ++k) shares[static_cast<std::size_t>(s.label(k))] += std::exp(alpha[t * width + k] + beta[static_cast<std::size_t>(k)] + loss);
    for (Int c = 0; c < classes; ++c) out[t * s.step + c] = static_cast<T>(-scale * shares[static_cast<std::size_t>(c)]);
    for (Int k = 0; k < s.states; ++k) {  // what comes after k is still that of time t
      auto next = [&](Int to) { return to < s.states ? beta[static_cast<std::size_t>(to)] + s.score(t, to) : kNever; };
      beta[static_cast<std::size_t>(k)] = log_sum(next(k), next(k + 1), k + 2 < s.states && s.skips(k + 2) ? next(k + 2) : kNever);
    }
  }
}

/// Samples per task.
Int grain(const View& alpha) { return std::max<Int>(1, 2048 / std::max<Int>(1, alpha.sizes[1] * alpha.sizes[2])); }

template <class T> void ctc_as(const View& x, const CtcTargets& t, const View& losses, const View& alpha) {
  const Int width = alpha.sizes[2], rows = alpha.sizes[1] * width;
  parallel_for(x.sizes[1], grain(alpha), [&](Int begin, Int end) {
    for (Int n = begin; n < end; ++n) losses.as<double>()[n] = forward(Sample<T>(x, t, n), alpha.as<double>() + n * rows, width);
  });
}
void ctc(const View& x, const CtcTargets& t, const View& losses, const View& alpha) {
  x.dtype == Dtype::float64 ? ctc_as<double>(x, t, losses, alpha) : ctc_as<float>(x, t, losses, alpha);
}

template <class T> void ctc_gradient_as(const View& x, const CtcTargets& t, const View& losses, const View& alpha, const View& scale, bool skip_infinite, const View& out) {
  const Int width = alpha.sizes[2], rows = alpha.sizes[1] * width, classes = x.sizes[2];
  std::fill_n(out.as<T>(), out.numel, T{0});  // steps behind the end of a sample have no influence
  parallel_for(x.sizes[1], grain(alpha), [&](Int begin, Int end) {
    for (Int n = begin; n < end; ++n) {
      const double loss = losses.as<const double>()[n];
      if (std::isinf(loss) && skip_infinite) continue;
      backward(Sample<T>(x, t, n), alpha.as<const double>() + n * rows, width, loss, scale.as<const double>()[n], classes, out.as<T>() + n * classes);
    }
  });
}
void ctc_gradient(const View& x, const CtcTargets& t, const View& losses, const View& alpha, const View& scale, bool skip_infinite, const View& out) {
  if (x.dtype == Dtype::float64) ctc_gradient_as<double>(x, t, losses, alpha, scale, skip_infinite, out);
  else ctc_gradient_as<float>(x, t, losses, alpha, scale, skip_infinite, out);
}

}  // namespace

void add_ctc(NormKernels& k) {
  k.ctc = &ctc;
  k.ctc_gradient = &ctc_gradient;
}

}  // namespace rill::cpu
