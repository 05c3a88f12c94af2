// Linear algebra: products against a float64 reference, values of PyTorch, gradients against differences, error texts.
#include <cmath>
#include <random>

#include <rill/autograd/backward.h>
#include <rill/autograd/grad_mode.h>
#include <rill/core/threads.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/linalg.h>
#include <rill/ops/reduce.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "test/support/catch.h"

using namespace rill;

namespace {

std::int64_t count(const Shape& s) {
  std::int64_t n = 1;
  for (const auto v : s) n *= v;
  return n;
}

Tensor values(const Shape& shape, Dtype dtype = float64, unsigned seed = 1) {
  std::mt19937 rng(seed);
  std::vector<double> v(static_cast<std::size_t>(count(shape)));
  for (auto& x : v) x = is_floating(dtype) ? static_cast<double>(rng() % 2001) / 1000 - 1 : static_cast<double>(rng() % 5);
  return tensor(std::span<const double>(v), shape).to(dtype);
}
/// 0, 1, 2, ... in float64.
Tensor range(const Shape& s) { return arange(static_cast<double>(count(s)), {.dtype = float64}).reshape(s); }

void same(const Tensor& t, const Shape& shape, const std::vector<double>& expected, double tolerance = 1e-12) {
  CHECK(t.shape() == shape);
  const auto got = t.to_vector<double>();
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    INFO("element " << i << ": " << got[i] << ", expected " << expected[i]);
    CHECK(std::abs(got[i] - expected[i]) <= tolerance * (1 + std::abs(expected[i])));
  }
}
void same(const Tensor& t, const Tensor& expected, double tolerance = 1e-12) { same(t, expected.shape(), expected.to_vector<double>(), tolerance); }

template <class E, class F> void refuses(F f, const std::string& text) {
  try {
    f();
    FAIL("no exception; expected: " << text);
  } catch (const E& e) {
    CHECK(std::string(e.what()) == text);
  }
}

using Function = std::function<Tensor(const std::vector<Tensor>&)>;
/// A function of one tensor.
template <class F> Function of(F f) {
  return [f](const std::vector<Tensor>& x) { return f(x[0]); };
}

/// First and second derivatives of sum(f(x) * w) against central differences.
void check_gradients(const Function& f, std::vector<Tensor> inputs, double tolerance = 2e-6) {
  for (auto& x : inputs) x = x.detach().clone(MemoryFormat::contiguous).requires_grad_();
  const auto first = [&](const std::vector<Tensor>& in) {
    const Tensor y = f(in);
    return sum(y * sin(range(y.shape()) * 1.7 + 0.3));
  };
  const auto second = [&](const std::vector<Tensor>& in) {
    const auto g = grad({first(in)}, in, {}, {.create_graph = true});
    Tensor total = zeros({}, {.dtype = float64});
    for (std::size_t i = 0; i < g.size(); ++i) total = total + sum(g[i] * cos(range(g[i].shape()) + static_cast<double>(i)));
    return total;
  };
  const auto compare = [&](const auto& h, int order, double limit) {
    const Tensor y = h(inputs);
    const auto g = y.requires_grad() ? grad({y}, inputs, {}, {.allow_unused = true}) : std::vector<Tensor>(inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto analytic = g[i].defined() ? g[i].template to_vector<double>() : std::vector<double>(static_cast<std::size_t>(inputs[i].numel()), 0.0);
      double* p = inputs[i].template data<double>();
      for (std::size_t k = 0; k < analytic.size(); ++k) {
        const double at = p[k], step = 1e-5;
        p[k] = at + step;
        const double above = h(inputs).template item<double>();
        p[k] = at - step;
        const double below = h(inputs).template item<double>();
        p[k] = at;
        const double numeric = (above - below) / (2 * step);
        INFO("order " << order << ", input " << i << ", element " << k << ": " << analytic[k] << ", differences give " << numeric);
        CHECK(std::abs(numeric - analytic[k]) <= limit * (1 + std::abs(numeric)));
      }
    }
  };
  compare(first, 1, tolerance);
  compare(second, 2, tolerance * 20);
}

