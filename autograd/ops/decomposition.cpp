// Orthogonal decompositions and what is built from them.
#include "autograd/autocast.h"
#include "autograd/decomposition.h"
#include "lib/core/op_range.h"

#include <cmath>
#include <limits>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/reduce.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

namespace rill {
namespace {

// Note [Outputs in formulas]: a formula of several outputs needs them again. Without a second derivative the saved values serve; when
// the backward pass is recorded, the decomposition is repeated, so that its outputs are on the tape (same input, same bits).
bool again(const Saved& x) { return thread_state.grad_enabled && recording(x()); }

Tensor first_columns(const Tensor& x, std::int64_t n) { return x.size(-1) == n ? x : x.narrow(-1, 0, n); }
Tensor identity_like(const Tensor& x, std::int64_t n) { return eye(n, n, {.dtype = impl(x).dtype, .device = impl(x).device}); }
Tensor antisymmetric(const Tensor& x) { return x - x.mT(); }
/// x / e off the diagonal and 0 on it; e_ij = v_j - v_i for the vector v.
Tensor over_differences(const Tensor& x, const Tensor& v) {
  const auto n = v.size(-1);
  const Tensor diagonal_mask = eye(n, n, {.dtype = Dtype::boolean, .device = impl(v).device});
  return masked_fill(x / masked_fill(v.unsqueeze(-2) - v.unsqueeze(-1), diagonal_mask, 1), diagonal_mask, 0);
}
double epsilon_of(const Tensor& x) { return impl(x).dtype == Dtype::float32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon(); }
double tolerance(const Tensor& x, double rtol) { return rtol >= 0 ? rtol : static_cast<double>(std::max(x.size(-1), x.size(-2))) * epsilon_of(x); }

}  // namespace

// ---- QR: Walter, Lehmann and Lamour, "On evaluating higher-order derivatives of the QR decomposition" (2012) --------------------------

namespace {

/// The gradient of A = Q R for m >= n and square R: (dQ + Q copyltu(R dR^T - dQ^T Q)) R^-T.
Tensor qr_gradient(const Tensor& gq, const Tensor& gr, const Tensor& q, const Tensor& r) {
  Tensor m;
  if (gr.defined()) m = matmul(r, gr.mT());
  if (gq.defined()) m = m.defined() ? m - matmul(gq.mT(), q) : neg(matmul(gq.mT(), q));
  const Tensor lower = tril(m, -1);
  Tensor z = matmul(q, lower + lower.mT() + diag_embed(diagonal(m, 0, -2, -1)));
  if (gq.defined()) z = z + gq;
  return solve_triangular(r.mT(), z, {.left = false});
}

}  // namespace

Qr qr(const Tensor& x, bool complete) {
  const OpRange here("qr", x);
  check_matrices("qr", x);
  const auto &kn = kernels(x);
  const auto factor = need("qr", kn.qr);
  const auto m = x.size(-2), n = x.size(-1), k = std::min(m, n), width = complete ? m : k;
  const Tensor a = by_columns(x), tau = make_tensor(batch_shape(impl(x).shape, {k}), impl(x).dtype, impl(x).device);
  Tensor q, r;
  {
    NoGrad off;
    if (impl(a).numel) factor(view(a), view(tau));
    r = triu(as_matrix(a).narrow(-2, 0, width == m ? m : k));
    Tensor buffer = columns_buffer(x, m, width);
    if (k == 0) {
      buffer.copy_(eye(width, m, {.dtype = impl(x).dtype, .device = impl(x).device}));
    } else if (impl(buffer).numel) {
      buffer.narrow(-2, 0, k).copy_(a.narrow(-2, 0, k));
      if (width > k) buffer.narrow(-2, k, width - k).zero_();
      kn.qr_columns(view(buffer), view(tau));
    }
    q = as_matrix(buffer);
  }
  if (!recording(x)) return {q, r};
  check<GradError>(!complete || m <= n, "qr", "a complete Q of the {} x {} matrix has no gradient; use the reduced form", m, n);
  std::array<Tensor, 2> outputs{q, r};
  const std::array inputs{x};
  record_many("qr", inputs, outputs, [x = save(x), q = save(make_detached(q)), r = save(make_detached(r)), complete, m, n](std::span<Tensor> g, GradSink&) {
    if (!g[0].defined() && !g[1].defined()) return std::vector<Tensor>{Tensor()};
    const Qr y = again(x) ? qr(x(), complete) : Qr{q(), r()};
    if (m >= n) return std::vector{qr_gradient(g[0], g[1], y.q, y.r)};
    // A = [X Y] = Q [U V]: V = Q^T Y makes Y a factor of its own
    const Tensor right = x().narrow(-1, m, n - m), u = y.r.narrow(-1, 0, m);
    if (!g[1].defined()) return std::vector{cat({qr_gradient(g[0], {}, y.q, u), zeros_like(right)}, -1)};
    const Tensor gu = g[1].narrow(-1, 0, m), gv = g[1].narrow(-1, m, n - m);
    const Tensor from_v = matmul(right, gv.mT());
    return std::vector{cat({qr_gradient(g[0].defined() ? g[0] + from_v : from_v, gu, y.q, u), matmul(y.q, gv)}, -1)};
  });
  return {outputs[0], outputs[1]};
}

Tensor householder_product(const Tensor& x, const Tensor& tau) {
  const OpRange here("householder_product", x, tau);
  const char* op = "householder_product";
  check_matrices(op, x);
  check_defined(op, tau, "tau");
  const auto m = x.size(-2), n = x.size(-1);
  check<ShapeError>(m >= n && tau.dim() == x.dim() - 1 && tau.size(-1) <= n && impl(tau).dtype == impl(x).dtype, op, "takes x [.., m, n] with m >= n and tau [.., k] with k <= n, got {} and {}", x.shape(),
                    tau.shape());
  Tensor q = eye(m, n, {.dtype = impl(x).dtype, .device = impl(x).device});
  const Tensor unit = tril(x, -1) + eye(m, n, {.dtype = impl(x).dtype, .device = impl(x).device});
  for (auto i = tau.size(-1) - 1; i >= 0; --i) {
    const Tensor v = unit.narrow(-1, i, 1);
    q = q - matmul(tau.narrow(-1, i, 1).unsqueeze(-1) * v, matmul(v.mT(), q));
  }
  return q;
}

// ---- SVD: Townsend, "Differentiating the singular value decomposition" (2016) ----------------------------------------------------------

namespace {

enum class Vectors { none, reduced, all };

Svd svd_values(const char* op, const Tensor& x, Vectors vectors) {
  const auto kernel = need(op, kernels(x).svd);
  const auto m = x.size(-2), n = x.size(-1), k = std::min(m, n);
  const Tensor a = by_columns(x), info = info_of(x);
  Svd r;
  r.s = make_tensor(batch_shape(impl(x).shape, {k}), impl(x).dtype, impl(x).device);
  const auto left = vectors == Vectors::none ? 0 : vectors == Vectors::all ? m : k, right = vectors == Vectors::none ? 0 : vectors == Vectors::all ? n : k;
  const Tensor u = columns_buffer(x, m, left), vh = columns_buffer(x, right, n);
  if (impl(x).numel) {
    kernel(view(a), view(u), view(r.s), view(vh), view(info));
  } else {
    NoGrad off;
    if (impl(u).numel) u.copy_(identity_like(x, m));
    if (impl(vh).numel) vh.copy_(identity_like(x, n));
  }
  check_info(op, info, "did not converge: {} superdiagonals of the bidiagonal form are not 0");
  r.u = as_matrix(u), r.vh = as_matrix(vh);
  return r;
}

Tensor svd_gradient(const Tensor& gu, const Tensor& gs, const Tensor& gvh, const Tensor& u, const Tensor& s, const Tensor& vh) {
  if (!gu.defined() && !gvh.defined()) return matmul(u * gs.unsqueeze(-2), vh);
  const Tensor row = s.unsqueeze(-2), column = s.unsqueeze(-1), squares = square(s);
  Tensor inner;
  const auto add = [](Tensor& sum, const Tensor& t) { sum = sum.defined() ? sum + t : t; };
  if (gs.defined()) add(inner, diag_embed(gs));
  if (gu.defined()) add(inner, over_differences(antisymmetric(matmul(u.mT(), gu)), squares) * row);
  if (gvh.defined()) add(inner, column * over_differences(antisymmetric(matmul(vh, gvh.mT())), squares));
  Tensor out = matmul(matmul(u, inner), vh);
  if (gu.defined() && u.size(-2) > u.size(-1)) add(out, matmul((gu - matmul(u, matmul(u.mT(), gu))) / row, vh));
  if (gvh.defined() && vh.size(-1) > vh.size(-2)) add(out, matmul(u, (gvh - matmul(matmul(gvh, vh.mT()), vh)) / column));
  return out;
}

}  // namespace

Svd svd(const Tensor& x, bool full_matrices) {
  const OpRange here("svd", x);
  check_matrices("svd", x);
  Svd y = svd_values("svd", x, full_matrices ? Vectors::all : Vectors::reduced);
  if (!recording(x)) return y;
  std::array<Tensor, 3> outputs{y.u, y.s, y.vh};
  const std::array inputs{x};
  record_many("svd", inputs, outputs, [x = save(x), u = save(make_detached(y.u)), s = save(make_detached(y.s)), vh = save(make_detached(y.vh))](std::span<Tensor> g, GradSink&) {
    if (!g[0].defined() && !g[1].defined() && !g[2].defined()) return std::vector<Tensor>{Tensor()};
    const auto k = s().size(-1);
    check<GradError>((!g[0].defined() || g[0].size(-1) == k) && (!g[2].defined() || g[2].size(-2) == k), "svd", "the additional vectors of full_matrices have no gradient; use svd(x)");
    const bool repeat = again(x);
    Svd y = repeat ? svd(x()) : Svd{u(), s(), vh()};
    if (!repeat) y.u = first_columns(y.u, k), y.vh = y.vh.size(-2) == k ? y.vh : y.vh.narrow(-2, 0, k);
    return std::vector{svd_gradient(g[0], g[1], g[2], y.u, y.s, y.vh)};
  });
  return {outputs[0], outputs[1], outputs[2]};
}

Tensor svdvals(const Tensor& x) {
  const OpRange here("svdvals", x);
  check_matrices("svdvals", x);
  if (recording(x)) return svd(x).s;
  return svd_values("svdvals", x, Vectors::none).s;
}

// ---- symmetric eigenproblem: Giles 2008, section 3.1 ---------------------------------------------------------------------------------

namespace {
Eigh eigh_values(const char* op, const Tensor& x, bool upper, bool vectors) {
  check_matrices(op, x, true);
  const auto kernel = need(op, kernels(x).eigh);
  const Tensor a = by_columns(x), info = info_of(x);
  Tensor values = make_tensor(batch_shape(impl(x).shape, {x.size(-1)}), impl(x).dtype, impl(x).device);
  if (impl(x).numel) kernel(view(a), view(values), view(info), vectors, upper);
  check_info(op, info, "did not converge: {} off-diagonal elements are not 0");
  return {std::move(values), as_matrix(a)};
}
}  // namespace

Eigh eigh(const Tensor& x, bool upper) {
  const OpRange here("eigh", x);
  Eigh y = eigh_values("eigh", x, upper, true);
  if (!recording(x)) return y;
  std::array<Tensor, 2> outputs{y.values, y.vectors};
  const std::array inputs{x};
  record_many("eigh", inputs, outputs, [x = save(x), values = save(make_detached(y.values)), vectors = save(make_detached(y.vectors)), upper](std::span<Tensor> g, GradSink&) {
    if (!g[0].defined() && !g[1].defined()) return std::vector<Tensor>{Tensor()};
    const Eigh y = again(x) ? eigh(x(), upper) : Eigh{values(), vectors()};
    if (!g[1].defined()) return std::vector{matmul(y.vectors * g[0].unsqueeze(-2), y.vectors.mT())};
    Tensor inner = over_differences(matmul(y.vectors.mT(), g[1]), y.values);
    if (g[0].defined()) inner = inner + diag_embed(g[0]);
    return std::vector{matmul(matmul(y.vectors, (inner + inner.mT()) * 0.5), y.vectors.mT())};
  });
  return {outputs[0], outputs[1]};
}

Tensor eigvalsh(const Tensor& x, bool upper) {
  const OpRange here("eigvalsh", x);
  check_matrices("eigvalsh", x, true);
  if (recording(x)) return eigh(x, upper).values;
  return eigh_values("eigvalsh", x, upper, false).values;
}

// ---- pseudo-inverse and what the singular values tell ----------------------------------------------------------------------------------

Tensor pinv(const Tensor& x, double rtol) {
  const OpRange here("pinv", x);
  check_matrices("pinv", x);
  Tensor y;
  {
    NoGrad off;
    const Svd d = svd_values("pinv", x.detach(), Vectors::reduced);
    const auto k = d.s.size(-1);
    if (k == 0) {
      y = zeros(batch_shape(impl(x).shape, {x.size(-1), x.size(-2)}), {.dtype = impl(x).dtype, .device = impl(x).device});
    } else {
      const Tensor limit = d.s.narrow(-1, 0, 1) * tolerance(x, rtol);
      const Tensor inverse = where(gt(d.s, limit), reciprocal(d.s), 0);
      y = matmul(d.vh.mT() * inverse.unsqueeze(-2), d.u.mT());
    }
  }
  if (!recording(x)) return y;
  // Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems" (1973)
  return record("pinv", std::move(y), grad(x, [x = save(x)](const Tensor& g, const Tensor& y) {
                  const Tensor &a = x(), yt = y.mT(), gt = g.mT();
                  const Tensor ygt = matmul(gt, y);  // m x m
                  const Tensor left = matmul(ygt, yt), first = left - matmul(matmul(yt, a.mT()), left);
                  const Tensor right = matmul(yt, matmul(y, gt)), second = right - matmul(right, matmul(y, a));
                  return first + second - matmul(matmul(yt, g), yt);
                }));
}

Tensor lstsq(const Tensor& a, const Tensor& b, double rtol) {
  const OpRange here("lstsq", a, b);
  check_matrices("lstsq", a, false, "the matrix");
  check_defined("lstsq", b, "the right side");
  const bool vector = b.dim() == 1 || (b.dim() == a.dim() - 1 && impl(b).shape == batch_shape(impl(a).shape, {a.size(-2)}));
  check<ShapeError>(b.size(vector ? -1 : -2) == a.size(-2), "lstsq", "a matrix of shape {} does not fit a right side of shape {}", a.shape(), b.shape());
  const Tensor x = matmul(pinv(a, rtol), vector ? b.unsqueeze(-1) : b);
  return vector ? x.squeeze(-1) : x;
}

Tensor matrix_rank(const Tensor& x, double rtol) {
  const OpRange here("matrix_rank", x);
  NoGrad off;
  const Tensor s = svdvals(x);
  if (s.size(-1) == 0) return zeros(batch_shape(impl(x).shape), {.dtype = Dtype::int64, .device = impl(x).device});
  return sum(gt(s, s.narrow(-1, 0, 1) * tolerance(x, rtol)), {-1});
}

Tensor cond(const Tensor& x) {
  const OpRange here("cond", x);
  check_matrices("cond", x);
  const Tensor s = svdvals(x);
  check<ShapeError>(s.size(-1) > 0, "cond", "a matrix of shape {} has no singular values", x.shape());
  return s.select(-1, 0) / s.select(-1, -1);
}

Tensor matrix_norm(const Tensor& x, MatrixNorm kind, bool keepdim) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&matrix_norm, x, kind, keepdim);
  const OpRange here("matrix_norm", x);
  check_defined("matrix_norm", x);
  check<ShapeError>(x.dim() >= 2, "matrix_norm", "takes matrices (rank 2 or more), got shape {}", x.shape());
  check<DtypeError>(is_floating(x.dtype()), "matrix_norm", "{} is not supported (expected a floating dtype); convert with .to(rill::float32)", x.dtype());
  const auto finish = [&](Tensor r) { return keepdim ? r.unsqueeze(-1).unsqueeze(-1) : r; };
  const auto extreme = [&](std::int64_t summed, bool largest) {
    const Tensor s = sum(abs(x), {summed});
    return finish(largest ? amax(s, {-1}) : amin(s, {-1}));
  };
  switch (kind) {
    case MatrixNorm::fro: return norm(x, 2, {-2, -1}, keepdim);
    case MatrixNorm::nuc: return finish(sum(svdvals(x), {-1}));
    case MatrixNorm::one: return extreme(-2, true);
    case MatrixNorm::minus_one: return extreme(-2, false);
    case MatrixNorm::inf: return extreme(-1, true);
    case MatrixNorm::minus_inf: return extreme(-1, false);
    case MatrixNorm::two: return finish(svdvals(x).select(-1, 0));
    case MatrixNorm::minus_two: return finish(svdvals(x).select(-1, -1));
  }
  fail<Internal>("matrix_norm", "unknown kind");
}

