// Lines of softmax and cross entropy. A single line runs along its elements, neighbouring lines run side by side in one register.
#include "backends/api/kernels/norm.h"

#include <cmath>
#include <limits>

#include "backends/cpu/kernels/fill.h"
#include "backends/cpu/kernels/packs.h"
#include "backends/cpu/kernels/wide.h"

namespace rill::cpu::RILL_ARCH {
namespace {

using Int = std::int64_t;
constexpr Int kWidth = 64;  // columns handled at once

template <class T> T largest(const T* x, Int n) {
  constexpr Int w = Pack<T>::size;
  T m = -std::numeric_limits<T>::infinity();
  Int i = 0;
  if (n >= w) {
    Pack<T> p = Pack<T>::load(x), q = p, r = p, s = p;  // four maxima at a time: one would wait for itself
    for (; i + 4 * w <= n; i += 4 * w) p = max(p, Pack<T>::load(x + i)), q = max(q, Pack<T>::load(x + i + w)), r = max(r, Pack<T>::load(x + i + 2 * w)), s = max(s, Pack<T>::load(x + i + 3 * w));
    for (; i + w <= n; i += w) p = max(p, Pack<T>::load(x + i));
    p = max(max(p, q), max(r, s));
    alignas(64) T lanes[w];
    p.store(lanes);
    for (T v : lanes) m = fn::max(m, v);
  }
  for (; i < n; ++i) m = fn::max(m, x[i]);
  return m;
}

/// Adds the first n lanes.
template <class T> [[gnu::always_inline]] inline void add(WideSum<T>& sum, double& rest, Pack<T> v, Int n) {
  if (n == Pack<T>::size) return sum.add(v);
  alignas(64) T lanes[Pack<T>::size];
  v.store(lanes);
  for (Int k = 0; k < n; ++k) rest += static_cast<double>(lanes[k]);
}

/// Sum of e^(x - m); the terms are kept in `terms` when it is given.
template <class T> double exp_sum(const T* x, T* terms, Int n, T m) {
  const Pack<T> shift{static_cast<double>(m)};
  WideSum<T> sum;
  double rest = 0;
  packs<T>(n, [&](Int i, Int c) {
    const Pack<T> e = exp(get(x + i, c) - shift);
    if (terms) put(e, terms + i, c);
    add(sum, rest, e, c);
  });
  return sum.total() + rest;
}

template <class T> void forward_line(const T* x, T* y, Int n, bool log) {
  const T m = largest(x, n);
  if (log) {
    const T shift = static_cast<T>(std::log(exp_sum<T>(x, nullptr, n, m)));
    // two subtractions: m + log(sum) would lose digits of a small log
    packs<T>(n, [&](Int i, Int c) { put((get(x + i, c) - Pack<T>(static_cast<double>(m))) - Pack<T>(static_cast<double>(shift)), y + i, c); });
    return;
  }
  const Pack<T> scale{1 / exp_sum(x, y, n, m)};
  packs<T>(n, [&](Int i, Int c) { put(get(y + i, c) * scale, y + i, c); });
}

template <class T> void backward_line(const T* g, const T* y, T* out, Int n, bool log) {
  WideSum<T> sum;
  double rest = 0;
  packs<T>(n, [&](Int i, Int c) { add(sum, rest, log ? get(g + i, c) : get(g + i, c) * get(y + i, c), c); });
  const Pack<T> total{sum.total() + rest};
  if (log) packs<T>(n, [&](Int i, Int c) { put(get(g + i, c) - exp(get(y + i, c)) * total, out + i, c); });
  else packs<T>(n, [&](Int i, Int c) { put(get(y + i, c) * (get(g + i, c) - total), out + i, c); });
}

template <class T> void forward_columns(const T* x, T* y, Int n, Int stride, Int width, bool log) {
  T m[kWidth], scale[kWidth];
  double sum[kWidth];
  for (Int c = 0; c < width; ++c) m[c] = x[c], sum[c] = 0;
  for (Int r = 1; r < n; ++r)
    packs<T>(width, [&](Int c, Int k) { put(max(get(m + c, k), get(x + r * stride + c, k)), m + c, k); });
  for (Int r = 0; r < n; ++r) {
    T e[kWidth];
    packs<T>(width, [&](Int c, Int k) {
      const Pack<T> v = exp(get(x + r * stride + c, k) - get(m + c, k));
      put(v, e + c, k);
      if (!log) put(v, y + r * stride + c, k);
    });
    for (Int c = 0; c < width; ++c) sum[c] += e[c];
  }
  for (Int c = 0; c < width; ++c) scale[c] = static_cast<T>(log ? std::log(sum[c]) : 1 / sum[c]);
  for (Int r = 0; r < n; ++r)
    packs<T>(width, [&](Int c, Int k) {
      const Int at = r * stride + c;
      put(log ? (get(x + at, k) - get(m + c, k)) - get(scale + c, k) : get(y + at, k) * get(scale + c, k), y + at, k);
    });
}

template <class T> void backward_columns(const T* g, const T* y, T* out, Int n, Int stride, Int width, bool log) {
  double sum[kWidth];
  T total[kWidth];
  for (Int c = 0; c < width; ++c) sum[c] = 0;
  for (Int r = 0; r < n; ++r)
    for (Int c = 0; c < width; ++c) sum[c] += log ? g[r * stride + c] : g[r * stride + c] * y[r * stride + c];
  for (Int c = 0; c < width; ++c) total[c] = static_cast<T>(sum[c]);
  for (Int r = 0; r < n; ++r)
    packs<T>(width, [&](Int c, Int k) {
      const Int at = r * stride + c;
      const Pack<T> gi = get(g + at, k), yi = get(y + at, k), t = get(total + c, k);
      put(log ? gi - exp(yi) * t : yi * (gi - t), out + at, k);
    });
}

template <class T> NormKernels::SoftmaxLines lines() {
  NormKernels::SoftmaxLines k;
  k.forward = [](const void* x, void* y, Int n, Int stride, Int width, bool log) {
    const T* from = static_cast<const T*>(x);
    T* to = static_cast<T*>(y);
    if (stride == 1) return forward_line(from, to, n, log);
    for (Int c = 0; c < width; c += kWidth) forward_columns(from + c, to + c, n, stride, width - c < kWidth ? width - c : kWidth, log);
  };
  k.backward = [](const void* g, const void* y, void* out, Int n, Int stride, Int width, bool log) {
    const T *gt = static_cast<const T*>(g), *yt = static_cast<const T*>(y);
    T* to = static_cast<T*>(out);
    if (stride == 1) return backward_line(gt, yt, to, n, log);
    for (Int c = 0; c < width; c += kWidth) backward_columns(gt + c, yt + c, to + c, n, stride, width - c < kWidth ? width - c : kWidth, log);
  };
  k.log_sum = [](const void* x, Int n) {
    const T* from = static_cast<const T*>(x);
    const T m = largest(from, n);
    if (std::isinf(m)) return static_cast<double>(m);  // all -inf, or a +inf
    return static_cast<double>(m) + std::log(exp_sum<T>(from, nullptr, n, m));
  };
  k.scaled_exp = [](const void* x, void* out, Int n, double lse, double scale) {
    const T* from = static_cast<const T*>(x);
    T* to = static_cast<T*>(out);
    const T high = static_cast<T>(lse), low = static_cast<T>(lse - static_cast<double>(high));
    packs<T>(n, [&](Int i, Int c) {
      put(exp((get(from + i, c) - Pack<T>(static_cast<double>(high))) - Pack<T>(static_cast<double>(low))) * Pack<T>(scale), to + i, c);
    });
  };
  return k;
}

}  // namespace

void fill_softmax(NormKernels& k) {
  k.softmax_lines[0] = lines<float>();
  k.softmax_lines[1] = lines<double>();
}

}  // namespace rill::cpu::RILL_ARCH