Tensor unit(std::int64_t n, std::int64_t m, Dtype d = float64) { return eye(n, m, {.dtype = d}); }
/// Well conditioned, with distinct singular values.
Tensor regular(const Shape& s, unsigned seed = 3) { return values(s, float64, seed) + unit(s[s.rank() - 2], s[s.rank() - 1]) * (range({s[s.rank() - 1]}) + 2); }
Tensor positive(const Tensor& x) { return matmul(x, x.mT()) + unit(x.size(-1), x.size(-1)); }

Tensor a33() { return tensor({{4., 1., 2.}, {1., 3., 0.}, {2., 0., 5.}}, {.dtype = float64}); }
Tensor b32() { return tensor({{1., 2.}, {3., 4.}, {5., 6.}}, {.dtype = float64}); }

}  // namespace

TEST_CASE("matmul agrees with a float64 reference for every dtype, layout and edge size") {
  const NoGrad off;
  for (const Dtype d : {float32, float64, float16, bfloat16, int32, int64, uint8})
    for (const std::int64_t m : {1, 5, 6, 13, 100})
      for (const std::int64_t n : {1, 3, 16, 31, 70, 300})
        for (const std::int64_t k : {0, 1, 17, 130, 300}) {
          if (m * n * k > (d == float32 || d == float64 ? 3000000 : 100000)) continue;
          const auto compare = [&](const Tensor& a, const Tensor& b) {
            const auto x = a.to_vector<double>(), y = b.to_vector<double>();
            const Tensor c = matmul(a, b);
            REQUIRE(c.dtype() == d);
            const auto got = c.to_vector<double>();
            const std::int64_t batch = c.numel() / (m * n), step_a = a.dim() > 2 ? m * k : 0, step_b = b.dim() > 2 ? k * n : 0;
            const double u = static_cast<double>(k + 2), eps = d == float32 ? u * 6e-8 : d == float64 ? u * 1.2e-16 : d == float16 ? 1e-3 : d == bfloat16 ? 8e-3 : 0;
            bool good = true;
            for (std::int64_t t = 0; t < batch; ++t)
              for (std::int64_t i = 0; i < m; ++i)
                for (std::int64_t j = 0; j < n; ++j) {
                  double s = 0, size = 0;
                  for (std::int64_t p = 0; p < k; ++p) {
                    const double v = x[static_cast<std::size_t>(t * step_a + i * k + p)] * y[static_cast<std::size_t>(t * step_b + p * n + j)];
                    s += v, size += std::abs(v);
                  }
                  const double g = got[static_cast<std::size_t>((t * m + i) * n + j)];
                  if (d == uint8) s = std::fmod(s, 256);
                  // float16 has an absolute spacing of 6e-8 near 0
                  good &= std::abs(g - s) <= eps * (d == float32 || d == float64 ? size : std::abs(s) + 1e-3 * size) + (d == float16 ? 6e-8 : 0);
                }
            INFO(to_string(d) << " m " << m << " n " << n << " k " << k);
            CHECK(good);
          };
          const Tensor a = values({m, k}, d, 1), b = values({k, n}, d, 2), at = values({k, m}, d, 3).t(), bt = values({n, k}, d, 4).t();
          compare(a, b), compare(at, b), compare(a, bt), compare(at, bt);
          compare(values({m, 1}, d).expand({m, k}), values({1, n}, d).expand({k, n}));
          compare(slice(slice(values({2 * m, 3 * k + 1}, d), 0, Slice(0, {}, 2)), 1, Slice(0, 3 * k, 3)), b);
          if (m * n * k < 5000) {
            compare(values({3, m, k}, d), values({3, k, n}, d)), compare(values({3, m, k}, d), b), compare(a, values({3, k, n}, d));
            compare(values({m, 3, k}, d).transpose(0, 1), bt), compare(values({3, k, m}, d).mT(), values({3, n, k}, d).mT());
          }
        }
}

