// Linear algebra against PyTorch, up to the second derivative: test/oracle/linalg_goldens.py.
#include "test/support/derivative_goldens.h"

#include <rill/ops/linalg.h>
#include <rill/ops/view.h>

using namespace rill;

namespace {

AddmmOptions factors(const Golden& g) { return {.beta = g.number(0), .alpha = g.number(1)}; }
bool flag(const Golden& g, std::size_t k) { return g.integer(k) != 0; }
/// The last argument marks the inputs that want a gradient; an op without another one takes its default.
double number_or(const Golden& g, double otherwise) { return g.arguments.size() > 1 ? g.number(0) : otherwise; }

Tensor signs(const Tensor& x) { return where(lt(x.detach(), 0), full_like(x, -1), ones_like(x)); }
/// Factors that are unique up to signs, with the signs of the script.
List signed_qr(const Tensor& x, bool complete) {
  const Qr f = qr(x, complete);
  const std::int64_t k = std::min(x.size(-2), x.size(-1));
  const Tensor s = signs(diagonal(f.r, 0, -2, -1));
  return {f.q.narrow(-1, 0, k) * unsqueeze(s, -2), cat({f.r.narrow(-2, 0, k) * unsqueeze(s, -1), f.r.narrow(-2, k, f.r.size(-2) - k)}, -2)};
}
List signed_svd(const Tensor& x) {
  const Svd f = svd(x);
  const Tensor s = signs(select(f.u, -2, 0));
  return {f.u * unsqueeze(s, -2), f.s, f.vh * unsqueeze(s, -1)};
}
List signed_eigh(const Tensor& x, bool upper) {
  const Eigh f = eigh(x, upper);
  return {f.values, f.vectors * unsqueeze(signs(select(f.vectors, -2, 0)), -2)};
}
/// The script's input is any square matrix; both sides make it symmetric, so that the gradient does not depend on the triangle that is read.
Tensor symmetric(const Tensor& x) { return (x + x.mT()) / 2; }

#define RILL_ONE(op) {#op, [](auto&, auto& x) -> List { return {rill::op(x[0])}; }}
#define RILL_TWO(op) {#op, [](auto&, auto& x) -> List { return {rill::op(x[0], x[1])}; }}
#define RILL_ADDED(op) {#op, [](auto& g, auto& x) -> List { return {rill::op(x[0], x[1], x[2], factors(g))}; }}

const std::map<std::string, RunGolden> kOps = {
    RILL_TWO(matmul), RILL_TWO(mm), RILL_TWO(bmm), RILL_TWO(mv), RILL_TWO(dot), RILL_TWO(outer), RILL_TWO(inner), RILL_TWO(kron), RILL_TWO(solve),
    RILL_TWO(lstsq), RILL_TWO(householder_product), RILL_ADDED(addmm), RILL_ADDED(baddbmm), RILL_ADDED(addmv), RILL_ONE(trace), RILL_ONE(matrix_exp),
    RILL_ONE(inv), RILL_ONE(det), RILL_ONE(logdet), RILL_ONE(svdvals), RILL_ONE(cond),
    {"linear", [](auto&, auto& x) -> List { return {linear(x[0], x[1], x.size() > 2 ? x[2] : Tensor())}; }},
    {"bilinear", [](auto&, auto& x) -> List { return {bilinear(x[0], x[1], x[2], x.size() > 3 ? x[3] : Tensor())}; }},
    {"einsum", [](auto& g, auto& x) -> List { return {einsum(g.arguments[0], x)}; }},
    {"tensordot", [](auto& g, auto& x) -> List { return {g.arguments.size() == 2 ? tensordot(x[0], x[1], g.integer(0)) : tensordot(x[0], x[1], g.list(0), g.list(1))}; }},
    {"cross", [](auto& g, auto& x) -> List { return {cross(x[0], x[1], g.integer(0))}; }},
    {"matrix_power", [](auto& g, auto& x) -> List { return {matrix_power(x[0], g.integer(0))}; }},
    {"multi_dot", [](auto&, auto& x) -> List { return {multi_dot(x)}; }},
    {"cdist", [](auto& g, auto& x) -> List { return {cdist(x[0], x[1], g.number(0))}; }},
    {"dist", [](auto& g, auto& x) -> List { return {dist(x[0], x[1], g.number(0))}; }},
    {"solve_triangular", [](auto& g, auto& x) -> List { return {solve_triangular(x[0], x[1], {.upper = flag(g, 0), .left = flag(g, 1), .unitriangular = flag(g, 2)})}; }},
    {"cholesky", [](auto& g, auto& x) -> List { return {cholesky(symmetric(x[0]), flag(g, 0))}; }},
    {"cholesky_solve", [](auto& g, auto& x) -> List { return {cholesky_solve(x[0], x[1], flag(g, 0))}; }},
    {"cholesky_inverse", [](auto& g, auto& x) -> List { return {cholesky_inverse(x[0], flag(g, 0))}; }},
    {"slogdet", [](auto&, auto& x) -> List { const auto r = slogdet(x[0]); return {r.sign, r.logabsdet}; }},
    {"lu_factor", [](auto&, auto& x) -> List { const auto r = lu_factor(x[0]); return {r.lu, r.pivots}; }},
    {"lu_solve", [](auto&, auto& x) -> List { const auto r = lu_factor(x[0]); return {lu_solve(r.lu, r.pivots, x[1])}; }},
    {"qr", [](auto& g, auto& x) { return signed_qr(x[0], flag(g, 0)); }},
    {"svd", [](auto&, auto& x) { return signed_svd(x[0]); }},
    {"eigh", [](auto& g, auto& x) { return signed_eigh(x[0], flag(g, 0)); }},
    {"eigvalsh", [](auto& g, auto& x) -> List { return {eigvalsh(x[0], flag(g, 0))}; }},
    {"pinv", [](auto& g, auto& x) -> List { return {pinv(x[0], number_or(g, -1))}; }},
    {"matrix_rank", [](auto& g, auto& x) -> List { return {matrix_rank(x[0], number_or(g, -1))}; }},
    {"matrix_norm", [](auto& g, auto& x) -> List { return {matrix_norm(x[0], static_cast<MatrixNorm>(g.integer(0)), flag(g, 1))}; }},
};

Within values(const Golden& g) {
  switch (g.sections.at("")[0].dtype()) {
    case bfloat16: return {0x1p-8, 0x1p-8};
    case float16: return {0x1p-11, 0x1p-11};
    case float32: return {2e-6, 2e-6};
    default: return {1e-13, 1e-13};
  }
}

}  // namespace

TEST_CASE("linear algebra agrees with PyTorch up to the second derivative", "[ops][golden]") {
  check_goldens(RILL_SOURCE_DIR "/test/ops/linalg_goldens.txt", kOps, {.outputs = values, .derivatives = [](auto&) { return Within{1e-11, 1e-11}; }});
}
