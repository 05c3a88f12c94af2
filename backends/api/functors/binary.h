// Elementwise functions of two operands. grad_a / grad_b: gradient of the first / second operand; y is the output.
#pragma once

#include "backends/api/functors/activation.h"

namespace rill::fn {

struct Add {  // bool + bool is "or"
  static constexpr const char* name = "add";
  static constexpr Domain domain = Domain::all;
  template <class V> RILL_FN static V value(V a, V b) { return static_cast<V>(a + b); }
  template <class V> RILL_FN static V grad_a(V g, V, V, V) { return g; }
  template <class V> RILL_FN static V grad_b(V g, V, V, V) { return g; }
};
struct AddScaled {  // a + alpha b
  static constexpr const char* name = "add";
  static constexpr Domain domain = Domain::numbers;
  double alpha = 1;
  template <class V> RILL_FN V value(V a, V b) const { return static_cast<V>(a + b * lit<V>(alpha)); }
  template <class V> RILL_FN V grad_a(V g, V, V, V) const { return g; }
  template <class V> RILL_FN V grad_b(V g, V, V, V) const { return g * lit<V>(alpha); }
};
struct Sub {
  static constexpr const char* name = "sub";
  static constexpr Domain domain = Domain::numbers;
  template <class V> RILL_FN static V value(V a, V b) { return static_cast<V>(a - b); }
  template <class V> RILL_FN static V grad_a(V g, V, V, V) { return g; }
  template <class V> RILL_FN static V grad_b(V g, V, V, V) { return -g; }
};
struct Mul {  // bool * bool is "and"
  static constexpr const char* name = "mul";
  static constexpr Domain domain = Domain::all;
  template <class V> RILL_FN static V value(V a, V b) { return static_cast<V>(a * b); }
  template <class V> RILL_FN static V grad_a(V g, V, V b, V) { return g * b; }
  template <class V> RILL_FN static V grad_b(V g, V a, V, V) { return g * a; }
};
struct Div {
  static constexpr const char* name = "div";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V a, V b) { return a / b; }
  template <class V> RILL_FN static V grad_a(V g, V, V b, V) { return g / b; }
  template <class V> RILL_FN static V grad_b(V g, V, V b, V y) { return -g * (y / b); }
};
struct Maximum {  // NaN passes through; on a tie each operand gets half of the gradient
  static constexpr const char* name = "maximum";
  static constexpr Domain domain = Domain::all;
  template <class V> RILL_FN static V value(V a, V b) { return max(a, b); }
  template <class V> RILL_FN static V grad_a(V g, V a, V b, V) { return where(a == b, g * lit<V>(0.5), where(a < b, zero_like(g), g)); }
  template <class V> RILL_FN static V grad_b(V g, V a, V b, V) { return where(a == b, g * lit<V>(0.5), where(b < a, zero_like(g), g)); }
};
struct Minimum {
  static constexpr const char* name = "minimum";
  static constexpr Domain domain = Domain::all;
  template <class V> RILL_FN static V value(V a, V b) { return min(a, b); }
  template <class V> RILL_FN static V grad_a(V g, V a, V b, V) { return where(a == b, g * lit<V>(0.5), where(b < a, zero_like(g), g)); }
  template <class V> RILL_FN static V grad_b(V g, V a, V b, V) { return where(a == b, g * lit<V>(0.5), where(a < b, zero_like(g), g)); }
};
struct Fmax {  // ignores a NaN operand; on a tie each operand gets half of the gradient
  static constexpr const char* name = "fmax";
  static constexpr Domain domain = Domain::all;
  template <class V> RILL_FN static V value(V a, V b) { return where(a == a, where(b > a, b, a), b); }
  template <class V> RILL_FN static V grad_a(V g, V a, V b, V) { return where(a == b, g * lit<V>(0.5), where(a > b, g, where(b == b, zero_like(g), g))); }
  template <class V> RILL_FN static V grad_b(V g, V a, V b, V) { return where(a == b, g * lit<V>(0.5), where(a > b, zero_like(g), where(b == b, g, zero_like(g)))); }
};
struct Fmin {
  static constexpr const char* name = "fmin";
  static constexpr Domain domain = Domain::all;
  template <class V> RILL_FN static V value(V a, V b) { return where(a == a, where(b < a, b, a), b); }
  template <class V> RILL_FN static V grad_a(V g, V a, V b, V) { return where(a == b, g * lit<V>(0.5), where(a < b, g, where(b == b, zero_like(g), g))); }
  template <class V> RILL_FN static V grad_b(V g, V a, V b, V) { return where(a == b, g * lit<V>(0.5), where(a < b, zero_like(g), where(b == b, g, zero_like(g)))); }
};
struct Pow {  // 0^0 is 1; the gradient of the exponent at base 0 is 0
  static constexpr const char* name = "pow";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V a, V b) { return pow(a, b); }
  template <class V> RILL_FN static V grad_a(V g, V a, V b, V) {
    return where(b == lit<V>(0), zero_like(g), g * (b * pow(a, b - lit<V>(1))));
  }
  template <class V> RILL_FN static V grad_b(V g, V a, V b, V y) {
    return where(both(a == lit<V>(0), b >= lit<V>(0)), zero_like(g), g * (y * log(a)));
  }
};
struct Atan2 {
  static constexpr const char* name = "atan2";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V a, V b) { return atan2(a, b); }
  template <class V> RILL_FN static V grad_a(V g, V a, V b, V) { return g * (b / (a * a + b * b)); }
  template <class V> RILL_FN static V grad_b(V g, V a, V b, V) { return -g * (a / (a * a + b * b)); }
};
struct Hypot {
  static constexpr const char* name = "hypot";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V a, V b) { return hypot(a, b); }
  template <class V> RILL_FN static V grad_a(V g, V a, V, V y) { return g * (a / y); }
  template <class V> RILL_FN static V grad_b(V g, V, V b, V y) { return g * (b / y); }
};
struct Copysign {
  static constexpr const char* name = "copysign";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V a, V b) { return copysign(a, b); }
  template <class V> RILL_FN static V grad_a(V g, V a, V, V y) { return where(a == lit<V>(0), zero_like(g), g * sign(a) * sign(y)); }
  template <class V> RILL_FN static V grad_b(V g, V, V, V) { return zero_like(g); }
};
struct Fmod {  // the sign of the dividend
  static constexpr const char* name = "fmod";
  static constexpr Domain domain = Domain::numbers;
  template <class V> RILL_FN static V value(V a, V b) { return truncated_remainder(a, b); }
  template <class V> RILL_FN static V grad_a(V g, V, V, V) { return g; }
  template <class V> RILL_FN static V grad_b(V g, V a, V b, V) { return -g * trunc(a / b); }
};
struct Remainder {  // the sign of the divisor, as Python's %
  static constexpr const char* name = "remainder";
  static constexpr Domain domain = Domain::numbers;
  template <class V> RILL_FN static V value(V a, V b) { return floored_remainder(a, b); }
  template <class V> RILL_FN static V grad_a(V g, V, V, V) { return g; }
  template <class V> RILL_FN static V grad_b(V g, V a, V b, V) { return -g * floor(a / b); }
};
struct FloorDivide {
  static constexpr const char* name = "floor_divide";
  static constexpr Domain domain = Domain::numbers;
  template <class V> RILL_FN static V value(V a, V b) { return floored_quotient(a, b); }
  template <class V> RILL_FN static V grad_a(V g, V, V, V) { return zero_like(g); }
  template <class V> RILL_FN static V grad_b(V g, V, V, V) { return zero_like(g); }
};
struct TruncDivide {
  static constexpr const char* name = "trunc_divide";
  static constexpr Domain domain = Domain::numbers;
  template <class V> RILL_FN static V value(V a, V b) { return truncated_quotient(a, b); }
  template <class V> RILL_FN static V grad_a(V g, V, V, V) { return zero_like(g); }
  template <class V> RILL_FN static V grad_b(V g, V, V, V) { return zero_like(g); }
};
struct Logaddexp {  // log(e^a + e^b); equal infinities give themselves
  static constexpr const char* name = "logaddexp";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V a, V b) { return where(a == b, a + lit<V>(0.69314718055994530942), max(a, b) + log1p(exp(-abs(a - b)))); }
  template <class V> RILL_FN static V grad_a(V g, V a, V b, V) { return g * Sigmoid::value(a - b); }
  template <class V> RILL_FN static V grad_b(V g, V a, V b, V) { return g * Sigmoid::value(b - a); }
};
struct Xlogy {  // a log(b), 0 where a is 0 and b not NaN
  static constexpr const char* name = "xlogy";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V a, V b) { return where(both(a == lit<V>(0), b == b), zero_like(a), a * log(b)); }
  template <class V> RILL_FN static V grad_a(V g, V a, V b, V) {
    const auto flat = both(a == lit<V>(0), b <= lit<V>(0));
    return where(flat, zero_like(g), g * log(where(flat, splat(b, 1), b)));
  }
  template <class V> RILL_FN static V grad_b(V g, V a, V b, V) { return where(a == lit<V>(0), zero_like(g), g * (a / b)); }
};
struct Logaddexp2 {  // log2(2^a + 2^b); equal infinities give themselves
  static constexpr const char* name = "logaddexp2";
  static constexpr Domain domain = Domain::floating;
  template <class V> RILL_FN static V value(V a, V b) { return where(a == b, a + lit<V>(1), max(a, b) + log1p(exp2(-abs(a - b))) * lit<V>(1.44269504088896340736)); }
  template <class V> RILL_FN static V grad_a(V g, V a, V b, V) { return g * Sigmoid::value((a - b) * lit<V>(0.69314718055994530942)); }
  template <class V> RILL_FN static V grad_b(V g, V a, V b, V) { return g * Sigmoid::value((b - a) * lit<V>(0.69314718055994530942)); }
};
struct BitAnd {
  static constexpr const char* name = "bitwise_and";
  static constexpr Domain domain = Domain::integers;
  template <class V> RILL_FN static V value(V a, V b) { return static_cast<V>(a & b); }
};
struct BitOr {
  static constexpr const char* name = "bitwise_or";
  static constexpr Domain domain = Domain::integers;
  template <class V> RILL_FN static V value(V a, V b) { return static_cast<V>(a | b); }
};
struct BitXor {
  static constexpr const char* name = "bitwise_xor";
  static constexpr Domain domain = Domain::integers;
  template <class V> RILL_FN static V value(V a, V b) { return static_cast<V>(a ^ b); }
};
struct ShiftLeft {  // counts outside the width give 0
  static constexpr const char* name = "bitwise_left_shift";
  static constexpr Domain domain = Domain::integers;
  template <class V> RILL_FN static V value(V a, V b) { return shift_left(a, b); }
};
struct ShiftRight {  // arithmetic; counts outside the width give 0 or -1
  static constexpr const char* name = "bitwise_right_shift";
  static constexpr Domain domain = Domain::integers;
  template <class V> RILL_FN static V value(V a, V b) { return shift_right(a, b); }
};
struct Gcd {
  static constexpr const char* name = "gcd";
  static constexpr Domain domain = Domain::integers;
  template <class V> RILL_FN static V value(V a, V b) { return gcd(a, b); }
};