TEST_CASE("matmul follows the rank rules of PyTorch") {
  const Tensor v = range({3}), w = range({2}), m = range({2, 3}), b = range({2, 2, 3});
  same(matmul(v, v), Shape{}, {5});
  same(matmul(m, v), {2}, {5, 14});
  same(matmul(w, m), {3}, {3, 4, 5});
  same(matmul(b, v), {2, 2}, {5, 14, 23, 32});
  same(matmul(w, b), {2, 3}, {3, 4, 5, 9, 10, 11});
  CHECK(matmul(ones({5, 1, 2, 3}), ones({4, 3, 6})).shape() == Shape{5, 4, 2, 6});
  CHECK(matmul(ones({0, 3}), ones({3, 4})).shape() == Shape{0, 4});
  CHECK(matmul(ones({7, 0, 2, 3}), ones({3, 4})).shape() == Shape{7, 0, 2, 4});
  same(matmul(ones({2, 0}), ones({0, 2})), {2, 2}, {0, 0, 0, 0});
  same(dot(ones({0}), ones({0})), Shape{}, {0});
  same(addmm(full({2, 2}, std::nan("")), ones({2, 3}), ones({3, 2}), {.beta = 0}), {2, 2}, {3, 3, 3, 3});
  same(addmm(ones({2}), ones({2, 3}), ones({3, 2}), {.beta = 2, .alpha = 3}), {2, 2}, {11, 11, 11, 11});
  same(addmv(w, m, v), {2}, {5, 15});
  same(linear(m, m, w), {2, 2}, {5, 15, 14, 51});
  same(linear(v, m, w), {2}, {5, 15});
  same(linear(m, v), {2}, {5, 14});
}

TEST_CASE("products give the same bits for every number of threads") {
  const NoGrad off;
  const int before = num_threads();
  for (const Dtype d : {float32, float64})
    for (const Shape& s : {Shape{300, 200, 700}, Shape{64, 512, 300}, Shape{1, 900, 1100}, Shape{1100, 1, 900}}) {
      const Tensor a = values({s[0], s[2]}, d), b = values({s[2], s[1]}, d), bt = values({s[1], s[2]}, d).t();
      set_num_threads(1);
      const Tensor one = matmul(a, b), one_t = matmul(a, bt);
      for (const int n : {2, 3}) {
        set_num_threads(n);
        CHECK(equal(matmul(a, b), one));
        CHECK(equal(matmul(a, bt), one_t));
      }
    }
  set_num_threads(before);
}

TEST_CASE("wide products are cut into columns without a trace") {
  const NoGrad off;
  const Tensor a = values({200, 400}, float32), b = values({400, 8000}, float32);  // B is taken in two parts
  const Tensor whole = matmul(a, b);
  for (const std::int64_t first : {0, 5120, 7900}) {
    const Tensor part = b.narrow(1, first, 100);
    CHECK(equal(whole.narrow(1, first, 100), matmul(a, part)));
  }
  const Tensor exact = matmul(a.to(float64), b.to(float64));
  CHECK(amax(abs(whole.to(float64) - exact)).item<double>() < 1e-4);
}

TEST_CASE("deep products are cut into rows of the right operand, which are added") {
  const NoGrad off;
  const Tensor a = values({200, 15000}, float32), b = values({160, 15000}, float32, 2).t(), c = values({200, 160}, float32);  // B is taken in two parts
  const Tensor exact = matmul(a.to(float64), b.to(float64));
  CHECK(amax(abs(matmul(a, b).to(float64) - exact)).item<double>() < 1e-4);
  CHECK(amax(abs(addmm(c, a, b).to(float64) - exact - c.to(float64))).item<double>() < 1e-4);
  const int before = num_threads();
  set_num_threads(1);
  const Tensor one = matmul(a, b);
  set_num_threads(3);
  CHECK(equal(matmul(a, b), one));
  set_num_threads(before);
}

