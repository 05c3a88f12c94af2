// Linear equations: LU, Cholesky and triangular matrices. Gradients after Giles, "Collected matrix derivative results for forward and
// reverse mode algorithmic differentiation" (2008); Cholesky after Murray, "Differentiation of the Cholesky decomposition" (2016).
#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/reduce.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "autograd/binary.h"
#include "autograd/decomposition.h"
#include "lib/core/checked.h"
#include "lib/core/op_range.h"

namespace rill {

void check_matrices(const char* op, const Tensor& x, bool square, const char* argument) {
  check_defined(op, x, argument);
  const Dtype d = impl(x).dtype;
  check<DtypeError>(d == Dtype::float32 || d == Dtype::float64, op, "{} is not supported (expected float32 or float64); convert with .to()", d);
  const Shape& s = impl(x).shape;
  check<ShapeError>(s.rank() >= 2, op, "takes matrices (rank 2 or more), {} has shape {}", argument, s);
  if (square) check<ShapeError>(s[s.rank() - 1] == s[s.rank() - 2], op, "takes square matrices, {} has shape {}", argument, s);
}

Shape batch_shape(const Shape& s, std::initializer_list<std::int64_t> tail) {
  Shape r;
  for (int i = 0; i < s.rank() - 2; ++i) r.push_back(s[i]);
  for (const auto v : tail) r.push_back(v);
  return r;
}

namespace {
Tensor swapped(const Tensor& x) {  // the transpose, outside of the tape
  Shape shape = impl(x).shape;
  Strides strides = impl(x).strides;
  const int last = shape.rank() - 1;
  std::swap(shape[last], shape[last - 1]);
  std::swap(strides[last], strides[last - 1]);
  return make_alias(x, shape, strides, 0);
}
}  // namespace

Tensor by_columns(const Tensor& x) {
  const Tensor from = swapped(x);
  Tensor out = make_tensor(impl(from).shape, impl(x).dtype, impl(x).device);
  kernels(x).copy(view(from), view(out));
  return out;
}
Tensor columns_buffer(const Tensor& like, std::int64_t rows, std::int64_t columns) {
  return make_tensor(batch_shape(impl(like).shape, {columns, rows}), impl(like).dtype, impl(like).device);
}
Tensor as_matrix(const Tensor& buffer) { return swapped(buffer); }

Tensor info_of(const Tensor& x) {
  NoGrad off;
  return zeros(batch_shape(impl(x).shape), {.dtype = Dtype::int32, .device = impl(x).device});
}

void check_info(const char* op, const Tensor& info, fmt::format_string<int> sentence) {
  const auto values = info.to_vector<std::int32_t>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] == 0) continue;
    const std::string place = info.dim() == 0 ? "" : fmt::format("batch element {}: ", i);
    if (values[i] < 0) fail<ValueError>(op, "{}the matrix holds NaN or infinity", place);
    fail<ValueError>(op, "{}{}", place, fmt::format(sentence, static_cast<int>(values[i])));
  }
}

Tensor to_shape(const Tensor& g, const Shape& shape) { return sum_to(g, shape, impl(g).dtype); }

// ---- LU ---------------------------------------------------------------------------------------------------------------------

