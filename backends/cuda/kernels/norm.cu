// Normalisation: statistics and their sums in double, as fixed trees.
#include "backends/api/kernels/norm.h"

#include <algorithm>

#include "backends/api/functors/scalar.h"
#include "backends/cuda/kernels/elements.h"
#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/lines.h"
#include <rill/core/dtype.h>

namespace rill::RILL_GPU {
namespace {

using Int = std::int64_t;
struct Pair {
  double a, b;
};
RILL_DEVICE Pair add(Pair x, Pair y) { return {x.a + y.a, x.b + y.b}; }
struct PairShared {
  Pair sums[kLineThreads];
};

// ---- sums over a channel ------------------------------------------------------------------------------------------------------------

/// The elements of [outer, channels, inner] that belong to one channel, two terms of each summed; in pieces where there are many.
struct ChannelSums {
  Lines lines;
  Int outer, channels, inner, piece, pieces;
  Int groups() const { return blocks_for(channels, lines.lines); }
};
ChannelSums channel_sums(Int outer, Int channels, Int inner) {
  ChannelSums s{Lines::for_length(outer * inner, inner == 1 && channels >= 32), outer, channels, inner, 0, 0};
  const Int n = outer * inner, wanted = std::clamp<Int>(1024 / s.groups(), 1, 256);
  s.piece = std::max<Int>({blocks_for(n, wanted), 4096 / s.lines.lines, 1});
  s.pieces = std::max<Int>(1, blocks_for(n, s.piece));
  return s;
}
template <class Term, class Finish> struct SumsKernel {
  static constexpr int kThreads = kLineThreads;
  using Shared = PairShared;
  ChannelSums s;
  Term term;
  Finish finish;
  Pair* partial;  // [pieces, channels] when there are several
  RILL_DEVICE void operator()(Team& team, Shared& shared) const {
    const Int cut = team.block() % s.pieces, c = team.block() / s.pieces * s.lines.lines + s.lines.line(team.thread());
    Pair sum{};
    if (c < s.channels) {
      const Int n = s.outer * s.inner, end = (cut + 1) * s.piece < n ? (cut + 1) * s.piece : n;
      for (Int r = cut * s.piece + s.lines.place(team.thread()); r < end; r += s.lines.threads) {
        const Int o = r / s.inner;
        sum = add(sum, term((o * s.channels + c) * s.inner + (r - o * s.inner), o, c));
      }
    }
    sum = combine_line(team, s.lines, shared.sums, sum, [](Pair x, Pair y) { return add(x, y); });
    if (c >= s.channels || s.lines.place(team.thread()) != 0) return;
    if (s.pieces > 1) partial[cut * s.channels + c] = sum;
    else finish(c, sum);
  }
};
template <class Finish> struct SumsEnd {
  static constexpr int kThreads = kLineThreads;
  Int channels, pieces;
  const Pair* partial;
  Finish finish;
  RILL_DEVICE void operator()(Team& team) const {
    const Int c = team.block() * kThreads + team.thread();
    if (c >= channels) return;
    Pair sum = partial[c];
    for (Int p = 1; p < pieces; ++p) sum = add(sum, partial[p * channels + c]);
    finish(c, sum);
  }
};
template <class Term, class Finish> void sum_channels(const ChannelSums& s, const Term& term, const Finish& finish) {
  const Scratch partial(s.pieces > 1 ? s.pieces * s.channels * static_cast<Int>(sizeof(Pair)) : 0);
  launch(SumsKernel<Term, Finish>{s, term, finish, partial.as<Pair>()}, s.groups() * s.pieces);
  if (s.pieces > 1) launch(SumsEnd<Finish>{s.channels, s.pieces, partial.as<const Pair>(), finish}, blocks_for(s.channels, kLineThreads));
}

template <class T> struct ValueTerm {
  const T* x;
  RILL_DEVICE Pair operator()(Int i, Int, Int) const { return {static_cast<double>(x[i]), 0}; }
};
template <class T> struct SquareTerm {
  const T* x;
  const double* mean;
  RILL_DEVICE Pair operator()(Int i, Int, Int c) const {
    const double d = static_cast<double>(x[i]) - mean[c];
    return {d * d, 0};
  }
};
template <class S> struct ChannelMap {  // y = (x - mean) rstd weight + bias, then max(0, y) with `relu`
  using T = WideFloat<S>;
  const T *weight, *bias;
  const double *mean, *rstd;
  bool relu;
  RILL_DEVICE double scale(Int c) const { return weight ? rstd[c] * static_cast<double>(weight[c]) : rstd[c]; }
  RILL_DEVICE T operator()(S x, Int c) const {
    const T y = static_cast<T>((static_cast<double>(x) - mean[c]) * scale(c) + (bias ? static_cast<double>(bias[c]) : 0));
    return relu && y < T(0) ? T(0) : y;  // NaN passes through
  }
  RILL_DEVICE double incoming(S g, S x, Int c) const { return relu && !((*this)(x, c) > T(0)) ? 0 : static_cast<double>(g); }
};
template <class T> struct GradientTerm {  // h and h (x - mean) for what arrives behind the rectifier
  const T *g, *x;
  Int gap;  // of g, between outer indices
  ChannelMap<T> map;
  RILL_DEVICE Pair operator()(Int i, Int o, Int c) const {
    const double h = map.incoming(g[i + o * gap], x[i], c);
    return {h, h * (static_cast<double>(x[i]) - map.mean[c])};
  }
};
template <class T> struct RowGradientTerm {  // g and g z, where rows are the groups of `width` channels
  const T *g, *x;
  const double *mean, *rstd;
  Int groups, width;
  RILL_DEVICE Pair operator()(Int i, Int o, Int c) const {
    const Int row = o * groups + c / width;
    return {static_cast<double>(g[i]), static_cast<double>(g[i]) * ((static_cast<double>(x[i]) - mean[row]) * rstd[row])};
  }
};
struct WriteMean {
  double count;
  double* mean;
  RILL_DEVICE void operator()(Int c, Pair sum) const { mean[c] = sum.a / count; }
};
struct WriteRstd {
  double count, eps;
  double* rstd;
  RILL_DEVICE void operator()(Int c, Pair sum) const { rstd[c] = 1 / fn::sqrt(sum.a / count + eps); }
};
struct WriteGradients {
  double *gweight, *gbias;  // each may be null
  const double* rstd;       // null: b is the gradient of the weight as it is
  Pair* sums;               // null: not wanted
  RILL_DEVICE void operator()(Int c, Pair sum) const {
    if (gweight) gweight[c] = rstd ? sum.b * rstd[c] : sum.b;
    if (gbias) gbias[c] = sum.a;
    if (sums) sums[c] = sum;
  }
};

// ---- channels -----------------------------------------------------------------------------------------------------------------------

template <class T> struct ChannelKernel {
  static constexpr int kThreads = 256;
  Int n, channels, inner;
  const T* x;
  ChannelMap<T> map;
  T* y;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i < n) y[i] = static_cast<T>(map(x[i], i / inner % channels));
  }
};
template <class T> struct ChannelGradientKernel {
  static constexpr int kThreads = 256;
  Int n, channels, inner, gap;
  double count;
  bool batch;
  const T *g, *x;
  ChannelMap<T> map;
  const Pair* sums;
  T* gx;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i >= n) return;
    const Int c = i / inner % channels;
    const double r = map.rstd[c], scale = map.scale(c);
    double value = scale * map.incoming(g[i + i / (channels * inner) * gap], x[i], c);
    if (batch) value += -scale * r * r * sums[c].b / count * (static_cast<double>(x[i]) - map.mean[c]) - scale * sums[c].a / count;
    gx[i] = static_cast<T>(static_cast<WideFloat<T>>(value));
  }
};
template <class T> ChannelMap<T> map_of(const ChannelNorm& spec, const NormArgs& a) {
  using C = WideFloat<T>;
  return {static_cast<const C*>(a.weight), static_cast<const C*>(a.bias), a.mean, a.rstd, spec.relu};
}
template <class T> void channels_as(const ChannelNorm& spec, const NormArgs& a) {
  const Int n = spec.outer * spec.channels * spec.inner;
  const double count = static_cast<double>(spec.outer * spec.inner);
  const T* x = static_cast<const T*>(a.x);
  if (spec.batch) {
    const ChannelSums s = channel_sums(spec.outer, spec.channels, spec.inner);
    sum_channels(s, ValueTerm<T>{x}, WriteMean{count, a.mean});
    sum_channels(s, SquareTerm<T>{x, a.mean}, WriteRstd{count, spec.eps, a.rstd});
  }
  launch(ChannelKernel<T>{n, spec.channels, spec.inner, x, map_of<T>(spec, a), static_cast<T*>(a.y)}, blocks_for(n, 256));
}
template <class T> void channels_grad_as(const ChannelNorm& spec, const NormArgs& a) {
  const Int n = spec.outer * spec.channels * spec.inner, gap = a.g_step - spec.channels * spec.inner;
  const double count = static_cast<double>(spec.outer * spec.inner);
  const T *x = static_cast<const T*>(a.x), *g = static_cast<const T*>(a.g);
  const ChannelMap<T> map = map_of<T>(spec, a);
  const Scratch sums(spec.channels * static_cast<Int>(sizeof(Pair)));
  if (spec.batch || a.gweight || a.gbias)
    sum_channels(channel_sums(spec.outer, spec.channels, spec.inner), GradientTerm<T>{g, x, gap, map}, WriteGradients{a.gweight, a.gbias, a.rstd, sums.as<Pair>()});
  if (a.gx) launch(ChannelGradientKernel<T>{n, spec.channels, spec.inner, gap, count, spec.batch, g, x, map, sums.as<const Pair>(), static_cast<T*>(a.gx)}, blocks_for(n, 256));
}

