// Elementwise functions made of others.
#include <numbers>

#include <rill/ops/elementwise.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "autograd/autocast.h"
#include "autograd/binary.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

/// The checks of a function made of others, under its own name.
void check_pair(const char* op, const Tensor& a, const Tensor& b) {
  check_defined(op, a, "the first operand");
  check_defined(op, b, "the second operand");
  check_same_device(op, a, b);
  broadcast_shapes(a.shape(), b.shape(), op);
}

}  // namespace

Tensor clamp(const Tensor& x, const Tensor& low, const Tensor& high) {
  const OpRange here("clamp", x, low, high);
  check_defined("clamp", x);
  check<ValueError>(low.defined() || high.defined(), "clamp", "both bounds are missing; give at least one");
  check<DtypeError>(x.dtype() != Dtype::boolean, "clamp", "bool is not supported (expected a floating or integer dtype); convert with .to()");
  if (low.defined()) check_pair("clamp", x, low);
  if (high.defined()) check_pair("clamp", x, high);
  const Tensor raised = low.defined() ? where(logical_or(lt(x, low), isnan(low)), low, x) : x;
  return high.defined() ? where(logical_or(gt(raised, high), isnan(high)), high, raised) : raised;
}
Tensor deg2rad(const Tensor& x) {
  const OpRange here("deg2rad", x);
  return check_defined("deg2rad", x), x * (std::numbers::pi / 180);
}
Tensor rad2deg(const Tensor& x) {
  const OpRange here("rad2deg", x);
  return check_defined("rad2deg", x), x * (180 / std::numbers::pi);
}

Tensor crelu(const Tensor& x, std::int64_t axis) {
  const OpRange here("crelu", x);
  check_defined("crelu", x);
  check<ShapeError>(x.dim() > 0, "crelu", "a number has no axis to double; expected rank 1 or more");
  return relu(cat({x, neg(x)}, wrap_axis("crelu", axis, x.dim())));
}
Tensor glu(const Tensor& x, std::int64_t axis) {
  const OpRange here("glu", x);
  check_defined("glu", x);
  const auto a = wrap_axis("glu", axis, x.dim());
  check<ShapeError>(x.dim() > 0 && x.size(a) % 2 == 0, "glu", "axis {} of {} cannot be halved; its size must be even", axis, x.shape());
  const auto half = x.size(a) / 2;
  const Tensor wide = x.to(compute_dtype(x.dtype())), y = wide.narrow(a, 0, half) * sigmoid(wide.narrow(a, half, half));
  return is_floating(x.dtype()) ? y.to(x.dtype()) : y;  // 16-bit results are rounded once
}
Tensor prelu(const Tensor& x, const Tensor& weight) {
  if (amp::on()) [[unlikely]] return amp::low(&prelu, x, weight);
  const OpRange here("prelu", x, weight);
  check_defined("prelu", x);
  check_defined("prelu", weight, "weight");
  Tensor w = weight;
  if (weight.numel() != 1) {
    check<ShapeError>(x.dim() >= 2 && weight.dim() == 1 && weight.size(0) == x.size(1), "prelu",
                      "weight {} must have one element or one per channel of x {} (axis 1)", weight.shape(), x.shape());
    Shape shape(x.dim() - 1, 1);
    shape[0] = weight.size(0);
    w = weight.reshape(shape);
  }
  return where(gt(x, 0), x, x * w);
}

Tensor float_power(const Tensor& a, const Tensor& b) {
  const OpRange here("float_power", a, b);
  check_pair("float_power", a, b);
  return pow(a.to(Dtype::float64), b.to(Dtype::float64));
}
Tensor ldexp(const Tensor& a, const Tensor& b) {
  const OpRange here("ldexp", a, b);
  check_pair("ldexp", a, b);
  return mul(a, exp2(b));
}
Tensor heaviside(const Tensor& x, const Tensor& value) {
  const OpRange here("heaviside", x, value);
  check_pair("heaviside", x, value);
  const Tensor step = gt(x, 0).to(value.dtype());
  return where(eq(x, 0), value, where(isnan(x), x.to(value.dtype()), step));
}
Tensor lcm(const Tensor& a, const Tensor& b) {
  const OpRange here("lcm", a, b);
  check_pair("lcm", a, b);
  const Dtype dtype = result_type(a, b);
  check<DtypeError>(is_integral(dtype), "lcm", "{} is not supported (expected an integer dtype); convert with .to()", dtype);
  const Tensor d = gcd(a, b);
  return abs(mul(trunc_divide(a, where(eq(d, 0), 1, d)), b));
}

Tensor bitwise_not(const Tensor& x) {
  const OpRange here("bitwise_not", x);
  check_defined("bitwise_not", x);
  check<DtypeError>(!is_floating(x.dtype()), "bitwise_not", "{} is not supported (expected bool or an integer dtype)", x.dtype());
  return bitwise_xor(x, x.dtype() == Dtype::boolean ? constant(true, Dtype::boolean, Device::cpu()) : constant(x.dtype() == Dtype::uint8 ? 255 : -1, x.dtype(), Device::cpu()));
}

// ---- logic ------------------------------------------------------------------------------------------------------------------

namespace {
Tensor truth(const Tensor& x) { return x.dtype() == Dtype::boolean ? x : ne(x, 0); }
}  // namespace
Tensor logical_and(const Tensor& a, const Tensor& b) {
  const OpRange here("logical_and", a, b);
  return check_pair("logical_and", a, b), bitwise_and(truth(a), truth(b));
}
Tensor logical_or(const Tensor& a, const Tensor& b) {
  const OpRange here("logical_or", a, b);
  return check_pair("logical_or", a, b), bitwise_or(truth(a), truth(b));
}
Tensor logical_xor(const Tensor& a, const Tensor& b) {
  const OpRange here("logical_xor", a, b);
  return check_pair("logical_xor", a, b), bitwise_xor(truth(a), truth(b));
}
Tensor logical_not(const Tensor& x) {
  const OpRange here("logical_not", x);
  return check_defined("logical_not", x), eq(x, 0);
}

Tensor isnan(const Tensor& x) {
  const OpRange here("isnan", x);
  return check_defined("isnan", x), ne(x, x);
}
Tensor isinf(const Tensor& x) {
  const OpRange here("isinf", x);
  check_defined("isinf", x);
  return is_floating(x.dtype()) ? eq(abs(x), std::numeric_limits<double>::infinity()) : zeros(x.shape(), {.dtype = Dtype::boolean, .device = x.device()});
}
Tensor isfinite(const Tensor& x) {
  const OpRange here("isfinite", x);
  check_defined("isfinite", x);
  return is_floating(x.dtype()) ? lt(abs(x), std::numeric_limits<double>::infinity()) : ones(x.shape(), {.dtype = Dtype::boolean, .device = x.device()});
}

Tensor isclose(const Tensor& a, const Tensor& b, Closeness o) {
  const OpRange here("isclose", a, b);
  check_pair("isclose", a, b);
  check<DtypeError>(a.dtype() == b.dtype(), "isclose", "{} and {} differ in dtype; convert one with .to()", describe(a), describe(b));
  Tensor close = eq(a, b);
  if (is_floating(a.dtype()) || o.rtol != 0 || o.atol != 0) {
    const Tensor x = a.to(Dtype::float64).detach(), y = b.to(Dtype::float64).detach();
    close = logical_or(close, logical_and(isfinite(y), le(abs(x - y), o.atol + o.rtol * abs(y))));
  }
  return o.equal_nan ? logical_or(close, logical_and(isnan(a), isnan(b))) : close;
}

}  // namespace rill
