// Normalisation for one instruction set. A float row x is centred as (x - m) with m the mean rounded to float, exact for x near m;
// what the rounding left over is added again, so that a large mean costs no digits. Eight packs are added as a tree in the element
// type and the result in double.
#include "backends/api/kernels/norm.h"

#include <cmath>

#include "backends/api/functors/moments.h"
#include "backends/cpu/kernels/fill.h"
#include "backends/cpu/kernels/floats.h"
#include "backends/cpu/kernels/wide.h"

namespace rill::cpu::RILL_ARCH {
namespace {

using Index = std::int64_t;

/// sum of f(i) over i < n; f(i, V) gives a V (a pack or a double) for the elements from i on.
template <class T, class F> [[gnu::always_inline]] inline double sum_of(Index n, F f) {
  constexpr Index w = Pack<T>::size;
  WideSum<T> sum;
  double rest = 0;
  Index i = 0;
  for (; i + 8 * w <= n; i += 8 * w) {
    auto at = [&](Index k) __attribute__((always_inline)) { return f.template operator()<Pack<T>>(i + k * w); };
    sum.add(((at(0) + at(1)) + (at(2) + at(3))) + ((at(4) + at(5)) + (at(6) + at(7))));
  }
  for (; i + w <= n; i += w) sum.add(f.template operator()<Pack<T>>(i));
  for (; i < n; ++i) rest += static_cast<double>(f.template operator()<T>(i));
  return sum.total() + rest;
}
/// f(i, V) for all elements, packs first.
template <class T, class F> [[gnu::always_inline]] inline void for_each(Index n, F f) {
  constexpr Index w = Pack<T>::size;
  Index i = 0;
  for (; i + w <= n; i += w) f.template operator()<Pack<T>>(i);
  for (; i < n; ++i) f.template operator()<T>(i);
}
/// V is a pack or an element of the type that S is computed in.
template <class V, class S> [[gnu::always_inline]] inline V load(const S* p) {
  if constexpr (std::is_same_v<V, Computed<S>>) return static_cast<V>(*p);
  else return load_pack(p);
}
template <class V, class S> [[gnu::always_inline]] inline void store(S* p, V v) {
  if constexpr (std::is_same_v<V, Computed<S>>) *p = static_cast<S>(v);
  else store_pack(p, v);
}
template <class V> [[gnu::always_inline]] inline V value(double c) { return static_cast<V>(c); }

/// The map x -> (x - mean) rstd, evaluated as (x - m) r + s.
template <class T> struct Standard {
  double m, r, s;
  Standard(double mean, double rstd) : m(static_cast<T>(mean)), r(rstd), s((m - mean) * rstd) {}
  template <class V> [[gnu::always_inline]] V operator()(V x) const { return (x - value<V>(m)) * value<V>(r) + value<V>(s); }
};

template <class S> double sum(const S* x, Index n) {
  return sum_of<Computed<S>>(n, [x]<class V>(Index i) __attribute__((always_inline)) { return load<V>(x + i); });
}
/// The sum of (x - mean)^2.
template <class T> double squares(const T* x, Index n, double mean) {
  const double m = static_cast<T>(mean);
  const double s = sum_of<T>(n, [=]<class V>(Index i) __attribute__((always_inline)) {
    const V d = load<V>(x + i) - value<V>(m);
    return d * d;
  });
  const double total = s - static_cast<double>(n) * (mean - m) * (mean - m);
  return total < 0 ? 0 : total;  // NaN stays
}
template <class V> [[gnu::always_inline]] inline V rectified(V y) {
  if constexpr (std::is_floating_point_v<V>) return y >= 0 || y != y ? y : V{0};
  else return max(y, V(0.0));
}
/// g where y is positive.
template <class V> [[gnu::always_inline]] inline V gated(V g, V y) {
  if constexpr (std::is_floating_point_v<V>) return y > 0 ? g : V{0};
  else return where(y > V(0.0), g, V(0.0));
}

/// y = (x - mean) scale + shift, then max(0, y) with `relu`.
template <class T> struct AffineRun {
  double m, k, c;
  bool relu;
  AffineRun(double mean, double scale, double shift, bool relu) : m(static_cast<T>(mean)), k(scale), c((m - mean) * scale + shift), relu(relu) {}
  template <class V> [[gnu::always_inline]] V operator()(V x) const { return (x - value<V>(m)) * value<V>(k) + value<V>(c); }

  template <class S> void forward(const S* x, Index n, S* y) const {
    const AffineRun f = *this;
    if (relu) for_each<T>(n, [=]<class V>(Index i) __attribute__((always_inline)) { store(y + i, rectified(f(load<V>(x + i)))); });
    else for_each<T>(n, [=]<class V>(Index i) __attribute__((always_inline)) { store(y + i, f(load<V>(x + i))); });
  }
};

// ---- rows -----------------------------------------------------------------------------------------------------------------------

template <class T> void rows(const RowNorm& spec, const NormArgs& a, Index begin, Index end) {
  const Index n = spec.channels * spec.run;
  const double count = static_cast<double>(n);
  for (Index r = begin; r < end; ++r) {
    const T* x = static_cast<const T*>(a.x) + r * n;
    T* y = static_cast<T*>(a.y) + r * n;
    const double mean = spec.centered ? sum(x, n) / count : 0;
    const double rstd = 1 / std::sqrt(squares(x, n, mean) / count + spec.eps);
    a.mean[r] = mean, a.rstd[r] = rstd;
    const Index first = (r % spec.groups) * spec.channels;
    const T* w = a.weight ? static_cast<const T*>(a.weight) + first : nullptr;
    const T* b = a.bias ? static_cast<const T*>(a.bias) + first : nullptr;
    if (spec.run != 1) {
      for (Index c = 0; c < spec.channels; ++c)
        AffineRun<T>(mean, w ? rstd * static_cast<double>(w[c]) : rstd, b ? static_cast<double>(b[c]) : 0, false).forward(x + c * spec.run, spec.run, y + c * spec.run);
      continue;
    }
    const Standard<T> f(mean, rstd);
    if (w && b) for_each<T>(n, [=]<class V>(Index i) __attribute__((always_inline)) { store(y + i, f(load<V>(x + i)) * load<V>(w + i) + load<V>(b + i)); });
    else if (w) for_each<T>(n, [=]<class V>(Index i) __attribute__((always_inline)) { store(y + i, f(load<V>(x + i)) * load<V>(w + i)); });
    else if (b) for_each<T>(n, [=]<class V>(Index i) __attribute__((always_inline)) { store(y + i, f(load<V>(x + i)) + load<V>(b + i)); });
    else for_each<T>(n, [=]<class V>(Index i) __attribute__((always_inline)) { store(y + i, f(load<V>(x + i))); });
  }
}

/// gx = rstd (h - mean(h) - z mean(h z)) with h = g weight and z the normalised row; without the mean(h) for RMS norm.
template <class T, bool kWeight> void row_gradient(const RowNorm& spec, const T* g, const T* x, const T* w, double mean, double rstd, T* gx) {
  const Index n = spec.channels;
  const Standard<T> f(mean, rstd);
  auto h = [=]<class V>(Index i) __attribute__((always_inline)) {
    if constexpr (kWeight) return load<V>(g + i) * load<V>(w + i);
    else return load<V>(g + i);
  };
  const double count = static_cast<double>(n);
  const double sum_h = spec.centered ? sum_of<T>(n, h) / count : 0;
  const double sum_hz = sum_of<T>(n, [=]<class V>(Index i) __attribute__((always_inline)) { return h.template operator()<V>(i) * f(load<V>(x + i)); }) / count;
  for_each<T>(n, [=]<class V>(Index i) __attribute__((always_inline)) {
    store(gx + i, (h.template operator()<V>(i) - value<V>(sum_h) - f(load<V>(x + i)) * value<V>(sum_hz)) * value<V>(rstd));
  });
}

/// gweight += g z and gbias += g over up to eight rows.
template <class T> void row_parameters(const T* g, const T* x, const double* mean, const double* rstd, Index count, Index n, double* gw, double* gb) {
  constexpr Index w = Pack<T>::size;
  const Standard<T> f[8] = {{mean[0], rstd[0]}, {mean[1], rstd[1]}, {mean[2], rstd[2]}, {mean[3], rstd[3]}, {mean[4], rstd[4]}, {mean[5], rstd[5]}, {mean[6], rstd[6]}, {mean[7], rstd[7]}};
  Index i = 0;
  if (count == 8) {
    for (; i + w <= n; i += w) {
      auto at = [&](Index k) __attribute__((always_inline)) { return Pack<T>::load(g + k * n + i); };
      auto z = [&](Index k) __attribute__((always_inline)) { return f[k](Pack<T>::load(x + k * n + i)); };
      const Pack<T> g0 = at(0), g1 = at(1), g2 = at(2), g3 = at(3), g4 = at(4), g5 = at(5), g6 = at(6), g7 = at(7);
      if (gb) {
        auto acc = WideSum<T>::load(gb + i);
        acc.add(((g0 + g1) + (g2 + g3)) + ((g4 + g5) + (g6 + g7)));
        acc.store(gb + i);
      }
      if (gw) {
        auto acc = WideSum<T>::load(gw + i);
        acc.add(((g0 * z(0) + g1 * z(1)) + (g2 * z(2) + g3 * z(3))) + ((g4 * z(4) + g5 * z(5)) + (g6 * z(6) + g7 * z(7))));
        acc.store(gw + i);
      }
    }
  }
  for (; i < n; ++i)
    for (Index k = 0; k < count; ++k) {
      const double e = static_cast<double>(g[k * n + i]);
      if (gb) gb[i] += e;
      if (gw) gw[i] += e * (static_cast<double>(x[k * n + i]) - mean[k]) * rstd[k];
    }
}

/// What arrives at a run: g, or with a rectifier behind the map g where the map of x is positive.
template <class S> struct Plain {
  const S* g;
  template <class V> [[gnu::always_inline]] V at(Index i) const { return load<V>(g + i); }
};
template <class S> struct Gated {
  const S *g, *x;
  AffineRun<Computed<S>> map;
  template <class V> [[gnu::always_inline]] V at(Index i) const { return gated(load<V>(g + i), map(load<V>(x + i))); }
};

/// Sums of h and of h (x - mean) over a run.
template <class S, class H> void run_sums(H h, const S* x, Index n, double mean, double& sum_g, double& sum_gd) {
  using T = Computed<S>;
  const double m = static_cast<T>(mean);
  sum_g = sum_of<T>(n, [=]<class V>(Index i) __attribute__((always_inline)) { return h.template at<V>(i); });
  sum_gd = sum_of<T>(n, [=]<class V>(Index i) __attribute__((always_inline)) { return h.template at<V>(i) * (load<V>(x + i) - value<V>(m)); }) + sum_g * (m - mean);
}
/// gx = a h + b (x - mean) + c
template <class S, class H> void run_gradient(H h, const S* x, Index n, double mean, double a, double b, double c, S* gx) {
  using T = Computed<S>;
  const double m = static_cast<T>(mean), d = b * (m - mean) + c;
  for_each<T>(n, [=]<class V>(Index i) __attribute__((always_inline)) { store(gx + i, h.template at<V>(i) * value<V>(a) + ((load<V>(x + i) - value<V>(m)) * value<V>(b) + value<V>(d))); });
}

template <class T> void rows_grad(const RowNorm& spec, const NormArgs& a, Index begin, Index end) {
  const Index n = spec.channels * spec.run;
  const T *gs = static_cast<const T*>(a.g), *xs = static_cast<const T*>(a.x), *ws = static_cast<const T*>(a.weight);
  T* gxs = static_cast<T*>(a.gx);
  if (spec.run == 1) {
    const Index step = spec.groups == 1 ? 8 : 1;  // rows of one group follow each other only then
    for (Index r = begin; r < end; r += step) {
      const Index count = r + step <= end ? step : end - r;
      const Index first = (r % spec.groups) * spec.channels;
      if (gxs)
        for (Index k = r; k < r + count; ++k) {
          if (ws) row_gradient<T, true>(spec, gs + k * n, xs + k * n, ws + first, a.mean[k], a.rstd[k], gxs + k * n);
          else row_gradient<T, false>(spec, gs + k * n, xs + k * n, nullptr, a.mean[k], a.rstd[k], gxs + k * n);
        }
      if (!a.gweight && !a.gbias) continue;
      double mean[8] = {}, rstd[8] = {};
      for (Index k = 0; k < count; ++k) mean[k] = a.mean[r + k], rstd[k] = a.rstd[r + k];
      row_parameters(gs + r * n, xs + r * n, mean, rstd, count, n, a.gweight ? a.gweight + first : nullptr, a.gbias ? a.gbias + first : nullptr);
    }
    return;
  }
  for (Index r = begin; r < end; ++r) {
    const T *g = gs + r * n, *x = xs + r * n;
    const Index first = (r % spec.groups) * spec.channels;
    const double mean = a.mean[r], rstd = a.rstd[r];
    double sum_h = 0, sum_hd = 0;
    for (Index c = 0; c < spec.channels; ++c) {
      double sum_g, sum_gd;
      run_sums(Plain<T>{g + c * spec.run}, x + c * spec.run, spec.run, mean, sum_g, sum_gd);
      if (a.gweight) a.gweight[first + c] += sum_gd * rstd;
      if (a.gbias) a.gbias[first + c] += sum_g;
      const double w = ws ? static_cast<double>(ws[first + c]) : 1;
      sum_h += w * sum_g, sum_hd += w * sum_gd;
    }
    if (!gxs) continue;
    const double count = static_cast<double>(n), b = -rstd * rstd * rstd * sum_hd / count, shift = spec.centered ? -rstd * sum_h / count : 0;
    for (Index c = 0; c < spec.channels; ++c)
      run_gradient(Plain<T>{g + c * spec.run}, x + c * spec.run, spec.run, mean, ws ? rstd * static_cast<double>(ws[first + c]) : rstd, b, shift, gxs + r * n + c * spec.run);
  }
}

// ---- channels, each a list of planes ----------------------------------------------------------------------------------------------

using fn::Moments;

constexpr Index kGroup = 16 << 10;  // elements that stay in the cache from the first look at them to the second

/// The sums of x - m and of (x - m)^2 added to `plain` and `square`.
template <class S> void add_deviations(const S* x, Index n, Computed<S> m, double& plain, double& square) {
  using P = Pack<Computed<S>>;
  const P centre(static_cast<double>(m));
  WideSum<Computed<S>> sums, squares;
  Index i = 0;
  for (; i + 8 * P::size <= n; i += 8 * P::size) {
    P d[8];
#pragma GCC unroll 8
    for (Index k = 0; k < 8; ++k) d[k] = load_pack(x + i + k * P::size) - centre;
    sums.add(((d[0] + d[1]) + (d[2] + d[3])) + ((d[4] + d[5]) + (d[6] + d[7])));
    squares.add(((d[0] * d[0] + d[1] * d[1]) + (d[2] * d[2] + d[3] * d[3])) + ((d[4] * d[4] + d[5] * d[5]) + (d[6] * d[6] + d[7] * d[7])));
  }
  for (; i + P::size <= n; i += P::size) {
    const P d = load_pack(x + i) - centre;
    sums.add(d), squares.add(d * d);
  }
  plain += sums.total(), square += squares.total();
  for (; i < n; ++i) {
    const double d = static_cast<double>(x[i]) - static_cast<double>(m);
    plain += d, square += d * d;
  }
}
/// Of planes of n elements that are `step` apart: several at a time, or one in pieces.
template <class S> Moments<double> plane_moments(const S* x, Index planes, Index step, Index n) {
  Moments<double> total{};
  double count = 0;
  const Index group = n < kGroup ? kGroup / n : 1;
  for (Index o = 0; o < planes; o += group)
    for (Index i = 0; i < n; i += kGroup) {
      const Index end = o + group < planes ? o + group : planes, part = n - i < kGroup ? n - i : kGroup;
      const double more = static_cast<double>((end - o) * part);
      double plain = 0, square = 0;
      for (Index k = o; k < end; ++k) plain += sum(x + k * step + i, part);
      const auto centre = static_cast<Computed<S>>(plain / more);
      plain = 0;
      for (Index k = o; k < end; ++k) add_deviations(x + k * step + i, part, centre, plain, square);
      const double shift = plain / more;
      fn::join(total, count, Moments<double>{static_cast<double>(centre) + shift, square - plain * shift}, more);
      count += more;
    }
  return total;
}

template <class S> void planes(const ChannelNorm& spec, const NormArgs& a, Index begin, Index end) {
  using T = Computed<S>;
  const S* xs = static_cast<const S*>(a.x);
  S* ys = static_cast<S*>(a.y);
  const Index n = spec.inner, step = spec.channels * n;
  for (Index c = begin; c < end; ++c) {
    const S* x = xs + c * n;
    if (spec.batch) {
      const Moments<double> m = plane_moments(x, spec.outer, step, n);
      a.mean[c] = m.mean, a.rstd[c] = 1 / std::sqrt((m.square < 0 ? 0 : m.square) / static_cast<double>(spec.outer * n) + spec.eps);
    }
    const double scale = a.weight ? a.rstd[c] * static_cast<double>(static_cast<const T*>(a.weight)[c]) : a.rstd[c];
    const double shift = a.bias ? static_cast<double>(static_cast<const T*>(a.bias)[c]) : 0;
    const AffineRun<T> map(a.mean[c], scale, shift, spec.relu);
    for (Index o = 0; o < spec.outer; ++o) map.forward(x + o * step, n, ys + c * n + o * step);
  }
}

template <class S> void planes_grad(const ChannelNorm& spec, const NormArgs& a, Index begin, Index end) {
  using T = Computed<S>;
  const S *gs = static_cast<const S*>(a.g), *xs = static_cast<const S*>(a.x);
  S* gxs = static_cast<S*>(a.gx);
  const Index n = spec.inner, step = spec.channels * n;
  const double count = static_cast<double>(spec.outer * n);
  for (Index c = begin; c < end; ++c) {
    const double mean = a.mean[c], rstd = a.rstd[c], scale = a.weight ? rstd * static_cast<double>(static_cast<const T*>(a.weight)[c]) : rstd;
    const AffineRun<T> map(mean, scale, a.bias ? static_cast<double>(static_cast<const T*>(a.bias)[c]) : 0, spec.relu);
    /// f(h, x, offset) for every plane of the channel.
    const auto for_planes = [&](auto f) {
      for (Index o = 0; o < spec.outer; ++o) {
        const Index at = c * n + o * step;
        const S* g = gs + o * a.g_step + c * n;
        if (spec.relu) f(Gated<S>{g, xs + at, map}, xs + at, at);
        else f(Plain<S>{g}, xs + at, at);
      }
    };
    double sum_g = 0, sum_gd = 0;
    if (spec.batch || a.gweight || a.gbias)
      for_planes([&](auto h, const S* x, Index) {
        double s, d;
        run_sums(h, x, n, mean, s, d);
        sum_g += s, sum_gd += d;
      });
    if (a.gweight) a.gweight[c] = sum_gd * rstd;
    if (a.gbias) a.gbias[c] = sum_g;
    if (!gxs) continue;
    const double b = spec.batch ? -scale * rstd * rstd * sum_gd / count : 0, shift = spec.batch ? -scale * sum_g / count : 0;
    for_planes([&](auto h, const S* x, Index at) { run_gradient(h, x, n, mean, scale, b, shift, gxs + at); });
  }
}

// ---- channels side by side: rows of [rows, width] -----------------------------------------------------------------------------------

/// The elements of a column joined to the moments of the n above them.
template <class S> void one_by_one(const S* x, Index n, Index more, Index step, double& mean, double& square) {
  Moments<double> total{mean, square};
  for (Index k = 0; k < more; ++k) fn::join(total, static_cast<double>(n + k), Moments<double>{static_cast<double>(x[k * step]), 0}, 1);
  mean = total.mean, square = total.square;
}
/// Eight rows at a time are in registers when they are looked at twice: their sums, and what they deviate from their mean.
template <class S> void column_moments(const void* x, Index rows, Index width, double* mean, double* square) {
  using T = Computed<S>;
  using P = Pack<T>;
  using D = Pack<double>;
  constexpr Index w = P::size;
  for (Index c = 0; c < width; ++c) mean[c] = square[c] = 0;
  Index r = 0;
  for (; r + 8 <= rows; r += 8) {
    const S* from = static_cast<const S*>(x) + r * width;
    Index c = 0;
    for (; c + w <= width; c += w) {
      P v[8];
#pragma GCC unroll 8
      for (Index k = 0; k < 8; ++k) v[k] = load_pack(from + k * width + c);
      const P about = (((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]))) * P(0.125);
#pragma GCC unroll 8
      for (Index k = 0; k < 8; ++k) v[k] = v[k] - about;
      WideSum<T> centre, moved, squares;
      centre.add(about);
      moved.add(((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7])));
      squares.add(((v[0] * v[0] + v[1] * v[1]) + (v[2] * v[2] + v[3] * v[3])) + ((v[4] * v[4] + v[5] * v[5]) + (v[6] * v[6] + v[7] * v[7])));
      const auto join = [&](Index at, D centre, D moved, D squares) __attribute__((always_inline)) {
        const D shift = moved * D(0.125);
        Moments<D> total{D::load(mean + at), D::load(square + at)};
        fn::join(total, static_cast<double>(r), Moments<D>{centre + shift, squares - moved * shift}, 8);
        total.mean.store(mean + at), total.square.store(square + at);
      };
      if constexpr (std::is_same_v<T, double>) {
        join(c, centre.s, moved.s, squares.s);
      } else {
        join(c, centre.low, moved.low, squares.low);
        join(c + w / 2, centre.high, moved.high, squares.high);
      }
    }
    for (; c < width; ++c) one_by_one(from + c, r, 8, width, mean[c], square[c]);
  }
  for (Index c = 0; r < rows && c < width; ++c) one_by_one(static_cast<const S*>(x) + r * width + c, r, rows - r, width, mean[c], square[c]);
}

