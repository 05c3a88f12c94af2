// Linear algebra. Matrices are the last two axes; leading axes are a batch. Products take operands of one dtype (any but bool),
// float16 and bfloat16 are accumulated in float32; decompositions take float32 and float64. Everything is differentiable, also twice,
// unless noted. Errors: ShapeError when sizes do not fit, DtypeError for a dtype that is not taken or two that differ, DeviceError
// for operands on different devices, Unimplemented for a decomposition in a build without LAPACK.
#pragma once

#include <string_view>
#include <vector>

#include <rill/core/tensor.h>

namespace rill {

// ---- products -------------------------------------------------------------------------------------------------------------

/// Matrix product with the rules of NumPy: [.., m, k] x [.., k, n] -> [.., m, n] with broadcast leading axes; a vector stands for a row
/// on the left and a column on the right, and its axis is missing in the result; two vectors give their dot product.
Tensor matmul(const Tensor& a, const Tensor& b);
/// [m, k] x [k, n] -> [m, n].
Tensor mm(const Tensor& a, const Tensor& b);
/// [b, m, k] x [b, k, n] -> [b, m, n]; no broadcasting.
Tensor bmm(const Tensor& a, const Tensor& b);
/// [m, k] x [k] -> [m].
Tensor mv(const Tensor& a, const Tensor& x);
/// [k] x [k] -> [].
Tensor dot(const Tensor& a, const Tensor& b);
/// [m] x [n] -> [m, n].
Tensor outer(const Tensor& a, const Tensor& b);
/// beta c + alpha a b; c broadcasts to the product. With beta = 0, c is not read (NaN in it does not matter).
struct AddmmOptions { Scalar beta = 1, alpha = 1; };
Tensor addmm(const Tensor& c, const Tensor& a, const Tensor& b, AddmmOptions options = {});
Tensor baddbmm(const Tensor& c, const Tensor& a, const Tensor& b, AddmmOptions options = {});
Tensor addmv(const Tensor& c, const Tensor& a, const Tensor& x, AddmmOptions options = {});
/// x + bias along one axis: bias [x.size(axis)] exactly, nothing is broadcast (TensorFlow's bias_add; NHWC: axis -1, NCHW: axis 1).
Tensor bias_add(const Tensor& x, const Tensor& bias, std::int64_t axis = -1);
/// x w^T + b: x [.., in], w [out, in] (or [in]), b [out] -> [.., out].
Tensor linear(const Tensor& x, const Tensor& w, const Tensor& b = {});

// ---- products of other forms ------------------------------------------------------------------------------------------------

/// Einstein's summation: labels a-z, A-Z, one group per operand, "..." for broadcast axes; `"bij,bjk->bik"`. Without "->", the result
/// has the axes of "..." and then the labels that appear once, in the order A-Z, a-z. A label repeated in one operand takes the
/// diagonal. Operands are contracted from left to right. ValueError for an equation that does not parse or fit.
Tensor einsum(std::string_view equation, const std::vector<Tensor>& operands);
/// Sums over pairs of axes: axis axes_a[i] of a with axis axes_b[i] of b; the other axes of a, then of b remain.
Tensor tensordot(const Tensor& a, const Tensor& b, const Dims& axes_a, const Dims& axes_b);
/// The last `n` axes of a with the first n of b.
Tensor tensordot(const Tensor& a, const Tensor& b, std::int64_t n = 2);
/// Sum over the last axes of both; a product when one is 0-dim.
Tensor inner(const Tensor& a, const Tensor& b);
/// Kronecker product: sizes multiply; the shorter shape is filled up with ones on the left.
Tensor kron(const Tensor& a, const Tensor& b);
/// Vector product of 3-vectors on `axis`; other axes broadcast.
Tensor cross(const Tensor& a, const Tensor& b, std::int64_t axis = -1);
/// Sum of the main diagonal of a matrix (rank 2).
Tensor trace(const Tensor& x);
/// x^n of square matrices by repeated squaring; n < 0 goes through the inverse.
Tensor matrix_power(const Tensor& x, std::int64_t n);
/// y[.., o] = sum over i, j of a[.., i] w[o, i, j] b[.., j] + bias[o]: a [.., in1], b [.., in2], w [out, in1, in2], bias [out] -> [.., out].
Tensor bilinear(const Tensor& a, const Tensor& b, const Tensor& w, const Tensor& bias = {});
/// Powers of a vector [.., n] as columns [.., n, columns] (default n): decreasing from columns - 1 to 0, or `increasing`.
struct VanderOptions { std::int64_t columns = -1; bool increasing = false; };
Tensor vander(const Tensor& x, VanderOptions options = {});
/// Product of several matrices in the cheapest order; the first and last may be vectors.
Tensor multi_dot(const std::vector<Tensor>& matrices);
/// e^x of square matrices by scaling and squaring with a Pade approximant (Higham 2005).
Tensor matrix_exp(const Tensor& x);
/// p-norms of all differences of rows: [.., m, d], [.., n, d] -> [.., m, n].
Tensor cdist(const Tensor& a, const Tensor& b, double p = 2);
/// p-norm of a - b over all elements.
Tensor dist(const Tensor& a, const Tensor& b, double p = 2);

// ---- equations and decompositions (LAPACK; float32 and float64) ----------------------------------------------------------------
// A batch is worked on matrix by matrix. A matrix for which the task has no answer raises ValueError with its place in the batch.

/// Inverse of square matrices. ValueError when one is singular.
Tensor inv(const Tensor& x);
inline Tensor inverse(const Tensor& x) { return inv(x); }
/// X of A X = B by LU with partial pivoting; a [.., n, n]; b [.., n, k], or a vector (rank 1, or [.., n] when that is a's shape without
/// its last axis). ValueError when an A is singular.
Tensor solve(const Tensor& a, const Tensor& b);
/// X of A X = B (or X A = B with left = false) where A is upper or lower triangular; the other triangle is not read.
struct TriangularOptions { bool upper = false, left = true, unitriangular = false; };
Tensor solve_triangular(const Tensor& a, const Tensor& b, TriangularOptions options = {});
/// L (or its transpose) of A = L L^T; reads the lower triangle (the gradient is symmetric). ValueError when A is not positive definite.
Tensor cholesky(const Tensor& a, bool upper = false);
/// X of A X = B from the factor of A.
Tensor cholesky_solve(const Tensor& b, const Tensor& factor, bool upper = false);
/// A^-1 from the factor of A.
Tensor cholesky_inverse(const Tensor& factor, bool upper = false);
/// Determinants; the gradient also holds at singular matrices.
Tensor det(const Tensor& x);
struct SignLogdet { Tensor sign, logabsdet; };
/// Sign and log |det|: (0, -inf) for a singular matrix, whose gradient is not defined.
SignLogdet slogdet(const Tensor& x);
Tensor logdet(const Tensor& x);  ///< log of the determinant; NaN where it is negative
/// LU factors in one matrix (unit lower below the diagonal) and int32 row exchanges, counted from 1 as LAPACK does. The gradient is that of
/// square matrices (GradError for others).
struct Lu { Tensor lu, pivots; };
Lu lu_factor(const Tensor& x);
/// X of A X = B from lu_factor(A).
Tensor lu_solve(const Tensor& lu, const Tensor& pivots, const Tensor& b);
/// A = Q R with Q [.., m, k], R [.., k, n], k = min(m, n); `complete`: Q [.., m, m], R [.., m, n]. The gradient of wide matrices needs
/// their first m columns to be independent; that of a complete Q exists for m <= n only.
struct Qr { Tensor q, r; };
Qr qr(const Tensor& x, bool complete = false);
/// A = U diag(S) Vh, S in decreasing order; U [.., m, k], S [.., k], Vh [.., k, n]; with full_matrices U [.., m, m], Vh [.., n, n] (no
/// gradient through the additional vectors). Gradients through U and Vh need distinct singular values and do not see the free signs.
struct Svd { Tensor u, s, vh; };
Svd svd(const Tensor& x, bool full_matrices = false);
Tensor svdvals(const Tensor& x);
/// Eigenvalues in increasing order and vectors (columns) of symmetric matrices; reads the lower triangle (or the upper one).
struct Eigh { Tensor values, vectors; };
Eigh eigh(const Tensor& x, bool upper = false);
Tensor eigvalsh(const Tensor& x, bool upper = false);
/// Moore-Penrose inverse; singular values below rtol times the largest count as 0 (default max(m, n) eps).
Tensor pinv(const Tensor& x, double rtol = -1);
/// The least-squares solution of smallest norm, pinv(a) b; a [.., m, n], b [.., m, k] or [.., m] (see solve).
Tensor lstsq(const Tensor& a, const Tensor& b, double rtol = -1);
/// Number of singular values above rtol times the largest (default max(m, n) eps). int64, no gradient.
Tensor matrix_rank(const Tensor& x, double rtol = -1);
/// Largest over smallest singular value.
Tensor cond(const Tensor& x);
/// First columns of the product of Householder reflections I - tau v v^T; v are the columns of x below its unit diagonal.
Tensor householder_product(const Tensor& x, const Tensor& tau);
enum class MatrixNorm : std::uint8_t { fro, nuc, one, minus_one, two, minus_two, inf, minus_inf };
/// Norm of matrices in the last two axes.
Tensor matrix_norm(const Tensor& x, MatrixNorm kind = MatrixNorm::fro, bool keepdim = false);

}  // namespace rill
