// Activations: value and gradient, written once. Sources are named where the formula is not a textbook one.
#pragma once

#include "backends/api/functors/normal.h"

namespace rill::fn {

struct Relu {  // NaN passes through; the derivative at 0 is 0
  static constexpr const char* name = "relu";
  static constexpr Domain domain = Domain::numbers;
  template <class V> RILL_FN static V value(V x) { return max(x, zero_like(x)); }
  template <class V> RILL_FN static V grad(V g, V, V y) { return where(y > lit<V>(0), g, zero_like(g)); }
};
struct Relu6 {  // the derivative at 0 and at 6 is 0
  static constexpr const char* name = "relu6";
  static constexpr Domain domain = Domain::numbers;
  template <class V> RILL_FN static V value(V x) { return min(max(x, zero_like(x)), splat(x, 6)); }
  template <class V> RILL_FN static V grad(V g, V, V y) { return where(both(y > lit<V>(0), y < lit<V>(6)), g, zero_like(g)); }
};
struct Elu {  // Clevert et al. 2015
  static constexpr const char* name = "elu";
  static constexpr Domain domain = Domain::floating;
  double alpha = 1;
  template <class V> RILL_FN V value(V x) const { return where(x > lit<V>(0), x, expm1(min(x, zero_like(x))) * lit<V>(alpha)); }
  template <class V> RILL_FN V grad(V g, V x, V) const {
    return where(x > lit<V>(0), g, g * exp(min(x, zero_like(x))) * lit<V>(alpha));
  }
};
struct Selu {  // Klambauer et al. 2017
  static constexpr const char* name = "selu";
  static constexpr Domain domain = Domain::floating;
  static constexpr double kScale = 1.0507009873554804934193349852946, kAlpha = 1.6732632423543772848170429916717;
  template <class V> RILL_FN static V value(V x) {
    return where(x > lit<V>(0), x * lit<V>(kScale), expm1(min(x, zero_like(x))) * lit<V>(kScale * kAlpha));
  }
  template <class V> RILL_FN static V grad(V g, V x, V) {
    return where(x > lit<V>(0), g * lit<V>(kScale), g * exp(min(x, zero_like(x))) * lit<V>(kScale * kAlpha));
  }
};
struct Celu {  // Barron 2017: max(0, x) + min(0, alpha (e^(x/alpha) - 1))
  static constexpr const char* name = "celu";
  static constexpr Domain domain = Domain::floating;
  double alpha = 1;
  template <class V> RILL_FN V value(V x) const {
    return where(x > lit<V>(0), x, expm1(min(x, zero_like(x)) / lit<V>(alpha)) * lit<V>(alpha));
  }
  template <class V> RILL_FN V grad(V g, V x, V) const { return where(x > lit<V>(0), g, g * exp(min(x, zero_like(x)) / lit<V>(alpha))); }
};
struct LeakyRelu {  // the derivative at 0 is the slope
  static constexpr const char* name = "leaky_relu";
  static constexpr Domain domain = Domain::floating;
  double slope = 0.01;
  template <class V> RILL_FN V value(V x) const { return where(x > lit<V>(0), x, x * lit<V>(slope)); }
  template <class V> RILL_FN V grad(V g, V x, V) const { return where(x > lit<V>(0), g, g * lit<V>(slope)); }
};
struct Sigmoid {  // e^-|x| never overflows: no cancellation in either tail
  static constexpr const char* name = "sigmoid";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) {
    if constexpr (requires { sigmoid(x); }) {
      return sigmoid(x);  // a tensor, in a recorded gradient: the formula below has no slope at 0
    } else {
      const V e = exp(-abs(x));
      return where(x < lit<V>(0), e, splat(x, 1)) / (e + lit<V>(1));
    }
  }
  template <class V> RILL_FN static V grad(V g, V, V y) { return g * (y * (lit<V>(1) - y)); }
};
struct LogSigmoid {
  static constexpr const char* name = "logsigmoid";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return min(x, zero_like(x)) - log1p(exp(-abs(x))); }
  template <class V> RILL_FN static V grad(V g, V x, V) { return g * Sigmoid::value(-x); }
};
struct Softplus {  // log(1 + e^(beta x)) / beta; linear above threshold / beta
  static constexpr const char* name = "softplus";
  static constexpr Domain domain = Domain::floating;
  double beta = 1, threshold = 20;
  template <class V> RILL_FN V value(V x) const {
    const V t = x * lit<V>(beta);
    return where(t > lit<V>(threshold), x, (max(t, zero_like(t)) + log1p(exp(-abs(t)))) / lit<V>(beta));
  }
  template <class V> RILL_FN V grad(V g, V x, V) const {
    const V t = x * lit<V>(beta);
    return where(t > lit<V>(threshold), g, g * Sigmoid::value(t));
  }
};
struct Softsign {
  static constexpr const char* name = "softsign";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return x / (abs(x) + lit<V>(1)); }
  template <class V> RILL_FN static V grad(V g, V x, V) {
    const V d = abs(x) + lit<V>(1);
    return g / (d * d);
  }
};
struct Silu {
  static constexpr const char* name = "silu";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) {  // e^-|x| as a square, so that it does not underflow before it is multiplied by x
    const V h = exp(abs(x) * lit<V>(-0.5));
    return where(x < lit<V>(0), x * h * h, x) / (h * h + lit<V>(1));
  }
  template <class V> RILL_FN static V grad(V g, V x, V) {
    const V s = Sigmoid::value(x);
    return g * (s * (lit<V>(1) + x * (lit<V>(1) - s)));
  }
};
struct Gelu {  // x Phi(x), with all digits in the negative tail
  static constexpr const char* name = "gelu";
  static constexpr Domain domain = Domain::floating;
  static constexpr double kDensity = 0.39894228040143267794;
  template <class V> RILL_FN static V value(V x) {
    const auto t = normal_tail(x);
    return where(x < lit<V>(0), x * t.ratio * t.density, x * (lit<V>(1) - t.ratio * t.density));
  }
  template <class V> RILL_FN static V grad(V g, V x, V) {
    if constexpr (Numeric<V>) {
      const auto t = normal_tail(x);
      const V tail = t.ratio * t.density;
      return g * (where(x < lit<V>(0), tail, lit<V>(1) - tail) + x * t.density * lit<V>(kDensity));
    } else {
      return g * (erfc(x * lit<V>(-0.70710678118654752440)) * lit<V>(0.5) + x * exp(x * x * lit<V>(-0.5)) * lit<V>(kDensity));
    }
  }
};
struct GeluTanh {  // Hendrycks and Gimpel 2016: x sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3); sigmoid form of 0.5 (1 + tanh u)
  static constexpr const char* name = "gelu_tanh";
  static constexpr Domain domain = Domain::floating;
  static constexpr long double kTwiceRoot = 1.5957691216057307117597842397375L, kCube = 0.044715L;
  template <class V> RILL_FN static V gate(V x) { return Sigmoid::value(x * (x * x * lit<V>(static_cast<double>(kCube)) + lit<V>(1)) * lit<V>(static_cast<double>(kTwiceRoot))); }
  template <class V> RILL_FN static V value(V x) {
    const V a = min(abs(x), splat(x, 64));
    const auto cube = exact_product(a, a) * exact_literal<V>(kCube), sum = exact_sum(splat(x, 1), cube.high);
    const V h = exp_of_minus_half(exact_literal<V>(kTwiceRoot) * Exact<V>{a, zero_like(a)} * Exact<V>{sum.high, sum.low + cube.low});
    return where(x < lit<V>(0), x * h * h, x) / (h * h + lit<V>(1));
  }
  template <class V> RILL_FN static V grad(V g, V x, V) {
    const V s = gate(x), slope = (x * x * lit<V>(static_cast<double>(3 * kCube)) + lit<V>(1)) * lit<V>(static_cast<double>(kTwiceRoot));
    return g * (s + x * (s * (lit<V>(1) - s)) * slope);
  }
};
struct Mish {  // Misra 2019: x tanh(softplus(x)); with e = e^-|x|, tanh(softplus) = n / (n + 2 d) without cancellation
  static constexpr const char* name = "mish";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V gate(V x) {
    const V e = exp(-abs(x));
    const V positive = (lit<V>(1) + e + e) / (lit<V>(1) + e * (lit<V>(2) + e + e));
    const V negative = e * (e + lit<V>(2)) / (e * (e + lit<V>(2)) + lit<V>(2));
    return where(x < lit<V>(0), negative, positive);
  }
  template <class V> RILL_FN static V value(V x) {  // e = h^2, as in Silu
    const V h = exp(abs(x) * lit<V>(-0.5)), e = h * h;
    return where(x < lit<V>(0), x * h * h * (e + lit<V>(2)) / (e * (e + lit<V>(2)) + lit<V>(2)), x * gate(x));
  }
  template <class V> RILL_FN static V grad(V g, V x, V) {
    const V t = gate(x);
    return g * (t + x * (lit<V>(1) - t * t) * Sigmoid::value(x));
  }
};
struct Hardsigmoid {  // relu6(x + 3) / 6; the derivative at -3 and 3 is 0
  static constexpr const char* name = "hardsigmoid";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return Relu6::value(x + lit<V>(3)) / lit<V>(6); }
  template <class V> RILL_FN static V grad(V g, V x, V) {
    return where(both(x > lit<V>(-3), x < lit<V>(3)), g / lit<V>(6), zero_like(g));
  }
};
struct Hardswish {  // Howard et al. 2019: x relu6(x + 3) / 6; the derivative at -3 is 0, at 3 it is 1
  static constexpr const char* name = "hardswish";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return x * (Relu6::value(x + lit<V>(3)) / lit<V>(6)); }
  template <class V> RILL_FN static V grad(V g, V x, V) {
    return where(x <= lit<V>(-3), zero_like(g), where(x >= lit<V>(3), g, g * (x / lit<V>(3) + lit<V>(0.5))));
  }
};
struct Hardtanh {  // the derivative at both bounds is 0
  static constexpr const char* name = "hardtanh";
  static constexpr Domain domain = Domain::floating;
  double low = -1, high = 1;
  template <class V> RILL_FN V value(V x) const { return min(max(x, splat(x, low)), splat(x, high)); }
  template <class V> RILL_FN V grad(V g, V x, V) const { return where(both(x > lit<V>(low), x < lit<V>(high)), g, zero_like(g)); }
};
struct Softshrink {
  static constexpr const char* name = "softshrink";
  static constexpr Domain domain = Domain::floating;
  double lambda = 0.5;
  template <class V> RILL_FN V value(V x) const {
    return where(x > lit<V>(lambda), x - lit<V>(lambda), where(x < lit<V>(-lambda), x + lit<V>(lambda), where(x == x, zero_like(x), x)));
  }
  template <class V> RILL_FN V grad(V g, V x, V) const { return where(abs(x) > lit<V>(lambda), g, zero_like(g)); }
};
struct Tanhshrink {
  static constexpr const char* name = "tanhshrink";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return x - tanh(x); }
  template <class V> RILL_FN static V grad(V g, V x, V) {
    const V t = tanh(x);
    return g * (t * t);
  }
};
struct Hardshrink {
  static constexpr const char* name = "hardshrink";
  static constexpr Domain domain = Domain::floating;
  double lambda = 0.5;
  template <class V> RILL_FN V value(V x) const { return where(abs(x) <= lit<V>(lambda), zero_like(x), x); }
  template <class V> RILL_FN V grad(V g, V x, V) const { return where(abs(x) <= lit<V>(lambda), zero_like(g), g); }
};
struct Threshold {  // x if x > threshold, else the given number
  static constexpr const char* name = "threshold";
  static constexpr Domain domain = Domain::numbers;
  double threshold = 0, otherwise = 0;
  template <class V> RILL_FN V value(V x) const { return where(x <= lit<V>(threshold), splat(x, otherwise), x); }
  template <class V> RILL_FN V grad(V g, V x, V) const { return where(x <= lit<V>(threshold), zero_like(g), g); }
};
struct Clamp {  // min above max gives max; the derivative at the bounds is 1
  static constexpr const char* name = "clamp";
  static constexpr Domain domain = Domain::numbers;
  double low, high;
  template <class V> RILL_FN V value(V x) const { return min(max(x, splat(x, low)), splat(x, high)); }
  template <class V> RILL_FN V grad(V g, V x, V) const {
    return where(both(x >= lit<V>(low), x <= lit<V>(high)), g, zero_like(g));
  }
};
struct NanToNum {
  static constexpr const char* name = "nan_to_num";
  static constexpr Domain domain = Domain::floating;
  double nan, positive, negative;  // already limited to the dtype's finite range
  template <class V> RILL_FN V value(V x) const {
    const V finite = where(x > lit<V>(positive), splat(x, positive), where(x < lit<V>(negative), splat(x, negative), x));
    return where(x == x, where(abs(x) == lit<V>(__builtin_inf()), finite, x), splat(x, nan));
  }
  template <class V> RILL_FN V grad(V g, V x, V) const { return where(abs(x) < lit<V>(__builtin_inf()), g, zero_like(g)); }
};

}  // namespace rill::fn