constexpr Index kBlock = 256;  // columns whose parameters are held in the element type at a time

/// f(first, width) for blocks of columns.
template <class F> [[gnu::always_inline]] inline void for_blocks(Index width, F f) {
  for (Index c = 0; c < width; c += kBlock) f(c, width - c < kBlock ? width - c : kBlock);
}
template <class T> void narrow(const double* from, Index n, T* to) {
  for (Index i = 0; i < n; ++i) to[i] = static_cast<T>(from[i]);
}

/// Asks for rows that lie apart, which the processor does not see coming: from row r, of those of the near future.
template <class S> [[gnu::always_inline]] inline void fetch_ahead(const S* g, Index g_step, Index r, Index count, Index rows, Index n) {
  constexpr Index kAhead = 24, line = 64 / static_cast<Index>(sizeof(S));
  const Index end = r + kAhead + count < rows ? r + kAhead + count : rows;
  for (Index k = r + kAhead; k < end; ++k)
    for (Index i = 0; i < n; i += line) __builtin_prefetch(g + k * g_step + i);
}

/// The maps of a block of columns, in the element type.
template <class T> struct Columns {
  alignas(64) T m[kBlock], k[kBlock], c[kBlock];
  Columns(const ColumnAffine& f, Index first, Index n) {
    narrow(f.mean + first, n, m), narrow(f.scale + first, n, k);
    for (Index i = 0; i < n; ++i) c[i] = static_cast<T>(f.shift[first + i] + (static_cast<double>(m[i]) - f.mean[first + i]) * f.scale[first + i]);
  }
  template <class V> [[gnu::always_inline]] V operator()(V x, Index i) const { return (x - load<V>(m + i)) * load<V>(k + i) + load<V>(c + i); }
};

