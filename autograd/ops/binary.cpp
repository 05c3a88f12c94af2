// Elementwise functions of two and three operands.
#include <rill/autograd/grad_mode.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/view.h>

#include "autograd/autocast.h"
#include "autograd/binary.h"
#include "lib/core/op_range.h"

namespace rill {

Tensor constant(Scalar value, Dtype dtype, Device device) {
  Tensor t = make_tensor({}, dtype, device);
  const ScalarBytes bytes(value, dtype);
  if (device.is_cpu()) std::memcpy(impl(t).data, bytes.bytes, size_of(dtype));
  else kernels(t).fill(bytes.bytes, view(t));
  return t;
}

Device common_device(const char* op, std::initializer_list<const Tensor*> operands) {
  const Tensor* first = nullptr;
  for (const Tensor* t : operands) {
    if (is_number(*t)) continue;
    if (!first) first = t;
    else check_same_device(op, *first, *t);
  }
  return first ? impl(*first).device : Device::cpu();
}

void map_tensors(const Kernels& k, const MapSpec& spec, const Tensor& out, std::initializer_list<const Tensor*> in) {
  std::array<View, 3> views;
  MapSpec complete = spec;
  std::size_t count = 0;
  for (const Tensor* t : in) {
    if (!(impl(*t).device == impl(out).device)) complete.numbers |= 1u << count;
    views[count++] = view(*t);
  }
  k.map(complete, view(out), {views.data(), count});
}

Tensor expand_gradient(const Tensor& g, const Tensor& like) {
  if (impl(g).shape == impl(like).shape) return g;
  return g.expand(impl(like).shape);
}

Tensor sum_to(const Tensor& g, const Shape& shape, Dtype dtype) {
  Tensor r = g;
  if (!(impl(g).shape == shape)) {
    Dims axes;
    const int extra = impl(g).shape.rank() - shape.rank();
    for (int i = 0; i < impl(g).shape.rank(); ++i)
      if (i < extra || (shape[i - extra] == 1 && impl(g).shape[i] != 1)) axes.push_back(i);
    if (!axes.empty()) r = sum(g, axes, true);
    if (extra > 0) r = r.reshape(shape);
  }
  return impl(r).dtype == dtype ? r : r.to(dtype);
}

// ---- arithmetic -----------------------------------------------------------------------------------------------------------

namespace {
bool is_one(Scalar s) { return s.to_double() == 1; }
fn::AddScaled scaled(const char* op, const Tensor& a, const Tensor& b, double alpha, Scalar given) {
  check_defined(op, a, "the first operand");
  check_defined(op, b, "the second operand");
  check<DtypeError>(!given.is_floating() || is_floating(result_type(a, b)), op, "alpha is floating, but both operands are integers; use an integer alpha");
  return {alpha};
}
template <class F> void check_divisor(const Tensor& a, const Tensor& b) {
  check_operands<F>(a, b);
  const Dtype dtype = binary_dtype<F>(result_type(a, b));
  if (!is_floating(dtype))
    check<ValueError>(!any(eq(b, 0)).template item<bool>(), F::name, "the integer divisor holds 0; mask it or divide floating tensors");
}
}  // namespace

Tensor add(const Tensor& a, const Tensor& b) { return binary<fn::Add>(a, b); }
Tensor sub(const Tensor& a, const Tensor& b) { return binary<fn::Sub>(a, b); }
Tensor add(const Tensor& a, const Tensor& b, Scalar alpha) {
  const OpRange here("add", a, b);
  if (is_one(alpha)) [[likely]] return binary<fn::Add>(a, b);
  return binary(a, b, scaled("add", a, b, alpha.to_double(), alpha));
}
Tensor sub(const Tensor& a, const Tensor& b, Scalar alpha) {
  const OpRange here("sub", a, b);
  if (is_one(alpha)) [[likely]] return binary<fn::Sub>(a, b);
  return binary(a, b, scaled("sub", a, b, -alpha.to_double(), alpha));
}
Tensor add(const Tensor& a, Scalar b) { return binary<fn::Add>(a, b); }
Tensor sub(const Tensor& a, Scalar b) { return binary<fn::Sub>(a, b); }
Tensor mul(const Tensor& a, const Tensor& b) { return binary<fn::Mul>(a, b); }
Tensor mul(const Tensor& a, Scalar b) { return binary<fn::Mul>(a, b); }
Tensor div(const Tensor& a, const Tensor& b) { return binary<fn::Div>(a, b); }
Tensor div(const Tensor& a, Scalar b) { return binary<fn::Div>(a, b); }
Tensor operator-(Scalar a, const Tensor& b) {
  check_defined("sub", b);
  return beside_number(b, a, [](const Tensor& x, const Tensor& number) { return sub(number, x); });
}
Tensor operator/(Scalar a, const Tensor& b) {
  check_defined("div", b);
  return beside_number(b, a, [](const Tensor& x, const Tensor& number) { return div(number, x); });
}

const Tensor& Tensor::add_(const Tensor& other, Scalar alpha) const {
  const OpRange here("add_", *this, other);
  if (is_one(alpha)) [[likely]] return binary_<fn::Add>(*this, other);
  return binary_(*this, other, scaled("add_", *this, other, alpha.to_double(), alpha));
}
const Tensor& Tensor::sub_(const Tensor& other, Scalar alpha) const {
  const OpRange here("sub_", *this, other);
  if (is_one(alpha)) [[likely]] return binary_<fn::Sub>(*this, other);
  return binary_(*this, other, scaled("sub_", *this, other, -alpha.to_double(), alpha));
}
const Tensor& Tensor::mul_(const Tensor& other) const { return binary_<fn::Mul>(*this, other); }
const Tensor& Tensor::div_(const Tensor& other) const { return binary_<fn::Div>(*this, other); }
const Tensor& Tensor::add_(Scalar v) const { return binary_<fn::Add>(*this, v); }
const Tensor& Tensor::sub_(Scalar v) const { return binary_<fn::Sub>(*this, v); }
const Tensor& Tensor::mul_(Scalar v) const { return binary_<fn::Mul>(*this, v); }
const Tensor& Tensor::div_(Scalar v) const { return binary_<fn::Div>(*this, v); }

#define RILL_PAIR(op) [](const Tensor& x, const Tensor& y) { return op(x, y); }
Tensor floor_divide(const Tensor& a, const Tensor& b) { return check_divisor<fn::FloorDivide>(a, b), binary<fn::FloorDivide>(a, b); }
const Tensor& floor_divide_(const Tensor& a, const Tensor& b) { return check_divisor<fn::FloorDivide>(a, b), binary_<fn::FloorDivide>(a, b); }
Tensor floor_divide(const Tensor& a, Scalar b) { return check_defined("floor_divide", a), beside_number(a, b, RILL_PAIR(floor_divide)); }
Tensor trunc_divide(const Tensor& a, const Tensor& b) { return check_divisor<fn::TruncDivide>(a, b), binary<fn::TruncDivide>(a, b); }
Tensor remainder(const Tensor& a, const Tensor& b) { return check_divisor<fn::Remainder>(a, b), binary<fn::Remainder>(a, b); }
const Tensor& remainder_(const Tensor& a, const Tensor& b) { return check_divisor<fn::Remainder>(a, b), binary_<fn::Remainder>(a, b); }
Tensor remainder(const Tensor& a, Scalar b) { return check_defined("remainder", a), beside_number(a, b, RILL_PAIR(remainder)); }
Tensor fmod(const Tensor& a, const Tensor& b) { return check_divisor<fn::Fmod>(a, b), binary<fn::Fmod>(a, b); }
const Tensor& fmod_(const Tensor& a, const Tensor& b) { return check_divisor<fn::Fmod>(a, b), binary_<fn::Fmod>(a, b); }
Tensor fmod(const Tensor& a, Scalar b) { return check_defined("fmod", a), beside_number(a, b, RILL_PAIR(fmod)); }

#undef RILL_PAIR

namespace {
/// Integer powers by squaring, wrapping as integer products do; the exponent is not negative.
Tensor integer_pow(const Tensor& a, std::int64_t e) {
  Tensor result = ones(a.shape(), {.dtype = a.dtype(), .device = a.device()}), square = a;
  for (; e > 0; e >>= 1) {
    if (e & 1) result = mul(result, square);
    if (e > 1) square = mul(square, square);
  }
  return result;
}
}  // namespace

Tensor pow(const Tensor& a, Scalar b) {
  if (amp::on()) [[unlikely]] return amp::in_float32([b](const Tensor& x) { return pow(x, b); }, a);
  const OpRange here("pow", a);
  check_defined("pow", a);
  if (!is_floating(a.dtype()) && !b.is_floating()) {
    check<ValueError>(b.to_int64() >= 0, "pow", "an integer tensor to the negative power {} is not an integer; convert with .to(rill::float32)", b.to_int64());
    const Dtype dtype = result_type(a, b);
    return integer_pow(a.dtype() == dtype ? a : a.to(dtype), b.to_int64());
  }
  const double e = b.to_double();
  if (e == 2) return square(is_floating(a.dtype()) ? a : a.to(default_dtype()));
  if (e == 1 && is_floating(a.dtype())) return mul(a, 1);
  return binary<fn::Pow>(a, b);
}
Tensor pow(const Tensor& a, const Tensor& b) {
  if (amp::on()) [[unlikely]] return amp::in_float32([](const Tensor& x, const Tensor& y) { return pow(x, y); }, a, b);
  const OpRange here("pow", a, b);
  check_operands<fn::Pow>(a, b);
  if (is_floating(result_type(a, b))) return binary<fn::Pow>(a, b);
  check<DtypeError>(is_floating(a.dtype()) || is_floating(b.dtype()), "pow", "two integer tensors ({} and {}) are not supported; convert one with .to(rill::float32)",
                    a.dtype(), b.dtype());
  return binary<fn::Pow>(a, b);
}
Tensor pow(Scalar a, const Tensor& b) {
  if (amp::on()) [[unlikely]] return amp::in_float32([a](const Tensor& x) { return pow(a, x); }, b);
  return check_defined("pow", b), beside_number(b, a, [](const Tensor& x, const Tensor& number) { return pow(number, x); });
}

const Tensor& pow_(const Tensor& a, const Tensor& b) { return check_operands<fn::Pow>(a, b), rewrite("pow_", a, [&](const Tensor& before) { return pow(before, b); }); }
const Tensor& pow_(const Tensor& a, Scalar b) { return rewrite("pow_", a, [&](const Tensor& before) { return pow(before, b); }); }

Tensor maximum(const Tensor& a, const Tensor& b) { return binary<fn::Maximum>(a, b); }
Tensor minimum(const Tensor& a, const Tensor& b) { return binary<fn::Minimum>(a, b); }
Tensor fmax(const Tensor& a, const Tensor& b) { return binary<fn::Fmax>(a, b); }
Tensor fmin(const Tensor& a, const Tensor& b) { return binary<fn::Fmin>(a, b); }
Tensor atan2(const Tensor& a, const Tensor& b) { return binary<fn::Atan2>(a, b); }
Tensor hypot(const Tensor& a, const Tensor& b) { return binary<fn::Hypot>(a, b); }
Tensor copysign(const Tensor& a, const Tensor& b) { return binary<fn::Copysign>(a, b); }
Tensor logaddexp(const Tensor& a, const Tensor& b) { return binary<fn::Logaddexp>(a, b); }
Tensor logaddexp2(const Tensor& a, const Tensor& b) { return binary<fn::Logaddexp2>(a, b); }
Tensor xlogy(const Tensor& a, const Tensor& b) { return binary<fn::Xlogy>(a, b); }
Tensor bitwise_and(const Tensor& a, const Tensor& b) { return binary<fn::BitAnd>(a, b); }
Tensor bitwise_or(const Tensor& a, const Tensor& b) { return binary<fn::BitOr>(a, b); }
Tensor bitwise_xor(const Tensor& a, const Tensor& b) { return binary<fn::BitXor>(a, b); }
/// Ops that mean numbers, not bits.
template <class F> Tensor of_integers(const Tensor& a, const Tensor& b) {
  check_operands<F>(a, b);
  check<DtypeError>(result_type(a, b) != Dtype::boolean, F::name, "bool is not supported (expected an integer dtype); convert with .to()");
  return binary<F>(a, b);
}
Tensor bitwise_left_shift(const Tensor& a, const Tensor& b) { return of_integers<fn::ShiftLeft>(a, b); }
Tensor bitwise_right_shift(const Tensor& a, const Tensor& b) { return of_integers<fn::ShiftRight>(a, b); }
Tensor gcd(const Tensor& a, const Tensor& b) { return of_integers<fn::Gcd>(a, b); }

// ---- comparisons ------------------------------------------------------------------------------------------------------------

Tensor eq(const Tensor& a, const Tensor& b) { return compare<fn::Equal>(a, b); }
Tensor ne(const Tensor& a, const Tensor& b) { return compare<fn::NotEqual>(a, b); }
Tensor lt(const Tensor& a, const Tensor& b) { return compare<fn::Less>(a, b); }
Tensor le(const Tensor& a, const Tensor& b) { return compare<fn::LessEqual>(a, b); }
Tensor gt(const Tensor& a, const Tensor& b) { return compare<fn::Greater>(a, b); }
Tensor ge(const Tensor& a, const Tensor& b) { return compare<fn::GreaterEqual>(a, b); }
Tensor eq(const Tensor& a, Scalar b) { return compare<fn::Equal>(a, b); }
Tensor ne(const Tensor& a, Scalar b) { return compare<fn::NotEqual>(a, b); }
Tensor lt(const Tensor& a, Scalar b) { return compare<fn::Less>(a, b); }
Tensor le(const Tensor& a, Scalar b) { return compare<fn::LessEqual>(a, b); }
Tensor gt(const Tensor& a, Scalar b) { return compare<fn::Greater>(a, b); }
Tensor ge(const Tensor& a, Scalar b) { return compare<fn::GreaterEqual>(a, b); }

// ---- where and other functions of three ----------------------------------------------------------------------------------------

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  const OpRange here("where", condition, a, b);
  check_defined("where", condition, "the condition");
  check_defined("where", a, "the first value");
  check_defined("where", b, "the second value");
  const Device device = common_device("where", {&a, &b, &condition});
  check<DtypeError>(impl(condition).dtype == Dtype::boolean, "where", "the condition is {}, expected bool; compare it first, as in x > 0", impl(condition).dtype);
  const Dtype dtype = result_type(a, b);
  const Shape shape = broadcast_shapes(impl(condition).shape, broadcast_shapes(impl(a).shape, impl(b).shape, "where"), "where");
  checked_numel("where", shape, dtype);
  const Tensor& like = impl(a).shape == shape ? a : impl(b).shape == shape ? b : condition;
  Tensor out = impl(like).shape == shape && impl(like).device == device ? make_like(like, dtype) : make_tensor(shape, dtype, device);
  const Kernels& k = kernels(out);
  map_tensors(k, {&k.where, nullptr, compute_dtype(dtype), compute_dtype(dtype), kGrain}, out, {&condition, &a, &b});
  if (!recording(a, b)) return out;
  auto pass = [condition](const Tensor& like, bool first) {
    return [condition, first, shape = impl(like).shape, to = impl(like).dtype, device = impl(like).device](const Tensor& g) {
      const Tensor zero = constant(0, impl(g).dtype, Device::cpu());
      return sum_to(first ? where(condition, g, zero) : where(condition, zero, g), shape, to).to(device);
    };
  };
  return record("where", std::move(out), grad(a, pass(a, true)), grad(b, pass(b, false)));
}
Tensor where(const Tensor& c, const Tensor& a, Scalar b) { return check_defined("where", a), where(c, a, constant(b, result_type(a, b), Device::cpu())); }
Tensor where(const Tensor& c, Scalar a, const Tensor& b) { return check_defined("where", b), where(c, constant(a, result_type(b, a), Device::cpu()), b); }

