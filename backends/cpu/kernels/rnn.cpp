// Units of recurrent layers for one instruction set.
#include "backends/api/kernels/rnn.h"

#include "backends/api/functors/recurrent.h"
#include "backends/cpu/kernels/fill.h"
#include "backends/cpu/kernels/packs.h"

namespace rill::cpu::RILL_ARCH {
namespace {

using Int = std::int64_t;

/// Element [row, first] of a matrix with `width` columns.
template <class T> T* at(void* p, Int row, Int width, Int first) { return static_cast<T*>(p) + row * width + first; }
template <class T> const T* at(const void* p, Int row, Int width, Int first) { return static_cast<const T*>(p) + row * width + first; }

/// The four blocks of gates in a row, in the order i, f, g, o.
template <class T> struct GateRows {
  T *i, *f, *g, *o;
  GateRows(const LstmStep& s, void* gates, Int row, Int first) {
    T* const start = at<T>(gates, row, 4 * s.units, first);
    i = start + s.block[0] * s.units, f = start + s.block[1] * s.units, g = start + s.block[2] * s.units, o = start + s.block[3] * s.units;
  }
  [[gnu::always_inline]] fn::LstmUnit<Pack<T>> load(Int k, Int n) const { return {get(i + k, n), get(f + k, n), get(g + k, n), get(o + k, n)}; }
  [[gnu::always_inline]] void store(const fn::LstmUnit<Pack<T>>& u, Int k, Int n) const { put(u.i, i + k, n), put(u.f, f + k, n), put(u.g, g + k, n), put(u.o, o + k, n); }
};
template <class T, bool kPeepholes> [[gnu::always_inline]] inline fn::LstmPeepholes<Pack<T>> peepholes(const LstmStep& s, Int k, Int n) {
  if constexpr (!kPeepholes) return {};
  else return {get(static_cast<const T*>(s.peepholes[0]) + k, n), get(static_cast<const T*>(s.peepholes[1]) + k, n), get(static_cast<const T*>(s.peepholes[2]) + k, n)};
}

template <class T, bool kPeepholes> void lstm_line(const LstmStep& s, Int row, Int first, Int count) {
  const GateRows<T> gates(s, s.gates, row, first);
  T *c = at<T>(s.c, row, s.units, first), *h = at<T>(s.h, row, s.units, first);
  const Pack<T> clip(s.clip);
  packs<T>(count, [&](Int k, Int n) __attribute__((always_inline)) {
    auto u = gates.load(k, n);
    Pack<T> memory = get(c + k, n), state;
    fn::lstm_value<kPeepholes>(u, peepholes<T, kPeepholes>(s, first + k, n), clip, memory, state);
    gates.store(u, k, n), put(memory, c + k, n), put(state, h + k, n);
  });
}

template <class T, bool kPeepholes> void lstm_gradient_line(const LstmStep& s, Int row, Int first, Int count) {
  const GateRows<T> gates(s, s.gates, row, first), out(s, s.gz, row, first);
  const T *c = at<T>(s.c, row, s.units, first), *gh = at<T>(s.gh, row, s.units, first);
  T* gc = at<T>(s.gc, row, s.units, first);
  const Pack<T> clip(s.clip);
  packs<T>(count, [&](Int k, Int n) __attribute__((always_inline)) {
    auto u = gates.load(k, n);
    Pack<T> memory = get(gc + k, n);
    fn::lstm_gradient<kPeepholes>(u, peepholes<T, kPeepholes>(s, first + k, n), clip, get(c + k, n), get(gh + k, n), memory);
    out.store(u, k, n), put(memory, gc + k, n);
  });
}

template <class T> void lstm(const LstmStep& s, Int row, Int first, Int count) {
  s.peepholes[0] ? lstm_line<T, true>(s, row, first, count) : lstm_line<T, false>(s, row, first, count);
}
template <class T> void lstm_gradient(const LstmStep& s, Int row, Int first, Int count) {
  s.peepholes[0] ? lstm_gradient_line<T, true>(s, row, first, count) : lstm_gradient_line<T, false>(s, row, first, count);
}

template <class T> [[gnu::always_inline]] inline fn::GruUnit<Pack<T>> load_gru(const T* p, Int units, Int n) { return {get(p, n), get(p + units, n), get(p + 2 * units, n)}; }
template <class T> [[gnu::always_inline]] inline void store_gru(const fn::GruUnit<Pack<T>>& u, T* p, Int units, Int n) { put(u.r, p, n), put(u.z, p + units, n), put(u.n, p + 2 * units, n); }

template <class T> void gru(const GruStep& s, Int row, Int first, Int count) {
  T *x = at<T>(s.x, row, 3 * s.units, first), *h = at<T>(s.h, row, s.units, first), *y_n = at<T>(s.y_n, row, s.units, first);
  const T* y = at<T>(s.y, row, 3 * s.units, first);
  packs<T>(count, [&](Int k, Int n) __attribute__((always_inline)) {
    auto u = load_gru(x + k, s.units, n);
    const auto product = load_gru(y + k, s.units, n);
    Pack<T> state = get(h + k, n);
    fn::gru_value(u, product, state);
    store_gru(u, x + k, s.units, n), put(product.n, y_n + k, n), put(state, h + k, n);
  });
}

template <class T> void gru_gradient(const GruStep& s, Int row, Int first, Int count) {
  const T *x = at<T>(s.x, row, 3 * s.units, first), *y_n = at<T>(s.y_n, row, s.units, first), *h = at<T>(s.h, row, s.units, first);
  T *g = at<T>(s.g, row, s.units, first), *gx = at<T>(s.gx, row, 3 * s.units, first), *gy = at<T>(s.gy, row, 3 * s.units, first);
  packs<T>(count, [&](Int k, Int n) __attribute__((always_inline)) {
    auto u = load_gru(x + k, s.units, n);
    Pack<T> product = get(y_n + k, n), state = get(g + k, n);
    fn::gru_gradient(u, get(h + k, n), product, state);
    store_gru(u, gx + k, s.units, n), put(state, g + k, n);
    u.n = product;
    store_gru(u, gy + k, s.units, n);
  });
}

template <class T> constexpr RnnKernels::RnnLines lines() { return {&lstm<T>, &lstm_gradient<T>, &gru<T>, &gru_gradient<T>}; }

}  // namespace

void fill_rnn(RnnKernels& k) {
  k.rnn_lines[0] = lines<float>();
  k.rnn_lines[1] = lines<double>();
}

}  // namespace rill::cpu::RILL_ARCH