TEST_CASE("gradients of products match differences, twice") {
  const auto check = [](const Tensor& a, const Tensor& b) { check_gradients([](const auto& x) { return matmul(x[0], x[1]); }, {a, b}); };
  check(values({2, 3}), values({3, 4}));
  check(values({3}), values({3}));
  check(values({2, 3}), values({3}));
  check(values({3}), values({2, 3, 2}));
  check(values({2, 1, 2, 3}), values({2, 3, 2}));
  check(values({2, 2, 3}), values({3, 2}));
  check(values({2, 3}), values({2, 3, 2}));
  check_gradients([](const auto& x) { return linear(x[0], x[1], x[2]); }, {values({2, 2, 3}), values({4, 3}), values({4})});
  check_gradients([](const auto& x) { return linear(x[0], x[1]); }, {values({3}), values({4, 3})});
  check_gradients([](const auto& x) { return addmm(x[0], x[1], x[2]); }, {values({3}), values({2, 4}), values({4, 3})});
  check_gradients([](const auto& x) { return baddbmm(x[0], x[1], x[2], {.beta = 0.5, .alpha = 2}); }, {values({2, 2, 3}), values({2, 2, 4}), values({2, 4, 3})});
  check_gradients([](const auto& x) { return einsum("aij,bjk,ki->ab", {x[0], x[1], x[2]}); }, {values({2, 3, 2}), values({2, 2, 2}), values({2, 3})});
  check_gradients([](const auto& x) { return kron(x[0], x[1]); }, {values({2, 1}), values({2, 2})});
  check_gradients([](const auto& x) { return cross(x[0], x[1]); }, {values({2, 3}), values({2, 3}, float64, 2)});
  check_gradients([](const auto& x) { return cdist(x[0], x[1]); }, {values({2, 3}), values({3, 3}, float64, 2)});
  check_gradients(of([](const Tensor& x) { return matrix_power(x, 5); }), {values({3, 3})}, 1e-5);
}

TEST_CASE("einsum and its relatives agree with PyTorch") {
  const Tensor a = range({2, 3}), b = range({3, 4}), x = range({2, 3, 4}), y = range({2, 4}), s = range({3, 3});
  same(einsum("ij,jk", {a, b}), {2, 4}, {20, 23, 26, 29, 56, 68, 80, 92});
  same(einsum(" ij , kj -> ik ", {a, s}), {2, 3}, {5, 14, 23, 14, 50, 86});
  same(einsum("ii->i", {s}), {3}, {0, 4, 8});
  same(einsum("ii", {s}), Shape{}, {12});
  same(einsum("...ij,...j->...i", {x, y}), {2, 3}, {14, 38, 62, 302, 390, 478});
  same(einsum("ij,jk,kl->il", {a, b, range({4, 2})}), {2, 2}, {324, 422, 1008, 1304});
  same(einsum("i,j", {range({2}), range({3})}), {2, 3}, {0, 0, 0, 0, 1, 2});
  same(einsum("ba", {a}), {3, 2}, {0, 3, 1, 4, 2, 5});
  same(einsum("aB", {a}), {3, 2}, {0, 3, 1, 4, 2, 5});
  same(einsum("ij,ij->j", {a, ones({1, 3}, {.dtype = float64})}), {3}, {3, 5, 7});
  same(einsum("...,...", {a, range({3})}), {2, 3}, {0, 1, 4, 0, 4, 10});
  same(einsum("i...->...", {a}), {3}, {3, 5, 7});
  same(tensordot(x, range({4, 3}), {1, 2}, {1, 0}), {2}, {440, 1232});
  same(kron(tensor({{1, 2}, {3, 4}}), tensor({{0, 1}})), {2, 4}, {0, 1, 0, 2, 0, 3, 0, 4});
  same(cross(tensor({1, 2, 3}), tensor({4, 5, 7})), {3}, {-1, 5, -3});
  same(cdist(a, a + 1), {2, 2}, {1.7320508075688772, 6.9282032302755088, 3.4641016151377544, 1.7320508075688772});
  same(multi_dot({range({2}), a, b, range({4})}), Shape{}, {504});
  same(inner(a, s), {2, 3}, {5, 14, 23, 14, 50, 86});
  same(outer(range({2}), range({3})), {2, 3}, {0, 0, 0, 0, 1, 2});
  same(trace(s), Shape{}, {12});
}

