// Matrix products. Gradients of C = A B: dA = G B^T, dB = A^T G, summed over broadcast batch axes.
#include <rill/ops/linalg.h>

#include <rill/ops/elementwise.h>
#include <rill/ops/view.h>

#include "autograd/autocast.h"
#include "autograd/binary.h"
#include "autograd/products.h"
#include "lib/core/checked.h"
#include "lib/core/op_range.h"

namespace rill {

void check_product(const char* op, const Tensor& a, const Tensor& b) {
  check_defined(op, a, "the first operand");
  check_defined(op, b, "the second operand");
  check_same_device(op, a, b);
  const Dtype x = impl(a).dtype, y = impl(b).dtype;
  check<DtypeError>(x == y, op, "operands have dtypes {} and {}; convert one with .to()", x, y);
  check<DtypeError>(x != Dtype::boolean, op, "bool is not supported (expected a floating or integer dtype); convert with .to()");
}

namespace {

/// A tensor seen as a matrix of chosen sizes and strides.
struct MatrixView {
  std::int64_t sizes[2], strides[2];
  View view(const Tensor& t) const { return {impl(t).data, impl(t).dtype, 2, sizes, strides, sizes[0] * sizes[1], false}; }
};
MatrixView column(const Tensor& x) { return {{impl(x).numel, 1}, {impl(x).shape.rank() ? impl(x).strides[0] : 1, 1}}; }
MatrixView row(const Tensor& x) { return {{1, impl(x).numel}, {1, impl(x).shape.rank() ? impl(x).strides[0] : 1}}; }

void check_rank(const char* op, const Tensor& a, int ra, const Tensor& b, int rb) {
  check<ShapeError>(impl(a).shape.rank() == ra && impl(b).shape.rank() == rb, op, "takes operands of rank {} and {}, got {} and {}; use matmul() for other ranks", ra, rb,
                    impl(a).shape, impl(b).shape);
}

[[noreturn, gnu::cold]] void fail_inner(const char* op, const Tensor& a, const Tensor& b, std::int64_t ka, std::int64_t kb) {
  fail<ShapeError>(op, "cannot multiply {} by {}: inner sizes {} and {} differ", impl(a).shape, impl(b).shape, ka, kb);
}

Tensor rows_of(const Tensor& x) {  // [.., n] -> [rows, n]
  const auto& s = impl(x).shape;
  if (s.rank() == 2) return x;
  std::int64_t rows = 1;
  for (int i = 0; i + 1 < s.rank(); ++i) rows *= s[i];
  return x.reshape({rows, s.back()});
}

/// The shape of a product of rank >= 2; checks sizes.
Shape product_shape(const char* op, const Tensor& a, const Tensor& b) {
  const Shape &x = impl(a).shape, &y = impl(b).shape;
  const int ra = x.rank(), rb = y.rank();
  if (x[ra - 1] != y[rb - 2]) fail_inner(op, a, b, x[ra - 1], y[rb - 2]);
  if (ra == 2 && rb == 2) [[likely]] return {x[0], y[1]};
  Shape shape = x, other = y;
  shape.erase(ra - 1), shape.erase(ra - 2);
  other.erase(rb - 1), other.erase(rb - 2);
  shape = broadcast_shapes(shape, other, op);
  shape.push_back(x[ra - 2]), shape.push_back(y[rb - 1]);
  return shape;
}

Tensor gradient_a(const Tensor& g, const Tensor& b, const Shape& shape) {
  return sum_to(product("matmul", g, b.mT()), shape, impl(g).dtype);
}
Tensor gradient_b(const Tensor& g, const Tensor& a, const Shape& shape) {
  // one B for a whole batch: a single product instead of a batch of gradients that are then added
  if (shape.rank() == 2 && impl(a).shape.rank() == impl(g).shape.rank()) return product("matmul", rows_of(a).mT(), rows_of(g));
  return sum_to(product("matmul", a.mT(), g), shape, impl(g).dtype);
}

}  // namespace

Tensor product(const char* op, const Tensor& a, const Tensor& b) {
  const Shape shape = product_shape(op, a, b);
  checked_numel(op, shape, impl(a).dtype);
  Tensor out = make_tensor(shape, impl(a).dtype, impl(a).device);
  kernels(a).gemm(view(a), view(b), view(out), false);
  if (!recording(a, b)) return out;
  if (shape.rank() == 2) [[likely]]
    return record(op, std::move(out), grad(a, [b = save(b)](const Tensor& g) { return product("matmul", g, b().t()); }),
                  grad(b, [a = save(a)](const Tensor& g) { return product("matmul", a().t(), g); }));
  return record(op, std::move(out), grad(a, [b = save(b), s = impl(a).shape](const Tensor& g) { return gradient_a(g, b(), s); }),
                grad(b, [a = save(a), s = impl(b).shape](const Tensor& g) { return gradient_b(g, a(), s); }));
}

bool fast_16bit_products(const Tensor& x) {
  const Dtype d = impl(x).dtype;
  if (!impl(x).device.is_cpu()) return d == Dtype::bfloat16 || d == Dtype::float16;
  return d == Dtype::bfloat16 && cpu_kernels().gemm_panels[static_cast<std::size_t>(d)].columns > 0;
}

Tensor dot(const Tensor& a, const Tensor& b) {
  if (amp::on()) [[unlikely]] return amp::widest(&dot, a, b);
  const OpRange here("dot", a, b);
  check_product("dot", a, b);
  check_rank("dot", a, 1, b, 1);
  if (impl(a).numel != impl(b).numel) fail_inner("dot", a, b, impl(a).numel, impl(b).numel);
  Tensor out = make_tensor({}, impl(a).dtype, impl(a).device);
  kernels(a).gemm(row(a).view(a), column(b).view(b), MatrixView{{1, 1}, {1, 1}}.view(out), false);
  if (!recording(a, b)) return out;
  return record("dot", std::move(out), grad(a, [b = save(b)](const Tensor& g) { return g * b(); }), grad(b, [a = save(a)](const Tensor& g) { return g * a(); }));
}

Tensor mv(const Tensor& a, const Tensor& x) {
  if (amp::on()) [[unlikely]] return amp::low(&mv, a, x);
  const OpRange here("mv", a, x);
  check_product("mv", a, x);
  check_rank("mv", a, 2, x, 1);
  const auto m = impl(a).shape[0];
  if (impl(a).shape[1] != impl(x).numel) fail_inner("mv", a, x, impl(a).shape[1], impl(x).numel);
  Tensor out = make_tensor({m}, impl(a).dtype, impl(a).device);
  kernels(a).gemm(view(a), column(x).view(x), MatrixView{{m, 1}, {1, 1}}.view(out), false);
  if (!recording(a, x)) return out;
  return record("mv", std::move(out), grad(a, [x = save(x)](const Tensor& g) { return outer(g, x()); }), grad(x, [a = save(a)](const Tensor& g) { return mv(a().t(), g); }));
}

Tensor outer(const Tensor& a, const Tensor& b) {
  const OpRange here("outer", a, b);
  check_defined("outer", a, "the first operand");
  check_defined("outer", b, "the second operand");
  check_rank("outer", a, 1, b, 1);
  return mul(a.unsqueeze(1), b.unsqueeze(0));
}

Tensor mm(const Tensor& a, const Tensor& b) {
  if (amp::on()) [[unlikely]] return amp::low(&mm, a, b);
  const OpRange here("mm", a, b);
  check_product("mm", a, b);
  check_rank("mm", a, 2, b, 2);
  return product("mm", a, b);
}

Tensor bmm(const Tensor& a, const Tensor& b) {
  if (amp::on()) [[unlikely]] return amp::low(&bmm, a, b);
  const OpRange here("bmm", a, b);
  check_product("bmm", a, b);
  check_rank("bmm", a, 3, b, 3);
  check<ShapeError>(impl(a).shape[0] == impl(b).shape[0], "bmm", "batches {} and {} of {} and {} differ; matmul() broadcasts", impl(a).shape[0], impl(b).shape[0], impl(a).shape,
                    impl(b).shape);
  return product("bmm", a, b);
}

Tensor matmul(const Tensor& a, const Tensor& b) {
  if (amp::on()) [[unlikely]] return amp::low(&matmul, a, b);
  const OpRange here("matmul", a, b);
  check_product("matmul", a, b);
  const int ra = impl(a).shape.rank(), rb = impl(b).shape.rank();
  if (ra >= 2 && rb >= 2) [[likely]] return product("matmul", a, b);
  check<ShapeError>(ra > 0 && rb > 0, "matmul", "cannot multiply {} by {}: a 0-dim tensor is no matrix; use mul()", impl(a).shape, impl(b).shape);
  const auto ka = impl(a).shape.back(), kb = impl(b).shape[rb == 1 ? 0 : rb - 2];
  if (ka != kb) fail_inner("matmul", a, b, ka, kb);
  if (ra == 1 && rb == 1) return dot(a, b);
  if (ra == 2) return mv(a, b);
  if (rb == 2) return mv(b.t(), a);
  if (ra == 1) return product("matmul", a.unsqueeze(0), b).squeeze(-2);
  return product("matmul", a, b.unsqueeze(1)).squeeze(-1);
}

// ---- products with a summand ------------------------------------------------------------------------------------------------

namespace {

void check_summand(const char* op, const Tensor& c, const Tensor& a, const Shape& shape) {
  check_defined(op, c, "the summand");
  check_same_device(op, a, c);
  check<DtypeError>(impl(c).dtype == impl(a).dtype, op, "the summand has dtype {}, the factors {}; convert one with .to()", impl(c).dtype, impl(a).dtype);
  const Shape &s = impl(c).shape;
  bool fits = s.rank() <= shape.rank();
  for (int i = 0; fits && i < s.rank(); ++i) fits = s[i] == 1 || s[i] == shape[shape.rank() - s.rank() + i];
  check<ShapeError>(fits, op, "a summand of shape {} does not broadcast to the product's shape {}", s, shape);
}

bool is(Scalar s, double v) { return s.to_double() == v; }

/// beta c + alpha a b; operands are checked and of rank >= 2.
Tensor add_product(const char* op, const Tensor& c, const Tensor& a, const Tensor& b, const AddmmOptions& o) {
  const Shape shape = product_shape(op, a, b);
  check_summand(op, c, a, shape);
  check<DtypeError>(is_floating(impl(a).dtype) || (!o.beta.is_floating() && !o.alpha.is_floating()), op, "beta and alpha must be integers for {} operands", impl(a).dtype);
  if (!is(o.alpha, 1) || !is(o.beta, 1)) {
    Tensor y = product(op, a, b);
    if (!is(o.alpha, 1)) y = mul(y, o.alpha);
    return is(o.beta, 0) ? y : add(y, c, o.beta);
  }
  checked_numel(op, shape, impl(a).dtype);
  Tensor out = make_tensor(shape, impl(a).dtype, impl(a).device);
  const Kernels& k = kernels(a);
  k.copy(view(c), view(out));
  k.gemm(view(a), view(b), view(out), true);
  if (!recording(c, a, b)) return out;
  return record(op, std::move(out), grad(c, [s = impl(c).shape](const Tensor& g) { return sum_to(g, s, impl(g).dtype); }),
                grad(a, [b = save(b), s = impl(a).shape](const Tensor& g) { return gradient_a(g, b(), s); }),
                grad(b, [a = save(a), s = impl(b).shape](const Tensor& g) { return gradient_b(g, a(), s); }));
}

}  // namespace

Tensor addmm(const Tensor& c, const Tensor& a, const Tensor& b, AddmmOptions options) {
  if (amp::on()) [[unlikely]] return amp::low(&addmm, c, a, b, options);
  const OpRange here("addmm", c, a, b);
  check_product("addmm", a, b);
  check_rank("addmm", a, 2, b, 2);
  return add_product("addmm", c, a, b, options);
}

Tensor baddbmm(const Tensor& c, const Tensor& a, const Tensor& b, AddmmOptions options) {
  if (amp::on()) [[unlikely]] return amp::low(&baddbmm, c, a, b, options);
  const OpRange here("baddbmm", c, a, b);
  check_product("baddbmm", a, b);
  check_rank("baddbmm", a, 3, b, 3);
  check<ShapeError>(impl(a).shape[0] == impl(b).shape[0], "baddbmm", "batches {} and {} of {} and {} differ", impl(a).shape[0], impl(b).shape[0], impl(a).shape, impl(b).shape);
  return add_product("baddbmm", c, a, b, options);
}

Tensor addmv(const Tensor& c, const Tensor& a, const Tensor& x, AddmmOptions options) {
  if (amp::on()) [[unlikely]] return amp::low(&addmv, c, a, x, options);
  const OpRange here("addmv", c, a, x);
  check_product("addmv", a, x);
  check_rank("addmv", a, 2, x, 1);
  check_defined("addmv", c, "the summand");
  check_summand("addmv", c, a, {impl(a).shape[0]});
  if (impl(a).shape[1] != impl(x).numel) fail_inner("addmv", a, x, impl(a).shape[1], impl(x).numel);
  return add_product("addmv", c.dim() ? c.unsqueeze(1) : c, a, x.unsqueeze(1), options).squeeze(1);
}

Tensor bias_add(const Tensor& x, const Tensor& bias, std::int64_t axis) {
  if (amp::on()) [[unlikely]] return amp::low(&bias_add, x, bias, axis);
  const OpRange here("bias_add", x, bias);
  constexpr const char* op = "bias_add";
  check_defined(op, x);
  check_defined(op, bias, "the bias");
  check_same_device(op, x, bias);
  check<ShapeError>(x.dim() >= 1, op, "a number has no axis for a bias; expected rank 1 or more");
  const auto a = wrap_axis(op, axis, x.dim());
  check<DtypeError>(x.dtype() == bias.dtype(), op, "x has dtype {} and the bias {}; convert one with .to()", x.dtype(), bias.dtype());
  check<ShapeError>(bias.shape() == Shape{x.size(a)}, op, "bias {} does not fit axis {} of x {}; expected [{}]", bias.shape(), a, x.shape(), x.size(a));
  Shape along(x.dim() - a, 1);
  along[0] = x.size(a);
  return add(x, bias.reshape(along));
}

namespace {

/// The tape's part of a linear layer whose weight and bias get their gradients in one pass.
Tensor record_linear(Tensor out, const Tensor& x, const Tensor& w, const Tensor& b) {
  auto formula = [x = save(x), w = save(w), shape = impl(b).shape](std::span<Tensor> gs, GradSink& sink) -> std::vector<Tensor> {
    const Tensor& g = gs[0];
    Tensor gx, gw, gb;
    if (sink.wants(0)) gx = matmul(g, w());
    if (sink.wants(1) && sink.wants(2) && !recording(g, x())) {
      const Tensor rows = rows_of(g), from = rows_of(x());
      const Dtype d = impl(g).dtype;
      gw = make_tensor({impl(rows).shape[1], impl(from).shape[1]}, d, impl(g).device), gb = make_tensor(shape, d, impl(g).device);
      if (kernels(g).linear.gradients(view(rows), view(from), view(gw), view(gb))) return {gx, gw, gb};
    }
    gw = gb = Tensor();
    if (sink.wants(1)) gw = product("matmul", rows_of(g).t(), rows_of(x()));
    if (sink.wants(2)) gb = sum_to(g, shape, impl(g).dtype);
    return {gx, gw, gb};
  };
  const Tensor inputs[] = {x, w, b};
  record_many("linear", inputs, {&out, 1}, std::move(formula));
  return out;
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& w, const Tensor& b) {
  if (amp::on()) [[unlikely]] return amp::low(&linear, x, w, b);
  const OpRange here("linear", x, w, b);
  check_product("linear", x, w);
  const Shape &xs = impl(x).shape, &ws = impl(w).shape;
  check<ShapeError>(xs.rank() >= 1 && (ws.rank() == 2 || ws.rank() == 1), "linear", "takes x [.., in] and weight [out, in], got {} and {}", xs, ws);
  check<ShapeError>(xs.back() == ws.back(), "linear", "x {} has {} features, weight {} expects {}", xs, xs.back(), ws, ws.back());
  if (ws.rank() == 1) {
    if (b.defined()) check_summand("linear", b, x, {});
    Tensor y = matmul(x, w);
    return b.defined() ? add(y, b) : y;
  }
  Shape shape = xs;
  shape[xs.rank() - 1] = ws[0];
  checked_numel("linear", shape, impl(x).dtype);
  if (b.defined()) check_summand("linear", b, x, shape);
  Tensor out = make_tensor(shape, impl(x).dtype, impl(x).device);
  const Kernels& k = kernels(x);
  const MatrixView transposed{{ws[1], ws[0]}, {impl(w).strides[1], impl(w).strides[0]}};
  const bool one_pass = b.defined() && k.linear.forward && impl(b).shape.rank() == 1 && impl(b).numel == ws[0];
  if (one_pass && k.linear.forward(view(x), view(w), view(b), view(out))) return record_linear(std::move(out), x, w, b);
  if (b.defined()) k.copy(view(b), view(out));
  if (xs.rank() == 1) k.gemm(row(x).view(x), transposed.view(w), row(out).view(out), b.defined());
  else k.gemm(view(x), transposed.view(w), view(out), b.defined());
  if (!recording(x, w, b)) return out;
  auto to_x = grad(x, [w = save(w)](const Tensor& g) { return matmul(g, w()); });
  auto to_w = grad(w, [x = save(x)](const Tensor& g) { return product("matmul", rows_of(g).t(), rows_of(x())); });
  if (!b.defined()) return record("linear", std::move(out), std::move(to_x), std::move(to_w));
  return record("linear", std::move(out), std::move(to_x), std::move(to_w), grad(b, [s = impl(b).shape](const Tensor& g) { return sum_to(g, s, impl(g).dtype); }));
}

}  // namespace rill