namespace {
template <class F> Tensor ternary_value(const Tensor& a, const Tensor& b, const Tensor& c, const F& f) {
  check_operands<F>(a, b);
  check_defined(F::name, c, "the third operand");
  const Device device = common_device(F::name, {&a, &b, &c});
  const Dtype ab = result_type(a, b), dtype = promote(ab, impl(c).shape.rank() ? impl(c).dtype : ab);
  check<DtypeError>(is_floating(dtype), F::name, "{} is not supported (expected a floating dtype); convert with .to(rill::float32)", dtype);
  const Shape shape = broadcast_shapes(broadcast_shapes(impl(a).shape, impl(b).shape, F::name), impl(c).shape, F::name);
  checked_numel(F::name, shape, dtype);
  Tensor out = impl(a).shape == shape && impl(a).device == device ? make_like(a, dtype) : make_tensor(shape, dtype, device);
  const Kernels& k = kernels(out);
  run_map(k, F::name, k.ternary[fn::Ternary::index<F>], &f, compute_dtype(dtype), compute_dtype(dtype), out, a, b, c);
  return out;
}
/// The formula's result summed to the operand's shape, where the operand is.
template <class F> auto to_operand(const Tensor& x, F formula) {
  return grad(x, [formula = std::move(formula), shape = impl(x).shape, dtype = impl(x).dtype, device = impl(x).device](const Tensor& g) { return sum_to(formula(g), shape, dtype).to(device); });
}
}  // namespace