TEST_CASE("decompositions and equations agree with PyTorch") {
  const Tensor a = a33(), b = b32(), c = tensor({{1., 2., 3.}, {4., 5., 6.}, {7., 8., 10.}}, {.dtype = float64});
  same(inv(a), {3, 3}, {0.348837209302326, -0.116279069767442, -0.13953488372093, -0.116279069767442, 0.372093023255814, 0.0465116279069768, -0.13953488372093, 0.0465116279069768, 0.255813953488372});
  same(solve(a, b), {3, 2}, {-0.697674418604651, -0.604651162790698, 1.23255813953488, 1.53488372093023, 1.27906976744186, 1.44186046511628});
  same(solve(a, b.select(1, 0)), {3}, {-0.697674418604651, 1.23255813953488, 1.27906976744186});
  same(cholesky(a), {3, 3}, {2, 0, 0, 0.5, 1.6583123951777, 0, 1, -0.301511344577764, 1.97714210644832});
  same(cholesky_solve(b, cholesky(a)), solve(a, b));
  same(cholesky_inverse(cholesky(a, true), true), inv(a));
  same(det(a), Shape{}, {43});
  same(slogdet(neg(a)).sign, Shape{}, {-1});
  same(logdet(a), Shape{}, {3.76120011569356});
  CHECK(std::isnan(logdet(neg(a)).item<double>()));
  same(svdvals(b), {2}, {9.52551809156511, 0.514300580658644});
  same(eigvalsh(a), {3}, {1.85489730879958, 3.47602360291813, 6.66907908828229});
  same(qr(b).q, {3, 2}, {-0.169030850945703, 0.897085227145061, -0.50709255283711, 0.276026223736941, -0.845154254728517, -0.345032779671177});
  same(qr(b).r, {2, 2}, {-5.91607978309962, -7.43735744161095, 0, 0.828078671210825});
  same(pinv(b), {2, 3}, {-1.33333333333333, -0.333333333333333, 0.666666666666667, 1.08333333333333, 0.333333333333333, -0.416666666666666});
  same(lstsq(b, tensor({1., 0., 2.}, {.dtype = float64})), {2}, {0, 0.25});
  same(matrix_exp(a * 0.25), {3, 3}, {3.1784378358555, 0.636506381671863, 1.62382017364056, 0.636506381671863, 2.1911240438868, 0.175403705148418, 1.62382017364056, 0.175403705148418, 3.90264607010157});
  same(matrix_exp(a * 4), matrix_power(matrix_exp(a * 0.25), 16), 1e-11);
  same(matrix_power(a, -2), {3, 3}, {0.15467820443483, -0.0903190914007572, -0.0897782585181179, -0.0903190914007572, 0.15413737155219, 0.0454299621416982, -0.0897782585181179, 0.0454299621416982, 0.0870740941049216});
  const Lu f = lu_factor(c);
  same(f.lu, {3, 3}, {7, 8, 10, 0.142857142857143, 0.857142857142857, 1.57142857142857, 0.571428571428571, 0.5, -0.5});
  same(f.pivots, {3}, {3, 3, 3});
  same(lu_solve(f.lu, f.pivots, b), solve(c, b));
  same(cond(a), Shape{}, {3.59538992085674});
  same(matrix_rank(tensor({{1., 2.}, {2., 4.}})), Shape{}, {1});
  same(householder_product(b, tensor({0.5, 0.25}, {.dtype = float64})), {3, 2}, {0.5, 2.625, -1.5, 8.625, -2.5, 11.625});
  const std::pair<MatrixNorm, double> norms[] = {{MatrixNorm::fro, 9.53939201416946}, {MatrixNorm::nuc, 10.0398186722238}, {MatrixNorm::one, 12}, {MatrixNorm::minus_one, 9},
                                                 {MatrixNorm::two, 9.52551809156511}, {MatrixNorm::minus_two, 0.514300580658644}, {MatrixNorm::inf, 11}, {MatrixNorm::minus_inf, 3}};
  for (const auto& [kind, expected] : norms) same(matrix_norm(b, kind), Shape{}, {expected});
}

