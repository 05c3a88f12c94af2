// Steps of recurrent layers: a thread for each unit of each row.
#include "backends/api/kernels/rnn.h"

#include "backends/api/functors/recurrent.h"
#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/launch.h"
#include <rill/core/dtype.h>

namespace rill::RILL_GPU {
namespace {

using Int = std::int64_t;
constexpr int kStepThreads = 128;

/// The arrays of LstmStep as device code can read them.
struct LstmPlaces {
  Int block[4];
  const void* peepholes[3];
  explicit LstmPlaces(const LstmStep& s) {
    for (std::size_t k = 0; k < 4; ++k) block[k] = s.block[k] * s.units;
    for (std::size_t k = 0; k < 3; ++k) peepholes[k] = s.peepholes[k];
  }
};
template <class T, bool kPeepholes> struct LstmKernel {
  static constexpr int kThreads = kStepThreads;
  LstmPlaces places;
  Int rows, units;
  T clip;
  T *gates, *c, *h;
  const T* gh;
  T *gc, *gz;
  bool gradient;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i >= rows * units) return;
    const Int row = i / units, unit = i - row * units;
    const T* z = gates + row * 4 * units + unit;
    fn::LstmUnit<T> u{z[places.block[0]], z[places.block[1]], z[places.block[2]], z[places.block[3]]};
    fn::LstmPeepholes<T> p{};
    if constexpr (kPeepholes) p = {peephole(0, unit), peephole(1, unit), peephole(2, unit)};
    if (gradient) {
      fn::lstm_gradient<kPeepholes>(u, p, clip, c[i], gh[i], gc[i]);
    } else {
      fn::lstm_value<kPeepholes>(u, p, clip, c[i], h[i]);
    }
    T* to = (gradient ? gz : gates) + row * 4 * units + unit;
    to[places.block[0]] = u.i, to[places.block[1]] = u.f, to[places.block[2]] = u.g, to[places.block[3]] = u.o;
  }
  RILL_DEVICE T peephole(int k, Int unit) const { return static_cast<const T*>(places.peepholes[k])[unit]; }
};
template <class T, bool kPeepholes> void lstm_as(const LstmStep& s, bool gradient) {
  launch(LstmKernel<T, kPeepholes>{LstmPlaces(s), s.rows, s.units, static_cast<T>(s.clip), static_cast<T*>(s.gates), static_cast<T*>(s.c), static_cast<T*>(s.h), static_cast<const T*>(s.gh),
                                   static_cast<T*>(s.gc), static_cast<T*>(s.gz), gradient}, blocks_for(s.rows * s.units, kStepThreads));
}
template <bool kGradient> void lstm(Dtype d, const LstmStep& s) {
  if (d == Dtype::float64) return s.peepholes[0] ? lstm_as<double, true>(s, kGradient) : lstm_as<double, false>(s, kGradient);
  s.peepholes[0] ? lstm_as<float, true>(s, kGradient) : lstm_as<float, false>(s, kGradient);
}

template <class T> struct GruKernel {
  static constexpr int kThreads = kStepThreads;
  Int rows, units;
  T* x;
  const T* y;
  T *y_n, *h, *g, *gx, *gy;
  bool gradient;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i >= rows * units) return;
    const Int row = i / units, at = row * 3 * units + (i - row * units);
    fn::GruUnit<T> u = load(x + at);
    if (!gradient) {
      const fn::GruUnit<T> product = load(y + at);
      fn::gru_value(u, product, h[i]);
      y_n[i] = product.n;
      return store(u, x + at);
    }
    T product = y_n[i];
    fn::gru_gradient(u, h[i], product, g[i]);
    store(u, gx + at);
    u.n = product;
    store(u, gy + at);
  }
  RILL_DEVICE fn::GruUnit<T> load(const T* p) const { return {p[0], p[units], p[2 * units]}; }
  RILL_DEVICE void store(const fn::GruUnit<T>& u, T* p) const { p[0] = u.r, p[units] = u.z, p[2 * units] = u.n; }
};
template <class T> void gru_as(const GruStep& s, bool gradient) {
  launch(GruKernel<T>{s.rows, s.units, static_cast<T*>(s.x), static_cast<const T*>(s.y), static_cast<T*>(s.y_n), static_cast<T*>(s.h), static_cast<T*>(s.g), static_cast<T*>(s.gx),
                      static_cast<T*>(s.gy), gradient}, blocks_for(s.rows * s.units, kStepThreads));
}
template <bool kGradient> void gru(Dtype d, const GruStep& s) { d == Dtype::float64 ? gru_as<double>(s, kGradient) : gru_as<float>(s, kGradient); }

}  // namespace

void fill_rnn(RnnKernels& k) {
  k.lstm_step = &lstm<false>, k.lstm_step_gradient = &lstm<true>;
  k.gru_step = &gru<false>, k.gru_step_gradient = &gru<true>;
}

}  // namespace rill::RILL_GPU