Tensor lerp(const Tensor& a, const Tensor& b, const Tensor& w) {
  const OpRange here("lerp", a, b, w);
  Tensor out = ternary_value(a, b, w, fn::Lerp{});
  if (!recording(a, b, w)) return out;
  return record("lerp", std::move(out), to_operand(a, [w = save(w)](const Tensor& g) { return g * (1 - w()); }),
                to_operand(b, [w = save(w)](const Tensor& g) { return g * w(); }), to_operand(w, [a = save(a), b = save(b)](const Tensor& g) { return g * (b() - a()); }));
}
Tensor lerp(const Tensor& a, const Tensor& b, double w) { return check_defined("lerp", a), lerp(a, b, constant(w, a.dtype(), Device::cpu())); }

const Tensor& lerp_(const Tensor& a, const Tensor& b, const Tensor& w) { return rewrite("lerp_", a, [&](const Tensor& before) { return lerp(before, b, w); }); }
const Tensor& lerp_(const Tensor& a, const Tensor& b, double w) { return rewrite("lerp_", a, [&](const Tensor& before) { return lerp(before, b, w); }); }

Tensor addcmul(const Tensor& a, const Tensor& b, const Tensor& c, double value) {
  const OpRange here("addcmul", a, b, c);
  Tensor out = ternary_value(a, b, c, fn::AddCmul{value});
  if (!recording(a, b, c)) return out;
  return record("addcmul", std::move(out), to_operand(a, [](const Tensor& g) { return g; }), to_operand(b, [c = save(c), value](const Tensor& g) { return g * c() * value; }),
                to_operand(c, [b = save(b), value](const Tensor& g) { return g * b() * value; }));
}
const Tensor& addcmul_(const Tensor& a, const Tensor& b, const Tensor& c, double value) {
  return rewrite("addcmul_", a, [&](const Tensor& before) { return addcmul(before, b, c, value); });
}

Tensor addcdiv(const Tensor& a, const Tensor& b, const Tensor& c, double value) {
  const OpRange here("addcdiv", a, b, c);
  Tensor out = ternary_value(a, b, c, fn::AddCdiv{value});
  if (!recording(a, b, c)) return out;
  return record("addcdiv", std::move(out), to_operand(a, [](const Tensor& g) { return g; }), to_operand(b, [c = save(c), value](const Tensor& g) { return g / c() * value; }),
                to_operand(c, [b = save(b), c = save(c), value](const Tensor& g) { return -g * (b() / (c() * c())) * value; }));
}

const Tensor& addcdiv_(const Tensor& a, const Tensor& b, const Tensor& c, double value) {
  return rewrite("addcdiv_", a, [&](const Tensor& before) { return addcdiv(before, b, c, value); });
}

}  // namespace rill