TEST_CASE("factors multiply to the matrix: batched, wide, tall and empty, in float32 and float64") {
  for (const Dtype d : {float32, float64}) {
    const double eps = d == float32 ? 1e-5 : 1e-13;
    for (const Shape& s : {Shape{3, 5, 4}, Shape{2, 1, 4, 5}, Shape{40, 40}, Shape{0, 3, 2}}) {
      const Tensor x = values(s, d);
      const auto k = std::min(s[s.rank() - 1], s[s.rank() - 2]);
      for (const bool full : {false, true}) {
        const Svd u = svd(x, full);
        same(matmul(u.u.narrow(-1, 0, k) * u.s.unsqueeze(-2), u.vh.narrow(-2, 0, k)), x, eps);
        const Qr q = qr(x, full);
        same(matmul(q.q, q.r), x, eps);
        const Tensor square = matmul(q.q.mT(), q.q);
        same(square, unit(q.q.size(-1), q.q.size(-1), d).expand(square.shape()), eps);
      }
      same(matmul(matmul(x, pinv(x)), x), x, 10 * eps);
    }
    const Tensor x = values({2, 6, 6}, d), s = x + x.mT();
    const Eigh e = eigh(s);
    same(matmul(e.vectors * e.values.unsqueeze(-2), e.vectors.mT()), s, eps);
    same(matmul(s, inv(s)), unit(6, 6, d).expand({2, 6, 6}), 1000 * eps);
    same(eigvalsh(triu(s), true), e.values, eps);
  }
  CHECK(solve(ones({0, 0}), ones({0, 3})).shape() == Shape{0, 3});
  same(det(ones({2, 0, 0})), {2}, {1, 1});
  CHECK(svd(ones({0, 3}), true).vh.shape() == Shape{3, 3});
  CHECK(qr(ones({3, 0}), true).q.shape() == Shape{3, 3});
  const Tensor a = values({2, 1, 3, 3}), b = values({4, 3, 2});
  same(matmul(a, solve(a, b)), b.expand({2, 4, 3, 2}), 1e-11);
}

TEST_CASE("gradients of equations match differences, twice") {
  check_gradients(of(inv), {regular({2, 3, 3})});
  check_gradients([](const auto& x) { return solve(x[0], x[1]); }, {regular({3, 3}), values({2, 3, 2})});
  check_gradients([](const auto& x) { return solve(x[0], x[1]); }, {regular({2, 3, 3}), values({2, 3})});
  for (const bool upper : {false, true})
    for (const bool left : {false, true})
      for (const bool one : {false, true})
        check_gradients([=](const auto& x) { return solve_triangular(x[0], x[1], {.upper = upper, .left = left, .unitriangular = one}); }, {regular({3, 3}), values({3, 3})});
  check_gradients(of([](const Tensor& x) { return cholesky(positive(x)); }), {values({2, 3, 3})}, 1e-5);
  check_gradients(of(det), {regular({2, 3, 3})});
  check_gradients(of(logdet), {regular({3, 3})});
  check_gradients(of([](const Tensor& x) { return lu_factor(x).lu; }), {regular({3, 3})});
  check_gradients([](const auto& x) {
    const Lu f = lu_factor(x[0]);
    return lu_solve(f.lu, f.pivots, x[1]);
  }, {regular({2, 3, 3}), values({3, 2})});
  check_gradients(of([](const Tensor& x) { return matrix_exp(x * 0.5); }), {values({2, 3, 3})}, 1e-5);
}