using Binary = List<Add, AddScaled, Sub, Mul, Div, Maximum, Minimum, Fmax, Fmin, Pow, Atan2, Hypot, Copysign, Fmod, Remainder, FloorDivide,
                    TruncDivide, Logaddexp, Logaddexp2, Xlogy, BitAnd, BitOr, BitXor, ShiftLeft, ShiftRight, Gcd>;

// ---- comparisons: the result is bool, without a gradient --------------------------------------------------------------------

struct Equal { static constexpr const char* name = "eq"; template <class V> RILL_FN static auto value(V a, V b) { return a == b; } };
struct NotEqual { static constexpr const char* name = "ne"; template <class V> RILL_FN static auto value(V a, V b) { return a != b; } };
struct Less { static constexpr const char* name = "lt"; template <class V> RILL_FN static auto value(V a, V b) { return a < b; } };
struct LessEqual { static constexpr const char* name = "le"; template <class V> RILL_FN static auto value(V a, V b) { return a <= b; } };
struct Greater { static constexpr const char* name = "gt"; template <class V> RILL_FN static auto value(V a, V b) { return a > b; } };
struct GreaterEqual { static constexpr const char* name = "ge"; template <class V> RILL_FN static auto value(V a, V b) { return a >= b; } };

using Compare = List<Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual>;

// ---- three operands ----------------------------------------------------------------------------------------------------------

struct Lerp {  // a + w (b - a), in the form that is exact at both ends
  static constexpr const char* name = "lerp";
  template <class V> RILL_FN static V value(V a, V b, V w) {
    const V d = b - a;
    return where(abs(w) < lit<V>(0.5), a + w * d, b - d * (lit<V>(1) - w));
  }
};
struct AddCmul {  // a + c (b w)
  static constexpr const char* name = "addcmul";
  double c = 1;
  template <class V> RILL_FN V value(V a, V b, V w) const { return a + b * w * lit<V>(c); }
};
struct AddCdiv {  // a + c (b / w)
  static constexpr const char* name = "addcdiv";
  double c = 1;
  template <class V> RILL_FN V value(V a, V b, V w) const { return a + b / w * lit<V>(c); }
};
using Ternary = List<Lerp, AddCmul, AddCdiv>;

}  // namespace rill::fn