namespace {

struct Factors {
  Tensor lu, pivots, info;  // lu by columns
};
Factors factorise(const char* op, const Tensor& x) {
  const Shape& s = impl(x).shape;
  const auto lu = need(op, kernels(x).lu);
  Factors f{by_columns(x), make_tensor(batch_shape(s, {std::min(s[s.rank() - 1], s[s.rank() - 2])}), Dtype::int32, impl(x).device), info_of(x)};
  if (impl(x).numel) lu(view(f.lu), view(f.pivots), view(f.info));
  return f;
}

/// A batch of right sides, or nothing when b is a vector for each matrix.
bool is_vector(const Tensor& a, const Tensor& b) {
  const Shape &x = impl(a).shape, &y = impl(b).shape;
  if (y.rank() == 1) return true;
  if (y.rank() != x.rank() - 1) return false;
  for (int i = 0; i < y.rank(); ++i)
    if (y[i] != x[i]) return false;
  return true;
}

/// The common batch shape of a and b.
Shape common_batch(const char* op, const Tensor& a, const Tensor& b) { return broadcast_shapes(batch_shape(impl(a).shape), batch_shape(impl(b).shape), op); }
Tensor repeated(const Tensor& x, Shape batch) {  // outside of the tape
  const Shape& s = impl(x).shape;
  batch.push_back(s[s.rank() - 2]), batch.push_back(s[s.rank() - 1]);
  NoGrad off;
  return impl(x).shape == batch ? x : x.expand(batch);
}

void check_sides(const char* op, const Tensor& a, const Tensor& b, bool left = true) {
  check_matrices(op, a, true, "the matrix");
  check_matrices(op, b, false, "the right side");
  check_same_device(op, a, b);
  check<DtypeError>(impl(a).dtype == impl(b).dtype, op, "the matrix is {}, the right side {}; convert one with .to()", impl(a).dtype, impl(b).dtype);
  check<ShapeError>(a.size(-1) == b.size(left ? -2 : -1), op, "a matrix of shape {} does not fit a right side of shape {}: sizes {} and {} differ", impl(a).shape, impl(b).shape, a.size(-1),
                    b.size(left ? -2 : -1));
}

/// Row exchanges as LAPACK lists them (row i with row pivots[i] - 1, in order), applied to b or taken back.
Tensor exchange_rows(const Tensor& b, const Tensor& pivots, bool back) {
  const auto steps = pivots.to_vector<std::int64_t>();
  const auto n = pivots.size(-1), rows = b.size(-2);
  std::vector<std::int64_t> order(static_cast<std::size_t>(rows * (n ? static_cast<std::int64_t>(steps.size()) / n : 0)));
  for (std::size_t first = 0, i = 0; first < order.size(); first += static_cast<std::size_t>(rows)) {
    std::vector<std::int64_t> now(static_cast<std::size_t>(rows));
    for (std::size_t r = 0; r < now.size(); ++r) now[r] = static_cast<std::int64_t>(r);
    for (std::int64_t k = 0; k < n; ++k, ++i) {
      check<ValueError>(steps[i] >= 1 && steps[i] <= rows, "lu_solve", "pivot {} is outside 1..{}", steps[i], rows);
      std::swap(now[static_cast<std::size_t>(k)], now[static_cast<std::size_t>(steps[i] - 1)]);
    }
    for (std::size_t r = 0; r < now.size(); ++r)
      if (back) order[first + static_cast<std::size_t>(now[r])] = static_cast<std::int64_t>(r);
      else order[first + r] = now[r];
  }
  Shape shape = batch_shape(impl(b).shape);
  Shape own = impl(pivots).shape;
  own[own.rank() - 1] = rows;
  own.push_back(1);
  shape = broadcast_shapes(shape, batch_shape(own), "lu_solve");
  shape.push_back(rows), shape.push_back(b.size(-1));
  const Tensor index = tensor(std::span<const std::int64_t>(order), own, {.device = b.device()});
  return gather(b.expand(shape), -2, index.expand(shape));
}

void check_singular(const char* op, const Tensor& info) { check_info(op, info, "the matrix is singular: diagonal element {} of its LU decomposition is 0"); }

}  // namespace

Tensor solve(const Tensor& a, const Tensor& b) {
  const OpRange here("solve", a, b);
  check_matrices("solve", a, true, "the matrix");
  check_defined("solve", b, "the right side");
  if (is_vector(a, b)) return solve(a, b.unsqueeze(-1)).squeeze(-1);
  check_sides("solve", a, b);
  const Shape batch = common_batch("solve", a, b);
  const Factors f = factorise("solve", repeated(a, batch));
  check_singular("solve", f.info);
  const Tensor x = by_columns(repeated(b, batch));
  if (impl(x).numel) kernels(a).lu_solve(view(f.lu), view(f.pivots), view(x));
  Tensor out = as_matrix(x);
  if (!recording(a, b)) return out;
  return record("solve", std::move(out),
                grad(a, [a = save(a)](const Tensor& g, const Tensor& y) { return to_shape(neg(matmul(solve(a().mT(), g), y.mT())), impl(a()).shape); }),
                grad(b, [a = save(a), s = impl(b).shape](const Tensor& g) { return to_shape(solve(a().mT(), g), s); }));
}