TEST_CASE("gradients of decompositions match differences, twice") {
  for (const Shape& s : {Shape{3, 3}, Shape{4, 2}, Shape{2, 4}}) {
    INFO("shape " << to_string(s));
    check_gradients(of([](const Tensor& x) { return qr(x).q; }), {regular(s)}, 1e-5);
    check_gradients(of([](const Tensor& x) { return qr(x).r; }), {regular(s)}, 1e-5);
    check_gradients(of([](const Tensor& x) { const Qr y = qr(x); return matmul(sin(y.q), y.r); }), {regular(s)}, 1e-5);
    check_gradients(of([](const Tensor& x) { return square(svd(x).u); }), {regular(s)}, 1e-5);
    check_gradients(of([](const Tensor& x) { return square(svd(x).vh); }), {regular(s)}, 1e-5);
    check_gradients(of([](const Tensor& x) { const Svd y = svd(x); return matmul(y.u * exp(y.s).unsqueeze(-2), y.vh); }), {regular(s)}, 1e-5);
    check_gradients(of([](const Tensor& x) { return pinv(x); }), {regular(s)}, 1e-5);
    check_gradients(of(svdvals), {regular(s)}, 1e-5);
  }
  check_gradients(of([](const Tensor& x) { return square(eigh(positive(x)).vectors); }), {regular({3, 3})}, 1e-5);
  check_gradients(of([](const Tensor& x) { return eigvalsh(positive(x)); }), {regular({2, 3, 3})}, 1e-5);
  check_gradients([](const auto& x) { return lstsq(x[0], x[1]); }, {regular({4, 2}), values({4, 2})}, 1e-5);
  check_gradients([](const auto& x) { return householder_product(x[0], x[1]); }, {values({3, 2}), values({2})});
}

TEST_CASE("gradients of decompositions agree with PyTorch") {
  const auto gradient = [](auto f) {
    const Tensor x = a33().requires_grad_();
    const Tensor y = f(x);
    sum(y * (range(y.shape()) + 1)).backward();
    return x.grad();
  };
  same(gradient([](const Tensor& x) { return cholesky(x); }), {3, 3}, {0.526815828017837, -0.9182952884531, -0.0944840118091252, -0.918295288453099, 2.02135875879912, 2.82591119750664, -0.094484011809125, 2.82591119750664, 2.27601242486493}, 1e-11);
  same(gradient([](const Tensor& x) { return abs(eigh(x).vectors); }), {3, 3}, {0.575793890275387, 0.584852130393172, -0.204447170772417, 0.584852130393173, -0.111939156289355, 0.412918868751987, -0.204447170772417, 0.412918868751987, -0.463854733986032}, 1e-11);
  same(gradient([](const Tensor& x) { return abs(svd(x).u); }), {3, 3}, {0.566398824752114, 0.440154660646516, 0.0149987328204332, 0.395064437306777, -0.150337180347927, 0.40619575818612, -0.29974604976895, 0.070655337217152, -0.416061644404187}, 1e-11);
  same(gradient([](const Tensor& x) { return matrix_exp(x * 0.25); }), {3, 3}, {3.73446267973846, 3.3461736884652, 5.50016857457189, 4.26837904151208, 3.35977006080373, 5.55834468889465, 8.92321262700144, 7.00676115738679, 10.8484584056374}, 1e-11);
}

TEST_CASE("the determinant of a singular matrix has the gradient of its cofactors") {
  const Tensor x = tensor({{1., 2., 3.}, {2., 4., 6.}, {1., 0., 1.}}, {.dtype = float64}).requires_grad_();
  det(x).backward();
  same(x.grad(), {3, 3}, {4, 4, -4, -2, -2, 2, 0, 0, 0});
}

