// Elementwise functions of one operand: value and gradient, written once. g: incoming gradient, x: input, y: output.
#pragma once

#include "backends/api/functors/vocabulary.h"

namespace rill::fn {

// ---- algebra ----------------------------------------------------------------------------------------------------------

struct Abs {
  static constexpr const char* name = "abs";
  static constexpr Domain domain = Domain::numbers;
  template <class V> RILL_FN static V value(V x) { return abs(x); }
  template <class V> RILL_FN static V grad(V g, V x, V) { return g * sign(x); }
};
struct Neg {
  static constexpr const char* name = "neg";
  static constexpr Domain domain = Domain::numbers;
  template <class V> RILL_FN static V value(V x) { return -x; }
  template <class V> RILL_FN static V grad(V g, V, V) { return -g; }
};
struct Square {
  static constexpr const char* name = "square";
  static constexpr Domain domain = Domain::numbers;
  template <class V> RILL_FN static V value(V x) { return x * x; }
  template <class V> RILL_FN static V grad(V g, V x, V) { return g * (x + x); }
};
struct Sign {
  static constexpr const char* name = "sign";
  static constexpr Domain domain = Domain::numbers;
  template <class V> RILL_FN static V value(V x) { return sign(x); }
  template <class V> RILL_FN static V grad(V g, V, V) { return zero_like(g); }
};
struct Sqrt {
  static constexpr const char* name = "sqrt";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return sqrt(x); }
  template <class V> RILL_FN static V grad(V g, V, V y) { return g / (y + y); }
};
struct Rsqrt {
  static constexpr const char* name = "rsqrt";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return lit<V>(1) / sqrt(x); }
  template <class V> RILL_FN static V grad(V g, V, V y) { return g * (y * y * y) * lit<V>(-0.5); }
};
struct Reciprocal {
  static constexpr const char* name = "reciprocal";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return lit<V>(1) / x; }
  template <class V> RILL_FN static V grad(V g, V, V y) { return -g * (y * y); }
};

// ---- rounding: the derivative is zero everywhere --------------------------------------------------------------------------

template <class Self> struct Rounding {
  static constexpr Domain domain = Domain::numbers;
  template <class V> RILL_FN static V grad(V g, V, V) { return zero_like(g); }
};
struct Floor : Rounding<Floor> {
  static constexpr const char* name = "floor";
  template <class V> RILL_FN static V value(V x) { return floor(x); }
};
struct Ceil : Rounding<Ceil> {
  static constexpr const char* name = "ceil";
  template <class V> RILL_FN static V value(V x) { return ceil(x); }
};
struct Round : Rounding<Round> {  // half to even
  static constexpr const char* name = "round";
  template <class V> RILL_FN static V value(V x) { return rint(x); }
};
struct Trunc : Rounding<Trunc> {
  static constexpr const char* name = "trunc";
  template <class V> RILL_FN static V value(V x) { return trunc(x); }
};
struct Frac {
  static constexpr const char* name = "frac";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return x - trunc(x); }
  template <class V> RILL_FN static V grad(V g, V, V) { return g; }
};

// ---- exponentials and logarithms ------------------------------------------------------------------------------------------

struct Exp {
  static constexpr const char* name = "exp";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return exp(x); }
  template <class V> RILL_FN static V grad(V g, V, V y) { return g * y; }
};
struct Exp2 {
  static constexpr const char* name = "exp2";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return exp2(x); }
  template <class V> RILL_FN static V grad(V g, V, V y) { return g * y * lit<V>(0.69314718055994530942); }
};
struct Expm1 {
  static constexpr const char* name = "expm1";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return expm1(x); }
  template <class V> RILL_FN static V grad(V g, V, V y) { return g * (y + lit<V>(1)); }
};
struct Log {
  static constexpr const char* name = "log";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return log(x); }
  template <class V> RILL_FN static V grad(V g, V x, V) { return g / x; }
};
struct Log1p {
  static constexpr const char* name = "log1p";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return log1p(x); }
  template <class V> RILL_FN static V grad(V g, V x, V) { return g / (x + lit<V>(1)); }
};
struct Log2 {
  static constexpr const char* name = "log2";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return log2(x); }
  template <class V> RILL_FN static V grad(V g, V x, V) { return g / (x * lit<V>(0.69314718055994530942)); }
};
struct Log10 {
  static constexpr const char* name = "log10";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return log10(x); }
  template <class V> RILL_FN static V grad(V g, V x, V) { return g / (x * lit<V>(2.30258509299404568402)); }
};