Tensor inv(const Tensor& x) {
  const OpRange here("inv", x);
  check_matrices("inv", x, true);
  const Factors f = factorise("inv", x);
  check_singular("inv", f.info);
  const auto n = x.size(-1);
  const Tensor y = by_columns(repeated(eye(n, n, {.dtype = impl(x).dtype, .device = impl(x).device}), batch_shape(impl(x).shape)));
  if (impl(y).numel) kernels(x).lu_solve(view(f.lu), view(f.pivots), view(y));
  return record("inv", as_matrix(y), grad(x, [](const Tensor& g, const Tensor& y) { return neg(matmul(matmul(y.mT(), g), y.mT())); }));
}

namespace {

/// det, sign and log |det|.
std::array<Tensor, 3> determinants(const char* op, const Tensor& x) {
  check_matrices(op, x, true);
  const Factors f = factorise(op, x);
  std::array<Tensor, 3> r;
  for (auto& t : r) t = make_tensor(batch_shape(impl(x).shape), impl(x).dtype, impl(x).device);
  kernels(x).determinant(view(f.lu), view(f.pivots), view(r[0]), view(r[1]), view(r[2]));
  return r;
}

Tensor spread(const Tensor& g) { return g.unsqueeze(-1).unsqueeze(-1); }

/// d det / dx: the matrix of cofactors, det x^-T, or where x is singular det(U) det(V) U diag(prod of the other singular values) V^T.
Tensor cofactors(const Tensor& x, const Tensor& y) {
  bool singular;
  {
    NoGrad off;
    singular = any(eq(y, 0)).item<bool>();
  }
  if (!singular) return spread(y) * inv(x).mT();
  const Svd d = svd(x);
  const auto k = x.size(-1);
  Tensor sign;
  {
    NoGrad off;
    sign = det(d.u.detach()) * det(d.vh.detach());
  }
  Shape square = batch_shape(impl(x).shape, {k, k});
  const Tensor others = prod(masked_fill(d.s.unsqueeze(-2).expand(square), eye(k, k, {.dtype = Dtype::boolean, .device = impl(x).device}), 1), -1);
  return spread(sign) * matmul(d.u * others.unsqueeze(-2), d.vh);
}

}  // namespace

Tensor det(const Tensor& x) {
  const OpRange here("det", x);
  Tensor out = determinants("det", x)[0];
  if (!recording(x)) return out;
  return record("det", std::move(out), grad(x, [x = save(x)](const Tensor& g, const Tensor& y) { return spread(g) * cofactors(x(), y); }));
}

SignLogdet slogdet(const Tensor& x) {
  const OpRange here("slogdet", x);
  auto values = determinants("slogdet", x);
  if (!recording(x)) return {values[1], values[2]};
  return {values[1], record("slogdet", values[2], grad(x, [x = save(x)](const Tensor& g) { return spread(g) * inv(x()).mT(); }))};
}

Tensor logdet(const Tensor& x) {
  const OpRange here("logdet", x);
  const auto [sign, logabs] = slogdet(x);
  return where(lt(sign, 0), full_like(logabs, std::numeric_limits<double>::quiet_NaN()), logabs);
}

Lu lu_factor(const Tensor& x) {
  const OpRange here("lu_factor", x);
  check_matrices("lu_factor", x);
  Factors f = factorise("lu_factor", x);  // an exact 0 on the diagonal is left to whoever divides by it
  Tensor lu = as_matrix(f.lu);
  if (recording(x)) {
    check<GradError>(x.size(-1) == x.size(-2), "lu_factor", "has a gradient for square matrices only, got {}; detach() it", impl(x).shape);
    // with M = L^T dL and N = dU U^T: dA = P L^-T (strict lower of M + upper of N) U^-T
    lu = record("lu_factor", std::move(lu), grad(x, [pivots = f.pivots](const Tensor& g, const Tensor& y) {
                  const auto n = y.size(-1);
                  const Tensor lower = tril(y, -1) + eye(n, n, {.dtype = y.dtype(), .device = y.device()}), upper = triu(y);
                  const Tensor m = tril(matmul(lower.mT(), tril(g, -1)), -1) + triu(matmul(triu(g), upper.mT()));
                  const Tensor r = solve_triangular(upper.mT(), solve_triangular(lower.mT(), m, {.upper = true, .unitriangular = true}), {.left = false});
                  return exchange_rows(r, pivots, true);
                }));
  }
  return {std::move(lu), std::move(f.pivots)};
}