TEST_CASE("errors of linear algebra say what does not fit") {
  refuses<ShapeError>([] { matmul(ones({32, 784}), ones({128, 10})); }, "matmul: cannot multiply [32, 784] by [128, 10]: inner sizes 784 and 128 differ");
  refuses<ShapeError>([] { matmul(ones({}), ones({2})); }, "matmul: cannot multiply [] by [2]: a 0-dim tensor is no matrix; use mul()");
  refuses<DtypeError>([] { matmul(ones({2, 2}), ones({2, 2}, {.dtype = int64})); }, "matmul: operands have dtypes float32 and int64; convert one with .to()");
  refuses<DtypeError>([] { mm(ones({2, 2}, {.dtype = boolean}), ones({2, 2}, {.dtype = boolean})); },
                      "mm: bool is not supported (expected a floating or integer dtype); convert with .to()");
  refuses<ShapeError>([] { mm(ones({2}), ones({2, 2})); }, "mm: takes operands of rank 2 and 2, got [2] and [2, 2]; use matmul() for other ranks");
  refuses<ShapeError>([] { dot(ones({2}), ones({3})); }, "dot: cannot multiply [2] by [3]: inner sizes 2 and 3 differ");
  refuses<ShapeError>([] { bmm(ones({2, 2, 2}), ones({3, 2, 2})); }, "bmm: batches 2 and 3 of [2, 2, 2] and [3, 2, 2] differ; matmul() broadcasts");
  refuses<ShapeError>([] { linear(ones({4, 3}), ones({2, 5})); }, "linear: x [4, 3] has 3 features, weight [2, 5] expects 5");
  refuses<ShapeError>([] { linear(ones({4, 3}), ones({2, 3}), ones({3})); }, "linear: a summand of shape [3] does not broadcast to the product's shape [4, 2]");
  refuses<ValueError>([] { einsum("ij,jk", {ones({2, 2})}); }, "einsum: \"ij,jk\" names 2 operands, but 1 were given");
  refuses<ValueError>([] { einsum("ij,jk", {ones({2, 2}), ones({3, 2})}); }, "einsum: operand 1 of shape [3, 2] has size 3 where an earlier operand of \"ij,jk\" has 2");
  refuses<ValueError>([] { einsum("i", {ones({2, 2})}); }, "einsum: operand 0 of shape [2, 2] has 2 axes, its group in \"i\" has 1 labels");
  refuses<ValueError>([] { einsum("i->j", {ones({2})}); }, "einsum: the result of \"i->j\" has a label that no operand has");
  refuses<ValueError>([] { einsum("i1", {ones({2, 2})}); }, "einsum: '1' in \"i1\" is not a label; use letters, one \"...\" per group, \",\" and \"->\"");
  refuses<ValueError>([] { inv(stack({eye(2), zeros({2, 2})})); }, "inv: batch element 1: the matrix is singular: diagonal element 1 of its LU decomposition is 0");
  refuses<ValueError>([] { solve(tensor({{1., 2.}, {2., 4.}}), ones({2})); }, "solve: the matrix is singular: diagonal element 2 of its LU decomposition is 0");
  refuses<ValueError>([] { cholesky(stack({eye(2), tensor({{1., 2.}, {2., 1.}})})); }, "cholesky: batch element 1: the matrix is not positive definite: its leading minor of order 2 is not positive");
  refuses<ValueError>([] { svd(full({2, 2}, std::nan(""))); }, "svd: the matrix holds NaN or infinity");
  refuses<ShapeError>([] { inv(ones({2, 3})); }, "inv: takes square matrices, input has shape [2, 3]");
  refuses<DtypeError>([] { inv(ones({2, 2}, {.dtype = int64})); }, "inv: int64 is not supported (expected float32 or float64); convert with .to()");
}
