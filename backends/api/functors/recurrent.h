// One unit of a recurrent layer: value and gradient, written once. The products with the weights happen before and after.
#pragma once

#include "backends/api/functors/activation.h"

namespace rill::fn {

/// What belongs to the four gates of an LSTM unit: input, forget, candidate, output.
template <class V> struct LstmUnit {
  V i, f, g, o;
};
template <class V> struct LstmPeepholes {
  V i, f, o;
};

/// Long short-term memory (Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000; peepholes p: Gers et al. 2002):
///   i = s(i + p_i c), f = s(f + p_f c), g = tanh(g), c = f c + i g limited to [-clip, clip], o = s(o + p_o c), h = o tanh(c)
/// with s the sigmoid. `u` holds pre-activations, then activations; `c` the memory before, then after.
template <bool kPeepholes, class V> RILL_FN void lstm_value(LstmUnit<V>& u, const LstmPeepholes<V>& p, V clip, V& c, V& h) {
  if constexpr (kPeepholes) u.i = u.i + p.i * c, u.f = u.f + p.f * c;
  u.i = Sigmoid::value(u.i), u.f = Sigmoid::value(u.f), u.g = tanh(u.g);
  c = min(max(u.f * c + u.i * u.g, -clip), clip);
  if constexpr (kPeepholes) u.o = u.o + p.o * c;
  u.o = Sigmoid::value(u.o);
  h = u.o * tanh(c);
}

/// `u` holds activations, then the gradients of the pre-activations; `gc` the gradient of c after the step, then of c before.
template <bool kPeepholes, class V> RILL_FN void lstm_gradient(LstmUnit<V>& u, const LstmPeepholes<V>& p, V clip, V c_before, V gh, V& gc) {
  const V one = splat(gh, 1), sum = u.f * c_before + u.i * u.g, t = tanh(min(max(sum, -clip), clip));
  const V go = gh * t * (u.o * (one - u.o));
  V g = gc + gh * u.o * (one - t * t);
  if constexpr (kPeepholes) g = g + go * p.o;
  g = where(abs(sum) > clip, zero_like(g), g);
  const V gi = g * u.g * (u.i * (one - u.i)), gf = g * c_before * (u.f * (one - u.f)), gg = g * u.i * (one - u.g * u.g);
  gc = g * u.f;
  if constexpr (kPeepholes) gc = gc + gi * p.i + gf * p.f;
  u = {gi, gf, gg, go};
}

/// What belongs to the three gates of a GRU: reset, update, new.
template <class V> struct GruUnit {
  V r, z, n;
};

/// Gated recurrent unit (Cho et al. 2014), reset after the product: r = s(x_r + h_r), z = s(x_z + h_z), n = tanh(x_n + r h_n),
/// h = (1 - z) n + z h. `x` and `y` are the products of the input and of the state; `x` then holds activations.
template <class V> RILL_FN void gru_value(GruUnit<V>& x, const GruUnit<V>& y, V& h) {
  x.r = Sigmoid::value(x.r + y.r), x.z = Sigmoid::value(x.z + y.z);
  x.n = tanh(x.n + x.r * y.n);
  h = x.n + x.z * (h - x.n);
}

/// `u` holds activations, then the gradients of x; `h_n` the state's product for n, then its gradient (those of h_r and h_z are
/// those of x_r and x_z); `g` the gradient of the new h, then the part of it that reaches the old h directly.
template <class V> RILL_FN void gru_gradient(GruUnit<V>& u, V h_before, V& h_n, V& g) {
  const V one = splat(g, 1), gn = g * (one - u.z) * (one - u.n * u.n), gz = g * (h_before - u.n) * (u.z * (one - u.z));
  const V gr = gn * h_n * (u.r * (one - u.r));
  h_n = gn * u.r, g = g * u.z;
  u = {gr, gz, gn};
}

}  // namespace rill::fn