// ---- trigonometry ---------------------------------------------------------------------------------------------------------

struct Sin {
  static constexpr const char* name = "sin";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return sin(x); }
  template <class V> RILL_FN static V grad(V g, V x, V) { return g * cos(x); }
};
struct Cos {
  static constexpr const char* name = "cos";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return cos(x); }
  template <class V> RILL_FN static V grad(V g, V x, V) { return -g * sin(x); }
};
struct Tan {
  static constexpr const char* name = "tan";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return tan(x); }
  template <class V> RILL_FN static V grad(V g, V, V y) { return g * (lit<V>(1) + y * y); }
};
struct Asin {
  static constexpr const char* name = "asin";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return asin(x); }
  template <class V> RILL_FN static V grad(V g, V x, V) { return g / sqrt(lit<V>(1) - x * x); }
};
struct Acos {
  static constexpr const char* name = "acos";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return acos(x); }
  template <class V> RILL_FN static V grad(V g, V x, V) { return -g / sqrt(lit<V>(1) - x * x); }
};
struct Atan {
  static constexpr const char* name = "atan";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return atan(x); }
  template <class V> RILL_FN static V grad(V g, V x, V) { return g / (x * x + lit<V>(1)); }
};
struct Sinh {
  static constexpr const char* name = "sinh";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return sinh(x); }
  template <class V> RILL_FN static V grad(V g, V x, V) { return g * cosh(x); }
};
struct Cosh {
  static constexpr const char* name = "cosh";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return cosh(x); }
  template <class V> RILL_FN static V grad(V g, V x, V) { return g * sinh(x); }
};
struct Tanh {
  static constexpr const char* name = "tanh";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return tanh(x); }
  template <class V> RILL_FN static V grad(V g, V, V y) { return g * (lit<V>(1) - y * y); }
};
struct Asinh {
  static constexpr const char* name = "asinh";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return asinh(x); }
  template <class V> RILL_FN static V grad(V g, V x, V) { return g / sqrt(x * x + lit<V>(1)); }
};
struct Acosh {
  static constexpr const char* name = "acosh";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return acosh(x); }
  template <class V> RILL_FN static V grad(V g, V x, V) { return g / sqrt(x * x - lit<V>(1)); }
};
struct Atanh {
  static constexpr const char* name = "atanh";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return atanh(x); }
  template <class V> RILL_FN static V grad(V g, V x, V) { return g / (lit<V>(1) - x * x); }
};