// ---- powers and exponentials -----------------------------------------------------------------------------------------------------

Tensor matrix_power(const Tensor& x, std::int64_t n) {
  const OpRange here("matrix_power", x);
  const char* op = "matrix_power";
  check_defined(op, x);
  check<ShapeError>(x.dim() >= 2 && x.size(-1) == x.size(-2), op, "takes square matrices, got shape {}", x.shape());
  if (n == 0) return identity_like(x, x.size(-1)).expand(x.shape()).clone(MemoryFormat::contiguous);
  Tensor square = n < 0 ? inv(x) : x, result;
  for (auto e = n < 0 ? 0 - static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n);;) {
    if (e & 1) result = result.defined() ? matmul(result, square) : square;
    if (!(e >>= 1)) break;
    square = matmul(square, square);
  }
  return n == 1 ? result.clone() : result;
}

Tensor matrix_exp(const Tensor& x) {
  const OpRange here("matrix_exp", x);
  // Higham, "The scaling and squaring method for the matrix exponential revisited" (2005): the [13/13] Pade approximant, exact to double
  // precision below a 1-norm of 5.37
  check_matrices("matrix_exp", x, true);
  constexpr double b[] = {64764752532480000., 32382376266240000., 7771770303897600., 1187353796428800., 129060195264000., 10559470521600., 670442572800.,
                          33522128640.,       1323241920.,        40840800.,         960960.,           16380.,           182.,           1.};
  int squarings = 0;
  {
    NoGrad off;
    double largest = 0;
    for (const double v : sum(abs(x.detach()), {-2}).to_vector<double>()) largest = std::max(largest, v);
    if (std::isfinite(largest) && largest > 5.371920351148152) squarings = static_cast<int>(std::ceil(std::log2(largest / 5.371920351148152)));
  }
  const Tensor a = squarings ? x * std::ldexp(1.0, -squarings) : x, unit = identity_like(x, x.size(-1));
  // numerator and denominator are V + U and V - U; the common factor b[0] would overflow float32, so all are divided by it
  const auto c = [&](int i) { return b[i] / b[0]; };
  const Tensor a2 = matmul(a, a), a4 = matmul(a2, a2), a6 = matmul(a4, a2);
  const Tensor u = matmul(a, matmul(a6, a6 * c(13) + a4 * c(11) + a2 * c(9)) + a6 * c(7) + a4 * c(5) + a2 * c(3) + unit * c(1));
  const Tensor v = matmul(a6, a6 * c(12) + a4 * c(10) + a2 * c(8)) + a6 * c(6) + a4 * c(4) + a2 * c(2) + unit;
  Tensor r = solve(v - u, v + u);
  for (int i = 0; i < squarings; ++i) r = matmul(r, r);
  return r;
}

}  // namespace rill
