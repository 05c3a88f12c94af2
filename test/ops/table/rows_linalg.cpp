// Linear algebra. Products against plain loops in long double; decompositions by what they promise.
#include "test/ops/table/catalogue.h"

namespace rill::optable {
namespace {

using Values = std::vector<double>;

/// a [m, k] times b [k, n].
Values product(const Plain& a, const Plain& b) {
  Values y;
  for (std::int64_t i = 0; i < a.size(0); ++i)
    for (std::int64_t j = 0; j < b.size(1); ++j) {
      long double s = 0;
      for (std::int64_t k = 0; k < a.size(1); ++k) s += static_cast<long double>(a.at(i, k)) * b.at(k, j);
      y.push_back(static_cast<double>(s));
    }
  return y;
}
Plain as(const Plain& p, Shape shape) { return {shape, p.v}; }
Plain transposed(const Plain& p) {
  Plain t{{p.size(1), p.size(0)}, {}};
  for (std::int64_t j = 0; j < p.size(1); ++j)
    for (std::int64_t i = 0; i < p.size(0); ++i) t.v.push_back(p.at(i, j));
  return t;
}

const Input kA = {.shape = {4, 6}}, kB = {.shape = {6, 5}};
const Input kSquare = {.shape = {3, 3}};
const std::vector<Input> kLarge = {{.shape = {130, 300}}, {.shape = {300, 170}}};

Row row(const char* name, std::function<Tensor(const Args&)> f, std::vector<Input> inputs, std::function<Values(const std::vector<Plain>&)> whole, std::vector<ErrorCase> errors = {}) {
  return {.name = name, .run = std::move(f), .inputs = std::move(inputs), .whole = std::move(whole), .bound = 8, .magnitude = 24, .errors = std::move(errors)};
}
/// Decompositions know float32 and float64 only; their condition enters the bound.
Row solver(Row r) {
  r.kinds = kFloats, r.bound = 64;
  return r;
}
/// A well conditioned symmetric matrix made of any square one.
Tensor definite(const Tensor& x) { return matmul(x, transpose(x, -2, -1)) + 2 * eye(x.size(-1), -1, options_of(x)); }
Tensor regular(const Tensor& x) { return x + 4 * eye(x.size(-1), -1, options_of(x)); }
Values identity(const std::vector<Plain>&) { return {1, 0, 0, 0, 1, 0, 0, 0, 1}; }
Values first(const std::vector<Plain>& in) { return in[0].v; }

}  // namespace

std::vector<Row> rows_linalg() {
  const auto two = [](const std::vector<Plain>& in) { return product(in[0], in[1]); };
  std::vector<Row> list = {
      row("matmul", [](const Args& a) { return matmul(a[0], a[1]); }, {kA, kB}, two, {throws<ShapeError>("matmul: cannot multiply [4, 6] by [5, 4]: inner sizes 6 and 5 differ", [] { matmul(ones({4, 6}), ones({5, 4})); })}),
      row("mm", [](const Args& a) { return mm(a[0], a[1]); }, {kA, kB}, two, {throws<ShapeError>("mm: takes operands of rank 2 and 2, got [4, 6] and [6]; use matmul() for other ranks", [] { mm(ones({4, 6}), ones({6})); })}),
      row("bmm", [](const Args& a) { return bmm(a[0], a[1]); }, {{.shape = {1, 4, 6}}, {.shape = {1, 6, 5}}}, [](const std::vector<Plain>& in) { return product(as(in[0], {4, 6}), as(in[1], {6, 5})); },
          {throws<ShapeError>("bmm: batches 2 and 3 of [2, 4, 6] and [3, 6, 5] differ; matmul() broadcasts", [] { bmm(ones({2, 4, 6}), ones({3, 6, 5})); })}),
      row("mv", [](const Args& a) { return mv(a[0], a[1]); }, {kA, {.shape = {6}}}, [](const std::vector<Plain>& in) { return product(in[0], as(in[1], {6, 1})); }, {throws<ShapeError>("mv: cannot multiply [4, 6] by [4]: inner sizes 6 and 4 differ", [] { mv(ones({4, 6}), ones({4})); })}),
      row("dot", [](const Args& a) { return dot(a[0], a[1]); }, {{.shape = {6}}, {.shape = {6}}}, [](const std::vector<Plain>& in) { return product(as(in[0], {1, 6}), as(in[1], {6, 1})); }, {throws<ShapeError>("dot: cannot multiply [6] by [5]: inner sizes 6 and 5 differ", [] { dot(ones({6}), ones({5})); })}),
      row("inner", [](const Args& a) { return inner(a[0], a[1]); }, {{.shape = {6}}, {.shape = {6}}}, [](const std::vector<Plain>& in) { return product(as(in[0], {1, 6}), as(in[1], {6, 1})); }),
      row("outer", [](const Args& a) { return outer(a[0], a[1]); }, {{.shape = {6}}, {.shape = {5}}}, [](const std::vector<Plain>& in) { return product(as(in[0], {6, 1}), as(in[1], {1, 5})); }),
      row("addmm", [](const Args& a) { return addmm(zeros({4, 5}, options_of(a[0])), a[0], a[1]); }, {kA, kB}, two),
      row("baddbmm", [](const Args& a) { return baddbmm(zeros({1, 4, 5}, options_of(a[0])), a[0], a[1]); }, {{.shape = {1, 4, 6}}, {.shape = {1, 6, 5}}}, [](const std::vector<Plain>& in) { return product(as(in[0], {4, 6}), as(in[1], {6, 5})); }),
      row("addmv", [](const Args& a) { return addmv(zeros({4}, options_of(a[0])), a[0], a[1]); }, {kA, {.shape = {6}}}, [](const std::vector<Plain>& in) { return product(in[0], as(in[1], {6, 1})); }),
      row("linear", [](const Args& a) { return linear(a[0], a[1], a[2]); }, {kA, {.shape = {5, 6}}, {.shape = {5}}}, [](const std::vector<Plain>& in) {
            Values y = product(in[0], transposed(in[1]));
            for (std::size_t i = 0; i < y.size(); ++i) y[i] += in[2].v[i % 5];
            return y;
          }, {throws<ShapeError>("linear: x [4, 6] has 6 features, weight [5, 7] expects 7", [] { linear(ones({4, 6}), ones({5, 7})); })}),
      row("bias_add", [](const Args& a) { return bias_add(a[0], a[1], 1); }, {{.shape = {2, 3, 2}}, {.shape = {3}}}, [](const std::vector<Plain>& in) {
            Values y = in[0].v;
            for (std::size_t i = 0; i < y.size(); ++i) y[i] += in[1].v[i / 2 % 3];
            return y;
          }, {throws<ShapeError>("bias_add: bias [1] does not fit axis 1 of x [2, 3]; expected [3]", [] { bias_add(ones({2, 3}), ones({1})); }),
             throws<DtypeError>("bias_add: x has dtype float32 and the bias float64; convert one with .to()", [] { bias_add(ones({2, 3}), ones({3}, {.dtype = float64})); }),
             throws<ShapeError>("bias_add: a number has no axis for a bias; expected rank 1 or more", [] { bias_add(full({}, 1.), ones({1})); })}),
      row("bilinear", [](const Args& a) { return bilinear(a[0], a[1], a[2], a[3]); }, {{.shape = {4, 3}}, {.shape = {4, 2}}, {.shape = {2, 3, 2}}, {.shape = {2}}}, [](const std::vector<Plain>& in) {
            Values y;
            for (int n = 0; n < 4; ++n)
              for (int o = 0; o < 2; ++o) {
                long double s = in[3].v[static_cast<std::size_t>(o)];
                for (int i = 0; i < 3; ++i)
                  for (int j = 0; j < 2; ++j) s += static_cast<long double>(in[0].at(n, i)) * in[1].at(n, j) * in[2].v[static_cast<std::size_t>((o * 3 + i) * 2 + j)];
                y.push_back(static_cast<double>(s));
              }
            return y;
          }, {throws<ShapeError>("bilinear: weight [2, 3, 2] expects 3 and 2 features, a [4, 3] and b [4, 3] have 3 and 3", [] { bilinear(ones({4, 3}), ones({4, 3}), ones({2, 3, 2})); }),
             throws<ShapeError>("bilinear: takes a [.., in1], b [.., in2] and a weight [out, in1, in2], got [3], [2] and [2, 3]", [] { bilinear(ones({3}), ones({2}), ones({2, 3})); }),
             throws<ShapeError>("bilinear: bias [3] does not fit weight [2, 3, 2]; expected [2]", [] { bilinear(ones({3}), ones({2}), ones({2, 3, 2}), ones({3})); })}),
      row("vander", [](const Args& a) { return vander(a[0], {.columns = 3}); }, {{.shape = {4}}}, [](const std::vector<Plain>& in) {
            Values y;
            for (double v : in[0].v) y.push_back(v * v), y.push_back(v), y.push_back(1);
            return y;
          }, {throws<ShapeError>("vander: a number has no axis to take powers along; expected rank 1 or more", [] { vander(full({}, 2.)); })}),
      row("householder_product", [](const Args& a) { return householder_product(a[0], a[1]); }, {{.shape = {4, 2}}, {.shape = {2}}}, [](const std::vector<Plain>& in) {
            long double q[4][4] = {};  // H1 H2 with Hi = I - tau_i v_i v_i^T
            for (int i = 0; i < 4; ++i) q[i][i] = 1;
            for (int k = 0; k < 2; ++k) {
              long double v[4], next[4][4];
              for (int i = 0; i < 4; ++i) v[i] = i < k ? 0 : i == k ? 1 : in[0].at(i, k);
              for (int i = 0; i < 4; ++i)
                for (int j = 0; j < 4; ++j) {
                  next[i][j] = q[i][j];
                  for (int m = 0; m < 4; ++m) next[i][j] -= q[i][m] * in[1].v[static_cast<std::size_t>(k)] * v[m] * v[j];
                }
              std::copy(&next[0][0], &next[0][0] + 16, &q[0][0]);
            }
            Values y;
            for (auto& r : q) y.push_back(static_cast<double>(r[0])), y.push_back(static_cast<double>(r[1]));
            return y;
          }, {throws<ShapeError>("householder_product: takes x [.., m, n] with m >= n and tau [.., k] with k <= n, got [4, 2] and [3]", [] { householder_product(ones({4, 2}), ones({3})); })}),
      row("einsum", [](const Args& a) { return einsum("ik,kj->ij", {a[0], a[1]}); }, {kA, kB}, two, {throws<Error>("einsum: \"ij,jk\" names 2 operands, but 1 were given", [] { einsum("ij,jk", {ones({2, 3})}); })}),
      row("tensordot", [](const Args& a) { return tensordot(a[0], a[1], 1); }, {kA, kB}, two),
      row("multi_dot", [](const Args& a) { return multi_dot({a[0], a[1]}); }, {kA, kB}, two),
      row("kron", [](const Args& a) { return kron(a[0], a[1]); }, {{.shape = {2, 2}}, {.shape = {1, 3}}}, [](const std::vector<Plain>& in) {
            Values y;
            for (int i = 0; i < 2; ++i)
              for (int j = 0; j < 2; ++j)
                for (int k = 0; k < 3; ++k) y.push_back(in[0].at(i, j) * in[1].v[static_cast<std::size_t>(k)]);
            return y;
          }),
      row("cross", [](const Args& a) { return cross(a[0], a[1]); }, {{.shape = {3}}, {.shape = {3}}}, [](const std::vector<Plain>& in) {
            const Values &a = in[0].v, &b = in[1].v;
            return Values{a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
          }, {throws<ShapeError>("cross: axis 0 of [2] and [2] must have size 3", [] { cross(ones({2}), ones({2})); })}),
      row("trace", [](const Args& a) { return trace(a[0]); }, {kSquare}, [](const std::vector<Plain>& in) { return Values{in[0].at(0, 0) + in[0].at(1, 1) + in[0].at(2, 2)}; }),
      row("matrix_power", [](const Args& a) { return matrix_power(a[0], 2); }, {kSquare}, [](const std::vector<Plain>& in) { return product(in[0], in[0]); }, {throws<Error>("matrix_power: takes square matrices, got shape [2, 3]", [] { matrix_power(ones({2, 3}), 2); })}),
      row("dist", [](const Args& a) { return dist(a[0], a[1]); }, {kA, {.shape = {4, 6}}}, [](const std::vector<Plain>& in) {
            long double s = 0;
            for (std::size_t i = 0; i < in[0].v.size(); ++i) s += std::pow(static_cast<long double>(in[0].v[i]) - in[1].v[i], 2);
            return Values{static_cast<double>(std::sqrt(s))};
          }),
      solver(row("cdist", [](const Args& a) { return cdist(a[0], a[1]); }, {kA, {.shape = {2, 6}}}, [](const std::vector<Plain>& in) {
            Values y;
            for (int i = 0; i < 4; ++i)
              for (int j = 0; j < 2; ++j) {
                long double s = 0;
                for (int k = 0; k < 6; ++k) s += std::pow(static_cast<long double>(in[0].at(i, k)) - in[1].at(j, k), 2);
                y.push_back(static_cast<double>(std::sqrt(s)));
              }
            return y;
          }, {throws<ShapeError>("cdist: takes [.., m, d] and [.., n, d], got [4, 6] and [2, 5]", [] { cdist(ones({4, 6}), ones({2, 5})); })})),
      solver(row("inv", [](const Args& a) { return matmul(inv(regular(a[0])), regular(a[0])); }, {kSquare}, identity, {throws<Error>("inv: the matrix is singular: diagonal element 1 of its LU decomposition is 0", [] { inv(zeros({2, 2})); }), throws<ShapeError>("inv: takes square matrices, input has shape [2, 3]", [] { inv(ones({2, 3})); })})),
      solver(row("inverse", [](const Args& a) { return matmul(inverse(regular(a[0])), regular(a[0])); }, {kSquare}, identity)),
      solver(row("solve", [](const Args& a) { return matmul(regular(a[0]), solve(regular(a[0]), a[1])); }, {kSquare, {.shape = {3, 2}}}, [](const std::vector<Plain>& in) { return in[1].v; }, {throws<Error>("solve: the matrix is singular: diagonal element 1 of its LU decomposition is 0", [] { solve(zeros({2, 2}), ones({2, 1})); })})),
      solver(row("solve_triangular", [](const Args& a) { return matmul(tril(regular(a[0])), solve_triangular(tril(regular(a[0])), a[1], {.upper = false})); }, {kSquare, {.shape = {3, 2}}}, [](const std::vector<Plain>& in) { return in[1].v; })),
      solver(row("cholesky", [](const Args& a) { const Tensor l = cholesky(definite(a[0])); return matmul(l, l.t()) - definite(a[0]) + a[0]; }, {kSquare}, first, {throws<Error>("cholesky: the matrix is not positive definite: its leading minor of order 1 is not positive", [] { cholesky(-eye(2)); })})),
      solver(row("cholesky_solve", [](const Args& a) { return matmul(definite(a[0]), cholesky_solve(a[1], cholesky(definite(a[0])))); }, {kSquare, {.shape = {3, 2}}}, [](const std::vector<Plain>& in) { return in[1].v; })),
      solver(row("cholesky_inverse", [](const Args& a) { return matmul(definite(a[0]), cholesky_inverse(cholesky(definite(a[0])))); }, {kSquare}, identity)),
      solver(row("det", [](const Args& a) { return det(a[0]); }, {kSquare}, [](const std::vector<Plain>& in) {
            const Plain& m = in[0];
            return Values{m.at(0, 0) * (m.at(1, 1) * m.at(2, 2) - m.at(1, 2) * m.at(2, 1)) - m.at(0, 1) * (m.at(1, 0) * m.at(2, 2) - m.at(1, 2) * m.at(2, 0)) +
                          m.at(0, 2) * (m.at(1, 0) * m.at(2, 1) - m.at(1, 1) * m.at(2, 0))};
          }, {throws<ShapeError>("det: takes square matrices, input has shape [2, 3]", [] { det(ones({2, 3})); })})),
      solver(row("logdet", [](const Args& a) { return exp(logdet(definite(a[0]))) - det(definite(a[0])) + sum(a[0]) * 0; }, {kSquare}, [](const std::vector<Plain>&) { return Values{0}; })),
      solver(row("slogdet", [](const Args& a) { const auto s = slogdet(regular(a[0])); return s.sign * exp(s.logabsdet) - det(regular(a[0])); }, {kSquare}, [](const std::vector<Plain>&) { return Values{0}; })),
      solver(row("lu_solve", [](const Args& a) { const auto f = lu_factor(regular(a[0])); return matmul(regular(a[0]), lu_solve(f.lu, f.pivots, a[1])); }, {kSquare, {.shape = {3, 2}}}, [](const std::vector<Plain>& in) { return in[1].v; })),
      solver(row("lu_factor", [](const Args& a) { return sum(log(abs(diagonal(lu_factor(regular(a[0])).lu)))) - logdet(definite(a[0])) * 0 - slogdet(regular(a[0])).logabsdet; }, {kSquare}, [](const std::vector<Plain>&) { return Values{0}; })),
      solver(row("qr", [](const Args& a) { const auto f = qr(regular(a[0])); return matmul(f.q, f.r) - regular(a[0]) + a[0]; }, {kSquare}, first)),
      solver(row("svd", [](const Args& a) { const auto f = svd(regular(a[0])); return matmul(f.u * unsqueeze(f.s, -2), f.vh); }, {kSquare}, [](const std::vector<Plain>& in) {
            Values y = in[0].v;
            y[0] += 4, y[4] += 4, y[8] += 4;
            return y;
          })),
      solver(row("svdvals", [](const Args& a) { return sum(square(svdvals(a[0]))); }, {kSquare}, [](const std::vector<Plain>& in) {
            double s = 0;
            for (double v : in[0].v) s += v * v;
            return Values{s};
          })),
      solver(row("eigh", [](const Args& a) { const auto f = eigh(definite(a[0])); return matmul(f.vectors * unsqueeze(f.values, -2), f.vectors.t()) - definite(a[0]) + a[0]; }, {kSquare}, first)),
      solver(row("eigvalsh", [](const Args& a) { return sum(eigvalsh(definite(a[0]))) - trace(definite(a[0])); }, {kSquare}, [](const std::vector<Plain>&) { return Values{0}; })),
      solver(row("pinv", [](const Args& a) { return matmul(pinv(regular(a[0])), regular(a[0])); }, {kSquare}, identity)),
      solver(row("lstsq", [](const Args& a) { return matmul(regular(a[0]), lstsq(regular(a[0]), a[1])); }, {kSquare, {.shape = {3, 2}}}, [](const std::vector<Plain>& in) { return in[1].v; })),
      solver(row("matrix_norm", [](const Args& a) { return matrix_norm(a[0]); }, {kSquare}, [](const std::vector<Plain>& in) {
            double s = 0;
            for (double v : in[0].v) s += v * v;
            return Values{std::sqrt(s)};
          })),
      solver(row("matrix_exp", [](const Args& a) { return matmul(matrix_exp(a[0]), matrix_exp(-a[0])); }, {{.shape = {3, 3}, .low = -0.5, .high = 0.5}}, identity)),
      solver(row("cond", [](const Args& a) { const Tensor s = svdvals(regular(a[0])); return cond(regular(a[0])) - s[0] / s[2]; }, {kSquare}, [](const std::vector<Plain>&) { return Values{0}; })),
  };
  for (Row& r : list) {
    for (const char* product : {"matmul", "mm", "bmm", "mv", "dot", "inner", "addmm", "baddbmm", "addmv", "linear", "einsum", "tensordot", "multi_dot", "cross", "matrix_power"})
      if (r.name == product) r.kinds = kNumbers;
    for (const char* any : {"outer", "kron", "trace"})
      if (r.name == any) r.kinds = kAll;
    if (r.name == "trace") r.result = Result::wide;
    if (r.name == "linear") r.required = 2;
    if (r.name == "bilinear") r.kinds = kNumbers, r.required = 3, r.roundings = 2;
    if (r.name == "bias_add") r.kinds = kAll;
    if (r.name == "householder_product") r.kinds = kFloats, r.bound = 64;
    if (r.name == "vander") r.kinds = kAll, r.result = Result::wide, r.roundings = 2;
    if (r.name == "cross") r.roundings = 4;
    if (r.name == "cdist" || r.name == "matrix_norm") r.kinds = kReal, r.roundings = 4;
  }
  for (Row& r : list)
    if (r.name == "matmul" || r.name == "mm" || r.name == "einsum") r.large = kLarge;
  Row rank = solver(row("matrix_rank", [](const Args& a) { return matrix_rank(regular(a[0])); }, {kSquare}, [](const std::vector<Plain>&) { return Values{3}; }));
  rank.result = Result::int64, rank.differentiable = false;
  list.push_back(rank);
  add_errors(list, {
      {"inner", throws<ShapeError>("inner: the last sizes of [2, 3] and [2, 4] differ", [] { inner(ones({2, 3}), ones({2, 4})); })},
      {"outer", throws<ShapeError>("outer: takes operands of rank 1 and 1, got [2, 3] and [2]; use matmul() for other ranks", [] { outer(ones({2, 3}), ones({2})); })},
      {"addmm", throws<ShapeError>("addmm: a summand of shape [3] does not broadcast to the product's shape [4, 5]", [] { addmm(ones({3}), ones({4, 6}), ones({6, 5})); })},
      {"baddbmm", throws<ShapeError>("baddbmm: batches 1 and 2 of [1, 4, 6] and [2, 6, 5] differ", [] { baddbmm(ones({3}), ones({1, 4, 6}), ones({2, 6, 5})); })},
      {"addmv", throws<ShapeError>("addmv: a summand of shape [3] does not broadcast to the product's shape [4]", [] { addmv(ones({3}), ones({4, 6}), ones({6})); })},
      {"tensordot", throws<Error>("tensordot: axis 1 of [2, 3] has size 3, axis 0 of [4, 2] has size 4", [] { tensordot(ones({2, 3}), ones({4, 2}), 1); })},
      {"multi_dot", throws<ShapeError>("multi_dot: cannot multiply operand 0 of shape [2, 3] by operand 1 of shape [2, 3]", [] { multi_dot({ones({2, 3}), ones({2, 3})}); })},
      {"kron", throws<ValueError>("kron: the second operand is undefined; pass a tensor with values", [] { kron(ones({2}), Tensor()); })},
      {"trace", throws<ShapeError>("trace: takes a matrix, got [3]; use sum(diagonal(x, 0, -2, -1), {-1}) for a batch", [] { trace(ones({3})); })},
      {"dist", throws<ShapeError>("sub: shapes [2] and [3] do not broadcast: sizes 2 and 3 differ at axis -1 from the right and neither is 1", [] { dist(ones({2}), ones({3})); })},
      {"inverse", throws<ShapeError>("inv: takes square matrices, input has shape [2, 3]", [] { inverse(ones({2, 3})); })},
      {"solve_triangular", throws<ShapeError>("solve_triangular: a matrix of shape [2, 2] does not fit a right side of shape [3, 1]: sizes 2 and 3 differ", [] { solve_triangular(ones({2, 2}), ones({3, 1})); })},
      {"cholesky_solve", throws<ShapeError>("cholesky_solve: a matrix of shape [2, 2] does not fit a right side of shape [3, 1]: sizes 2 and 3 differ", [] { cholesky_solve(ones({3, 1}), ones({2, 2})); })},
      {"cholesky_inverse", throws<ShapeError>("cholesky_inverse: takes square matrices, input has shape [2, 3]", [] { cholesky_inverse(ones({2, 3})); })},
      {"logdet", throws<ShapeError>("slogdet: takes square matrices, input has shape [2, 3]", [] { logdet(ones({2, 3})); })},
      {"slogdet", throws<ShapeError>("slogdet: takes square matrices, input has shape [2, 3]", [] { slogdet(ones({2, 3})); })},
      {"lu_solve", throws<ShapeError>("lu_solve: pivots of dtype int32 and shape [3] do not belong to factors of shape [2, 2]; pass what lu_factor() gave", [] { lu_solve(ones({2, 2}), ones({3}, {.dtype = int32}), ones({2, 1})); })},
      {"lu_factor", throws<ShapeError>("lu_factor: takes matrices (rank 2 or more), input has shape [3]", [] { lu_factor(ones({3})); })},
      {"qr", throws<ShapeError>("qr: takes matrices (rank 2 or more), input has shape [3]", [] { qr(ones({3})); })},
      {"svd", throws<ShapeError>("svd: takes matrices (rank 2 or more), input has shape [3]", [] { svd(ones({3})); })},
      {"svdvals", throws<ShapeError>("svdvals: takes matrices (rank 2 or more), input has shape [3]", [] { svdvals(ones({3})); })},
      {"eigh", throws<ShapeError>("eigh: takes square matrices, input has shape [2, 3]", [] { eigh(ones({2, 3})); })},
      {"eigvalsh", throws<ShapeError>("eigvalsh: takes square matrices, input has shape [2, 3]", [] { eigvalsh(ones({2, 3})); })},
      {"pinv", throws<ShapeError>("pinv: takes matrices (rank 2 or more), input has shape [3]", [] { pinv(ones({3})); })},
      {"lstsq", throws<ShapeError>("lstsq: a matrix of shape [3, 2] does not fit a right side of shape [2, 1]", [] { lstsq(ones({3, 2}), ones({2, 1})); })},
      {"matrix_norm", throws<ShapeError>("matrix_norm: takes matrices (rank 2 or more), got shape [3]", [] { matrix_norm(ones({3})); })},
      {"matrix_exp", throws<ShapeError>("matrix_exp: takes square matrices, input has shape [2, 3]", [] { matrix_exp(ones({2, 3})); })},
      {"cond", throws<ShapeError>("cond: takes matrices (rank 2 or more), input has shape [3]", [] { cond(ones({3})); })},
      {"matrix_rank", throws<ShapeError>("svdvals: takes matrices (rank 2 or more), input has shape [3]", [] { matrix_rank(ones({3})); })},
  });
  add_corners(list, {
      {"tensordot", {[](const Args& a, std::int64_t k) { return tensordot(a[0], a[1], k); }, [](const Args& a, std::int64_t k) { return tensordot(a[0], a[1], {k}, {0}); }}},
      {"cross", {[](const Args& a, std::int64_t k) { return cross(a[0], a[1], k); }}},
      {"matrix_power", {[](const Args& a, std::int64_t k) { return matrix_power(a[0], k); }}},
      {"bias_add", {[](const Args& a, std::int64_t k) { return bias_add(a[0], a[1], k); }}},
      {"vander", {[](const Args& a, std::int64_t k) { return vander(a[0], {.columns = k}); }}},
      {"cdist", {[](const Args& a, std::int64_t k) { return cdist(a[0], a[1], static_cast<double>(k)); }}},
      {"dist", {[](const Args& a, std::int64_t k) { return dist(a[0], a[1], static_cast<double>(k)); }}},
  });
  return list;
}

}  // namespace rill::optable