// ---- rows ---------------------------------------------------------------------------------------------------------------------------

template <class T> struct RowKernel {
  static constexpr int kThreads = kLineThreads;
  using Shared = PairShared;
  Lines lines;
  RowNorm spec;
  const T *x, *weight, *bias;
  double *mean, *rstd;
  T* y;
  RILL_DEVICE void operator()(Team& team, Shared& shared) const {
    const Int row = team.block() * lines.lines + lines.line(team.thread()), n = spec.channels * spec.run, place = lines.place(team.thread());
    const bool present = row < spec.rows;
    const T* from = x + (present ? row * n : 0);
    const auto total = [&](Pair own) { return combine_line(team, lines, shared.sums, own, [](Pair a, Pair b) { return add(a, b); }).a; };
    double m = 0;
    if (spec.centered) {
      Pair sum{};
      for (Int i = place; present && i < n; i += lines.threads) sum.a += static_cast<double>(from[i]);
      m = total(sum) / static_cast<double>(n);
    }
    Pair squares{};
    for (Int i = place; present && i < n; i += lines.threads) {
      const double d = static_cast<double>(from[i]) - m;
      squares.a += d * d;
    }
    const double r = 1 / fn::sqrt(total(squares) / static_cast<double>(n) + spec.eps);
    if (!present) return;
    if (place == 0) mean[row] = m, rstd[row] = r;
    const Int first = row % spec.groups * spec.channels;
    for (Int i = place; i < n; i += lines.threads) {
      const Int c = first + (spec.run == 1 ? i : i / spec.run);
      double value = (static_cast<double>(from[i]) - m) * r;
      if (weight) value *= static_cast<double>(weight[c]);
      if (bias) value += static_cast<double>(bias[c]);
      y[row * n + i] = static_cast<T>(value);
    }
  }
};
template <class T> struct RowGradientKernel {  // gx = rstd (h - mean(h) - z mean(h z)), h = g weight; without mean(h) for RMS norm
  static constexpr int kThreads = kLineThreads;
  using Shared = PairShared;
  Lines lines;
  RowNorm spec;
  const T *g, *x, *weight;
  const double *mean, *rstd;
  T* gx;
  RILL_DEVICE double scaled(Int row, Int i, Int n) const {
    const Int c = row % spec.groups * spec.channels + (spec.run == 1 ? i : i / spec.run);
    return static_cast<double>(g[row * n + i]) * (weight ? static_cast<double>(weight[c]) : 1);
  }
  RILL_DEVICE void operator()(Team& team, Shared& shared) const {
    const Int row = team.block() * lines.lines + lines.line(team.thread()), n = spec.channels * spec.run, place = lines.place(team.thread());
    const bool present = row < spec.rows;
    const double m = present ? mean[row] : 0, r = present ? rstd[row] : 0;
    Pair sum{};
    for (Int i = place; present && i < n; i += lines.threads) {
      const double h = scaled(row, i, n);
      sum = add(sum, {h, h * ((static_cast<double>(x[row * n + i]) - m) * r)});
    }
    sum = combine_line(team, lines, shared.sums, sum, [](Pair a, Pair b) { return add(a, b); });
    const double count = static_cast<double>(n), mean_h = spec.centered ? sum.a / count : 0, mean_hz = sum.b / count;
    for (Int i = place; present && i < n; i += lines.threads)
      gx[row * n + i] = static_cast<T>(r * (scaled(row, i, n) - mean_h - (static_cast<double>(x[row * n + i]) - m) * r * mean_hz));
  }
};