struct Sinc {  // sin(pi x) / (pi x), 1 at 0; exactly 0 at the other integers
  static constexpr const char* name = "sinc";
  static constexpr Domain domain = Domain::floating;
  static constexpr double kPi = 3.14159265358979323846;
  /// f(pi x) for f of period 2 pi: x mod 2 is exact.
  template <class V> RILL_FN static V turn(V x) { return (x - rint(x * lit<V>(0.5)) * lit<V>(2)) * lit<V>(kPi); }
  template <class V> RILL_FN static V value(V x) {
    const V n = rint(x), odd = n - rint(n * lit<V>(0.5)) * lit<V>(2), s = sin((x - n) * lit<V>(kPi));
    return where(x == lit<V>(0), splat(x, 1), s * (lit<V>(1) - odd * odd * lit<V>(2)) / (x * lit<V>(kPi)));
  }
  template <class V> RILL_FN static V grad(V g, V x, V y) {  // near 0 by the series, where the terms cancel
    const V t = x * lit<V>(kPi), u = t * t;
    const V series = x * lit<V>(kPi * kPi) * (u * (u * (u * (u * (u * lit<V>(1.0 / 518918400) - lit<V>(1.0 / 3991680)) + lit<V>(1.0 / 45360)) - lit<V>(1.0 / 840)) + lit<V>(1.0 / 30)) - lit<V>(1.0 / 3));
    const auto near = abs(x) < lit<V>(0.15);
    return g * where(near, series, (cos(turn(x)) - y) / where(near, splat(x, 1), x));
  }
};
struct Logit {  // log(x / (1 - x)) of x limited to [low, high]; near 1/2 through log1p, which keeps the digits of x - 1/2
  static constexpr const char* name = "logit";
  static constexpr Domain domain = Domain::floating;
  double low = 0, high = 1;
  template <class V> RILL_FN V value(V x) const {
    const V p = min(max(x, splat(x, low)), splat(x, high)), q = lit<V>(1) - p;
    return where(abs(p - lit<V>(0.5)) < lit<V>(0.25), log1p((p + p - lit<V>(1)) / q), log(p / q));
  }
  template <class V> RILL_FN V grad(V g, V x, V) const {
    return where(both(x >= lit<V>(low), x <= lit<V>(high)), g / (x * (lit<V>(1) - x)), zero_like(g));
  }
};

// ---- special functions ------------------------------------------------------------------------------------------------------

struct Erf {
  static constexpr const char* name = "erf";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return erf(x); }
  template <class V> RILL_FN static V grad(V g, V x, V) { return g * exp(-(x * x)) * lit<V>(1.12837916709551257390); }
};
struct Erfc {
  static constexpr const char* name = "erfc";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return erfc(x); }
  template <class V> RILL_FN static V grad(V g, V x, V) { return g * exp(-(x * x)) * lit<V>(-1.12837916709551257390); }
};
struct Erfinv {
  static constexpr const char* name = "erfinv";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return erfinv(x); }
  template <class V> RILL_FN static V grad(V g, V, V y) { return g * exp(y * y) * lit<V>(0.88622692545275801365); }
};
struct Lgamma {
  static constexpr const char* name = "lgamma";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return lgamma(x); }
  template <class V> RILL_FN static V grad(V g, V x, V) { return g * digamma(x); }
};
struct Digamma {
  static constexpr const char* name = "digamma";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return digamma(x); }
  template <class V> RILL_FN static V grad(V g, V x, V) { return g * trigamma(x); }
};
struct Trigamma {
  static constexpr const char* name = "trigamma";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V x) { return trigamma(x); }
  static constexpr bool once = true;  // no second-order family beyond: its gradient is refused by name
};

}  // namespace rill::fn

#include "backends/api/functors/activation.h"

namespace rill::fn {

using Unary = List<Abs, Neg, Square, Sign, Sqrt, Rsqrt, Reciprocal, Floor, Ceil, Round, Trunc, Frac, Exp, Exp2, Expm1, Log, Log1p, Log2, Log10,
                   Sinc, Logit, Sin, Cos, Tan, Asin, Acos, Atan, Sinh, Cosh, Tanh, Asinh, Acosh, Atanh, Erf, Erfc, Erfinv, Lgamma, Digamma, Trigamma,
                   Relu, Relu6, Elu, Selu, Celu, LeakyRelu, Sigmoid, LogSigmoid, Softplus, Softsign, Silu, Gelu, GeluTanh, Mish, Hardswish,
                   Hardsigmoid, Hardtanh, Softshrink, Tanhshrink, Hardshrink, Threshold, Clamp, NanToNum>;

}  // namespace rill::fn