Tensor lu_solve(const Tensor& lu, const Tensor& pivots, const Tensor& b) {
  const OpRange here("lu_solve", lu, pivots, b);
  check_sides("lu_solve", lu, b);
  check_defined("lu_solve", pivots, "the pivots");
  check<ShapeError>(impl(pivots).dtype == Dtype::int32 && impl(pivots).shape == batch_shape(impl(lu).shape, {lu.size(-1)}), "lu_solve",
                    "pivots of dtype {} and shape {} do not belong to factors of shape {}; pass what lu_factor() gave", impl(pivots).dtype, impl(pivots).shape, impl(lu).shape);
  const Tensor y = solve_triangular(lu, exchange_rows(b, pivots, false), {.unitriangular = true});
  return solve_triangular(lu, y, {.upper = true});
}

// ---- triangular and positive definite matrices --------------------------------------------------------------------------------

Tensor solve_triangular(const Tensor& a, const Tensor& b, TriangularOptions o) {
  const OpRange here("solve_triangular", a, b);
  const char* op = "solve_triangular";
  check_sides(op, a, b, o.left);
  if (!o.left) return solve_triangular(a.mT(), b.mT(), {.upper = !o.upper, .left = true, .unitriangular = o.unitriangular}).mT();
  const auto kernel = need(op, kernels(a).triangular_solve);
  const Shape batch = common_batch(op, a, b);
  const Tensor x = by_columns(repeated(b, batch));
  if (impl(x).numel) kernel(view(by_columns(repeated(a, batch))), view(x), o.upper, o.unitriangular);
  Tensor out = as_matrix(x);
  if (!recording(a, b)) return out;
  const TriangularOptions transposed{.upper = !o.upper, .left = true, .unitriangular = o.unitriangular};
  return record(op, std::move(out), grad(a, [a = save(a), o, transposed](const Tensor& g, const Tensor& y) {
                  const Tensor r = neg(matmul(solve_triangular(a().mT(), g, transposed), y.mT()));
                  return to_shape(o.upper ? triu(r, o.unitriangular ? 1 : 0) : tril(r, o.unitriangular ? -1 : 0), impl(a()).shape);
                }),
                grad(b, [a = save(a), s = impl(b).shape, transposed](const Tensor& g) { return to_shape(solve_triangular(a().mT(), g, transposed), s); }));
}

Tensor cholesky(const Tensor& a, bool upper) {
  const OpRange here("cholesky", a);
  check_matrices("cholesky", a, true);
  if (upper) return cholesky(a).mT();
  const auto kernel = need("cholesky", kernels(a).cholesky);
  const Tensor l = by_columns(a), info = info_of(a);
  if (impl(a).numel) kernel(view(l), view(info));
  check_info("cholesky", info, "the matrix is not positive definite: its leading minor of order {} is not positive");
  return record("cholesky", as_matrix(l), grad(a, [](const Tensor& g, const Tensor& l) {
                  // L^-T phi(L^T G) L^-1, made symmetric; phi keeps the lower triangle and half of the diagonal
                  const Tensor m = matmul(l.mT(), g);
                  const Tensor phi = tril(m, -1) + diag_embed(diagonal(m, 0, -2, -1) * 0.5);
                  const Tensor r = solve_triangular(l, solve_triangular(l.mT(), phi, {.upper = true}), {.left = false});
                  return (r + r.mT()) * 0.5;
                }));
}

Tensor cholesky_solve(const Tensor& b, const Tensor& factor, bool upper) {
  const OpRange here("cholesky_solve", b, factor);
  check_sides("cholesky_solve", factor, b);
  const Tensor l = upper ? factor.mT() : factor;
  return solve_triangular(l.mT(), solve_triangular(l, b, {}), {.upper = true});
}

Tensor cholesky_inverse(const Tensor& factor, bool upper) {
  const OpRange here("cholesky_inverse", factor);
  check_matrices("cholesky_inverse", factor, true);
  const auto n = factor.size(-1);
  return cholesky_solve(eye(n, n, {.dtype = factor.dtype(), .device = factor.device()}), factor, upper);
}

}  // namespace rill