template <class T> void rows_as(const RowNorm& spec, const NormArgs& a) {
  const Lines l = Lines::for_length(spec.channels * spec.run, false);
  launch(RowKernel<T>{l, spec, static_cast<const T*>(a.x), static_cast<const T*>(a.weight), static_cast<const T*>(a.bias), a.mean, a.rstd, static_cast<T*>(a.y)}, blocks_for(spec.rows, l.lines));
}
template <class T> void rows_grad_as(const RowNorm& spec, const NormArgs& a) {
  const T *x = static_cast<const T*>(a.x), *g = static_cast<const T*>(a.g);
  const Lines l = Lines::for_length(spec.channels * spec.run, false);
  if (a.gx) launch(RowGradientKernel<T>{l, spec, g, x, static_cast<const T*>(a.weight), a.mean, a.rstd, static_cast<T*>(a.gx)}, blocks_for(spec.rows, l.lines));
  if (a.gweight || a.gbias)  // row and group of an element follow from its place in [rows / groups, groups channels, run]
    sum_channels(channel_sums(spec.rows / spec.groups, spec.groups * spec.channels, spec.run), RowGradientTerm<T>{g, x, a.mean, a.rstd, spec.groups, spec.channels},
                 WriteGradients{a.gweight, a.gbias, nullptr, nullptr});
}

}  // namespace

void fill_norm(NormKernels& k) {
  k.norm_rows = [](Dtype d, const RowNorm& s, const NormArgs& a) { d == Dtype::float64 ? rows_as<double>(s, a) : rows_as<float>(s, a); };
  k.norm_rows_grad = [](Dtype d, const RowNorm& s, const NormArgs& a) { d == Dtype::float64 ? rows_grad_as<double>(s, a) : rows_grad_as<float>(s, a); };
  k.norm_channels = [](Dtype d, const ChannelNorm& s, const NormArgs& a) { with_floating(d, [&](auto t) { channels_as<decltype(t)>(s, a); }); };
  k.norm_channels_grad = [](Dtype d, const ChannelNorm& s, const NormArgs& a) { with_floating(d, [&](auto t) { channels_grad_as<decltype(t)>(s, a); }); };
}

}  // namespace rill::RILL_GPU