template <class S> void columns_affine(const void* x, const ColumnAffine& affine, void* y, Index rows, Index width) {
  using T = Computed<S>;
  for_blocks(width, [&](Index first, Index n) {
    const Columns<T> map(affine, first, n);
    const auto* f = &map;
    for (Index r = 0; r < rows; ++r) {
      const S* from = static_cast<const S*>(x) + r * width + first;
      S* to = static_cast<S*>(y) + r * width + first;
      if (affine.relu) for_each<T>(n, [=]<class V>(Index i) __attribute__((always_inline)) { store(to + i, rectified((*f)(load<V>(from + i), i))); });
      else for_each<T>(n, [=]<class V>(Index i) __attribute__((always_inline)) { store(to + i, (*f)(load<V>(from + i), i)); });
    }
  });
}
template <class S, bool Relu> void column_grad_sums_as(const void* g, Index g_step, const void* x, const ColumnAffine& affine, Index rows, Index width, double* acc_g, double* acc_gx) {
  using T = Computed<S>;
  constexpr Index w = Pack<T>::size;
  for_blocks(width, [&](Index first, Index n) {
    const Columns<T> map(affine, first, n);
    alignas(64) double sums[kBlock];
    for (Index c = 0; c < n; ++c) sums[c] = 0;
    const S *pg = static_cast<const S*>(g) + first, *px = static_cast<const S*>(x) + first;
    for (Index r = 0; r < rows; r += 8) {  // both sums in one pass over memory
      if (g_step != width) fetch_ahead(pg, g_step, r, 8, rows, n);
      Index c = 0;
      if (r + 8 <= rows)
        for (; c + w <= n; c += w) {
          const Pack<T> centre = Pack<T>::load(map.m + c);
          Pack<T> h[8], d[8];
#pragma GCC unroll 8
          for (Index k = 0; k < 8; ++k) {
            const Pack<T> value = load_pack(px + (r + k) * width + c);
            h[k] = load_pack(pg + (r + k) * g_step + c), d[k] = value - centre;
            if constexpr (Relu) h[k] = gated(h[k], map(value, c));
          }
          auto plain = WideSum<T>::load(sums + c), moment = WideSum<T>::load(acc_gx + first + c);
          plain.add(((h[0] + h[1]) + (h[2] + h[3])) + ((h[4] + h[5]) + (h[6] + h[7])));
          moment.add(((h[0] * d[0] + h[1] * d[1]) + (h[2] * d[2] + h[3] * d[3])) + ((h[4] * d[4] + h[5] * d[5]) + (h[6] * d[6] + h[7] * d[7])));
          plain.store(sums + c), moment.store(acc_gx + first + c);
        }
      for (; c < n; ++c)
        for (Index k = r; k < rows && k < r + 8; ++k) {
          const T value = px[k * width + c], incoming = pg[k * g_step + c];
          const double e = static_cast<double>(Relu ? gated(incoming, map(value, c)) : incoming);
          sums[c] += e, acc_gx[first + c] += e * (static_cast<double>(value) - static_cast<double>(map.m[c]));
        }
    }
    for (Index c = 0; c < n; ++c) acc_g[first + c] += sums[c], acc_gx[first + c] += sums[c] * (static_cast<double>(map.m[c]) - affine.mean[first + c]);
  });
}
template <class S> void column_grad_sums(const void* g, Index g_step, const void* x, const ColumnAffine& affine, Index rows, Index width, double* acc_g, double* acc_gx) {
  (affine.relu ? column_grad_sums_as<S, true> : column_grad_sums_as<S, false>)(g, g_step, x, affine, rows, width, acc_g, acc_gx);
}
template <class S>
void columns_grad(const void* g, Index g_step, const void* x, const ColumnAffine& affine, const double* a, const double* b, const double* c, void* gx, Index rows, Index width) {
  using T = Computed<S>;
  for_blocks(width, [&](Index first, Index n) {
    const Columns<T> map(affine, first, n);
    alignas(64) T ka[kBlock], kb[kBlock], kc[kBlock];
    narrow(a + first, n, ka), narrow(b + first, n, kb);
    for (Index i = 0; i < n; ++i) kc[i] = static_cast<T>(c[first + i] + (static_cast<double>(map.m[i]) - affine.mean[first + i]) * b[first + i]);
    const T *pa = ka, *pb = kb, *pc = kc;
    const auto* f = &map;
    for (Index r = 0; r < rows; ++r) {
      if (g_step != width) fetch_ahead(static_cast<const S*>(g) + first, g_step, r, 1, rows, n);
      const S *from_g = static_cast<const S*>(g) + r * g_step + first, *from_x = static_cast<const S*>(x) + r * width + first;
      S* to = static_cast<S*>(gx) + r * width + first;
      auto write = [=]<class V>(V h, V x, Index i) __attribute__((always_inline)) { store(to + i, h * load<V>(pa + i) + ((x - load<V>(f->m + i)) * load<V>(pb + i) + load<V>(pc + i))); };
      if (affine.relu)
        for_each<T>(n, [=]<class V>(Index i) __attribute__((always_inline)) {
          const V x = load<V>(from_x + i);
          write(gated(load<V>(from_g + i), (*f)(x, i)), x, i);
        });
      else for_each<T>(n, [=]<class V>(Index i) __attribute__((always_inline)) { write(load<V>(from_g + i), load<V>(from_x + i), i); });
    }
  });
}

template <class S> void fill_type(NormKernels& k) {
  NormSteps& s = k.norm_steps[static_cast<int>(dtype_of<S>)];
  if constexpr (sizeof(S) > 2) s.rows = &rows<S>, s.rows_grad = &rows_grad<S>;
  s.planes = &planes<S>, s.planes_grad = &planes_grad<S>;
  s.column_moments = &column_moments<S>, s.columns_affine = &columns_affine<S>, s.column_grad_sums = &column_grad_sums<S>, s.columns_grad = &columns_grad<S>;
}

}  // namespace

void fill_norm(NormKernels& k) { fill_type<float>(k), fill_type<double>(k), fill_type<Half>(k), fill_type<BFloat16>(k); }

}  // namespace rill::cpu::RILL_ARCH
