// Decompositions on a device: what is unique against the host, the rest by what it promises.
#include <rill/rill.h>

#include "test/cuda/backends.h"
#include "test/support/message.h"

using namespace rill;

namespace {

constexpr double kUnit = 1e-11;

Tensor matrices(const Shape& shape) {
  std::int64_t n = 1;
  for (const auto s : shape) n *= s;
  const Tensor k = arange(n, {.dtype = float64});
  return sin(k * k * 0.731 + k).reshape(shape);
}
Tensor positive(const Shape& shape) { return matmul(matrices(shape), matrices(shape).mT()) + eye(shape.back(), -1, {.dtype = float64}); }
bool close(const Tensor& x, const Tensor& y) { return allclose(x.cpu(), y.cpu(), kUnit, kUnit); }
bool orthonormal(const Tensor& q) { return close(matmul(q.mT(), q), eye(q.size(-1), -1, {.dtype = q.dtype()})); }

void equations() {
  for (const Shape& shape : {Shape{5, 5}, Shape{2, 3, 4, 4}, Shape{3, 70, 70}}) {
    INFO(to_string(shape));
    const Tensor a = matrices(shape), p = positive(shape), b = matrices([&] { Shape s = shape; s[s.rank() - 1] = 3; return s; }());
    const Tensor on_a = a.cuda(), on_p = p.cuda(), on_b = b.cuda();
    CHECK(close(lu_factor(on_a).lu, lu_factor(a).lu));
    CHECK(lu_factor(on_a).pivots.to_vector<int>() == lu_factor(a).pivots.to_vector<int>());
    CHECK(close(matmul(on_a, solve(on_a, on_b)), b));
    CHECK(close(inv(on_p), inv(p)));
    CHECK(close(cholesky(on_p), cholesky(p)));
    CHECK(close(cholesky_solve(on_b, cholesky(on_p)), solve(p, b)));
    CHECK(close(slogdet(on_a).sign, slogdet(a).sign));
    CHECK(close(slogdet(on_a).logabsdet, slogdet(a).logabsdet));
    CHECK(close(det(narrow(on_a, -1, 0, 3).narrow(-2, 0, 3)), det(narrow(a, -1, 0, 3).narrow(-2, 0, 3))));
    for (const bool upper : {false, true})
      for (const bool left : {false, true})
        for (const bool unit : {false, true}) {
          const TriangularOptions o{.upper = upper, .left = left, .unitriangular = unit};
          const Tensor side = left ? b : b.mT();
          const double scale = unit ? 0.01 : 1;  // growth behind a diagonal of ones
          CHECK(close(solve_triangular(on_p * scale, side.cuda(), o), solve_triangular(p * scale, side, o)));
        }
  }
  CHECK(close(lu_factor(matrices({2, 6, 4}).cuda()).lu, lu_factor(matrices({2, 6, 4})).lu));
  CHECK(close(lu_factor(matrices({4, 6}).cuda()).lu, lu_factor(matrices({4, 6})).lu));
}

void orthogonal_factors() {
  for (const Shape& shape : {Shape{6, 6}, Shape{2, 7, 4}, Shape{2, 4, 7}, Shape{3, 65, 66}, Shape{1, 1}}) {
    INFO(to_string(shape));
    const Tensor a = matrices(shape), on = a.cuda();
    for (const bool whole : {false, true}) {
      const auto [q, r] = qr(on, whole);
      CHECK((orthonormal(q) && close(matmul(q, r), a) && close(r, triu(r))));
      const auto [u, s, vh] = svd(on, whole);
      const std::int64_t k = s.size(-1);
      CHECK((orthonormal(u) && orthonormal(vh.mT()) && close(s, svd(a).s)));
      CHECK(close(matmul(narrow(u, -1, 0, k) * s.unsqueeze(-2), narrow(vh, -2, 0, k)), a));
      CHECK((u.shape() == svd(a, whole).u.shape() && vh.shape() == svd(a, whole).vh.shape()));
    }
    CHECK(close(svdvals(on), svdvals(a)));
    CHECK(close(matmul(matmul(on, pinv(on)), on), a));
  }
  for (const Shape& shape : {Shape{6, 6}, Shape{2, 3, 4, 4}}) {
    const Tensor a = matrices(shape);
    for (const bool upper : {false, true}) {
      const Tensor half = upper ? triu(a) : tril(a), both = half + half.mT() - diag_embed(diagonal(a, 0, -2, -1));
      const auto [values, vectors] = eigh(a.cuda(), upper);
      CHECK((close(values, eigvalsh(a, upper)) && close(eigvalsh(a.cuda(), upper), values) && orthonormal(vectors)));
      CHECK(close(matmul(vectors * values.unsqueeze(-2), vectors.mT()), both));
    }
  }
  CHECK(svd(zeros({0, 3}).cuda()).s.shape() == Shape{0});
  const Tensor narrow_type = matrices({2, 5, 3}).to(float32), on = narrow_type.cuda();
  CHECK(allclose(matmul(qr(on).q, qr(on).r).cpu(), narrow_type, 1e-5, 1e-5));
  CHECK(allclose(svdvals(on).cpu(), svdvals(narrow_type), 1e-5, 1e-5));
}

void refusals() {
  const Tensor one = eye(3), batch = stack({one, -one, one});
  CHECK(MESSAGE(ValueError, cholesky(batch.cuda())) == MESSAGE(ValueError, cholesky(batch)));
  CHECK(MESSAGE(ValueError, inv(zeros({2, 2}).cuda())) == MESSAGE(ValueError, inv(zeros({2, 2}))));
  CHECK(MESSAGE(ValueError, solve(stack({one, one * 0}).cuda(), one.cuda())) == MESSAGE(ValueError, solve(stack({one, one * 0}), one)));
  for (const Shape& shape : {Shape{2, 4, 3}, Shape{2, 3, 4}}) {
    const Tensor x = index_fill(matrices(shape), 0, tensor({1}), std::nan(""));
    CHECK(MESSAGE(ValueError, svd(x.cuda())) == MESSAGE(ValueError, svd(x)));
  }
}

}  // namespace

RILL_DEVICE_TEST(equations, "linear equations and triangular factors", "[linalg][sanitize]")
RILL_DEVICE_TEST(orthogonal_factors, "orthogonal factors, singular values and eigenvalues", "[linalg][sanitize]")
RILL_DEVICE_TEST(refusals, "matrices without a decomposition are refused as on the host", "[linalg]")
