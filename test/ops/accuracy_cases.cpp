// Hard cases with fixed values, and the error bounds of reductions and products. Values: test/oracle/accuracy_values.py.
#include "test/support/goldens.h"

#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <random>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/linalg.h>
#include <rill/ops/loss.h>
#include <rill/ops/norm.h>
#include <rill/ops/reduce.h>

using namespace rill;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
double eps(Dtype d) { return d == float64 ? 0x1p-52 : 0x1p-23; }
bool is_zero(const Tensor& t) { return all(eq(t, 0)).item<bool>(); }

#define RILL_ONE(op) {#op, [](const Tensor& x) { return rill::op(x); }}
const std::map<std::string, std::function<Tensor(const Tensor&)>> kFunctions = {
    RILL_ONE(digamma), RILL_ONE(trigamma), RILL_ONE(lgamma), RILL_ONE(log1p), RILL_ONE(expm1), RILL_ONE(sigmoid), RILL_ONE(silu), RILL_ONE(logsigmoid),
    RILL_ONE(mish), RILL_ONE(erfc), RILL_ONE(erfinv), RILL_ONE(logit), RILL_ONE(sinc), RILL_ONE(tan), RILL_ONE(sin), RILL_ONE(gelu), RILL_ONE(softplus),
    {"gelu_tanh", [](const Tensor& x) { return gelu(x, {.tanh_approximation = true}); }},
};

/// Mixed signs, magnitudes from 2^-10 to 2^10, exact in float32.
std::vector<double> numbers(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<double> v(n);
  for (double& x : v) x = std::ldexp(static_cast<double>(random() % 4096) - 2048, static_cast<int>(random() % 20) - 20);
  return v;
}

}  // namespace

TEST_CASE("functions keep their digits where they are hard to compute", "[ops][accuracy]") {
  std::ifstream file(RILL_SOURCE_DIR "/test/ops/accuracy_values.txt");
  REQUIRE(file);
  int lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    INFO(line);
    const Golden g = parse_golden(line);
    const auto& run = kFunctions.at(g.op);
    const Tensor &x = g.inputs[0], &want = g.sections.at("")[0];
    check_same(run(x), want, Within{8 * 0x1p-52});
    const Tensor single = x.to(float32);
    if (equal(single.to(float64), x)) check_same(run(single), want.to(float32), Within{8 * 0x1p-23, 0x1p-148});
  }
  CHECK(lines > 20);
}

TEST_CASE("reductions keep their digits where they are hard to compute", "[ops][accuracy]") {
  const NoGrad off;
  // a constant has no spread, however large it is
  for (const Dtype d : {float32, float64}) {
    const Tensor x = full({4, 6, 5}, 1e8, {.dtype = d});
    CHECK(is_zero(layer_norm(x, {5})));
    CHECK(is_zero(layer_norm(full({3, 1031}, 1e8, {.dtype = d}), {1031})));
    CHECK(is_zero(batch_norm(x, {}, {}, {}, {}, {.training = true})));
    CHECK(is_zero(group_norm(x, 2)));
    CHECK(is_zero(instance_norm(x)));
    CHECK(is_zero(var(x, {0, 2})));
    CHECK(is_zero(rill::std(x)));
  }
  // variance 1 around 1e6, values exact in float32
  std::vector<double> v(4096);
  double total = 0;
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = (static_cast<double>(i % 64) - 31.5) / 8, total += v[i] * v[i];
  const Tensor shifted = tensor(v, {.dtype = float64}) + 1e6;
  for (const Dtype d : {float32, float64}) CHECK(std::fabs(var(shifted.to(d)).item<double>() * 4095 / total - 1) < 20 * eps(d));
  // squares outside the range, results inside
  for (const Dtype d : {float32, float64})
    for (const double size : {1e20, 1e-30, d == float64 ? 1e200 : 1e38, d == float64 ? 1e-200 : 1e-38}) {
      INFO(to_string(d) << " " << size);
      CHECK(std::fabs(norm(tensor({size, size}, {.dtype = d})).item<double>() / (size * std::sqrt(2.0)) - 1) < 4 * eps(float32));
      if (std::fabs(std::log10(size)) < 100) CHECK(std::fabs(rill::std(tensor({size, -size}, {.dtype = d})).item<double>() / (size * std::sqrt(2.0)) - 1) < 4 * eps(float32));
    }
  for (const Dtype d : {float32, float64}) {
    const auto lse = [&](std::initializer_list<Literal> x) { return logsumexp(tensor(x, {.dtype = d}), {0}).item<double>(); };
    CHECK(std::fabs(lse({1e4, 1e4}) - (1e4 + std::log(2))) <= 1e4 * eps(d));
    CHECK(std::fabs(lse({-1e4, -1e4}) - (-1e4 + std::log(2))) <= 1e4 * eps(d));
    CHECK(lse({1e4, -1e4}) == 1e4);
    CHECK(lse({-kInf, -kInf}) == -kInf);
    CHECK(lse({-kInf, 3.}) == 3);
    const Tensor logits = tensor({{1e4, -1e4}, {-1e4, 1e4}}, {.dtype = d});
    CHECK(cross_entropy(logits, tensor({0, 1})).item<double>() == 0);
    CHECK(cross_entropy(logits, tensor({1, 0})).item<double>() == 2e4);
  }
  CHECK(std::fabs(sum(full({10000000}, 0.1f)).item<double>() / (1e7 * static_cast<double>(0.1f)) - 1) < eps(float32));
  CHECK(std::fabs(mean(full({10000000}, 0.1f)).item<double>() / static_cast<double>(0.1f) - 1) < eps(float32));
  const Tensor running = cumsum(full({1000000}, 0.1f), 0);
  CHECK(std::fabs(running[-1].item<double>() / (1e6 * static_cast<double>(0.1f)) - 1) < 28 * eps(float32));
  // neighbours differ by exactly one unit
  for (const float x : {1.0f, 1e-30f, 3e38f, 0.1f}) {
    const float next = std::nextafter(x, INFINITY);
    CHECK(sub(tensor(std::vector<float>{next}), tensor(std::vector<float>{x})).item<float>() == next - x);
  }
}

TEST_CASE("reductions stay within (log2 n + 8) units of the sum of magnitudes", "[ops][accuracy]") {
  const NoGrad off;
  for (const Dtype d : {float32, float64})
    for (const std::int64_t n : {1, 2, 7, 64, 1000, 100003})
      for (const std::int64_t others : {1, 3}) {
        INFO(to_string(d) << ", " << n << " of " << others);
        const auto v = numbers(static_cast<std::size_t>(n * others), static_cast<unsigned>(n));
        const Tensor rows = tensor(v).to(d).reshape({others, n}), columns = rows.t().contiguous();
        const double unit = (std::log2(static_cast<double>(n)) + 8) * eps(d);
        for (std::int64_t r = 0; r < others; ++r) {
          long double total = 0, magnitude = 0, squares = 0, cubes = 0, spread = 0, top = -kInf, exps = 0;
          const double* x = v.data() + r * n;
          for (std::int64_t i = 0; i < n; ++i) {
            const long double a = std::fabs(x[i]);
            total += x[i], magnitude += a, squares += a * a, cubes += a * a * a, top = std::max<long double>(top, x[i]);
          }
          const auto count = static_cast<long double>(n), center = total / count;
          for (std::int64_t i = 0; i < n; ++i) spread += (x[i] - center) * (x[i] - center), exps += std::exp(x[i] - top);
          const auto check = [&](const char* op, const std::function<Tensor(const Tensor&, std::int64_t)>& f, long double want, long double room) {
            INFO(op);
            CHECK(std::fabs(f(rows, 1)[r].item<double>() - want) <= unit * room);
            CHECK(std::fabs(f(columns, 0)[r].item<double>() - want) <= unit * room);
            if (others == 1) CHECK(std::fabs(f(rows.reshape({n}), 0).item<double>() - want) <= unit * room);
          };
          const auto root = std::sqrt(squares);
          check("sum", [](auto& t, auto a) { return sum(t, {a}); }, total, magnitude);
          check("nansum", [](auto& t, auto a) { return nansum(t, {a}); }, total, magnitude);
          check("mean", [](auto& t, auto a) { return mean(t, {a}); }, center, magnitude / count);
          check("norm 1", [](auto& t, auto a) { return norm(t, 1, {a}); }, magnitude, magnitude);
          check("norm 2", [](auto& t, auto a) { return norm(t, 2, {a}); }, root, root);
          check("norm 3", [](auto& t, auto a) { return norm(t, 3, {a}); }, std::cbrt(cubes), std::cbrt(cubes));
          check("logsumexp", [](auto& t, auto a) { return logsumexp(t, {a}); }, top + std::log(exps), 1 + std::fabs(top));
          check("var", [](auto& t, auto a) { return var(t, {a}, {.correction = 0}); }, spread / count, spread / count);
          check("std", [](auto& t, auto a) { return rill::std(t, {a}, {.correction = 0}); }, std::sqrt(spread / count), std::sqrt(spread / count));
          check("cumsum", [n](auto& t, auto a) { return select(cumsum(t, a), a, n - 1); }, total, magnitude);
        }
      }
}

TEST_CASE("products stay within 2 sqrt(K) units of the product of magnitudes", "[ops][accuracy]") {
  const NoGrad off;
  for (const Dtype d : {float32, float64, float16, bfloat16})
    for (const std::int64_t k : {1, 3, 16, 100, 1000})
      for (const std::int64_t m : {1, 5, 33}) {
        const std::int64_t n = 17;
        INFO(to_string(d) << " " << m << " x " << k << " x " << n);
        const auto values = [&](std::int64_t rows, std::int64_t columns, unsigned seed) {
          return tensor(numbers(static_cast<std::size_t>(rows * columns), seed)).reshape({rows, columns}).to(d);
        };
        const Tensor a = values(m, k, 1), b = values(k, n, 2), c = matmul(a, b);
        const auto x = a.to_vector<double>(), y = b.to_vector<double>(), have = c.to_vector<double>();
        const double last = d == float16 ? 0x1p-11 : d == bfloat16 ? 0x1p-8 : eps(d) / 2;
        double worst = 0;
        for (std::int64_t i = 0; i < m; ++i)
          for (std::int64_t j = 0; j < n; ++j) {
            long double s = 0, size = 0;
            for (std::int64_t p = 0; p < k; ++p) {
              const long double t = static_cast<long double>(x[static_cast<std::size_t>(i * k + p)]) * y[static_cast<std::size_t>(p * n + j)];
              s += t, size += std::fabs(t);
            }
            const long double room = 2 * std::sqrt(static_cast<double>(k)) * eps(d) * size + last * std::fabs(s) + (d == float16 ? 0x1p-25 : 0);
            const double y_ij = have[static_cast<std::size_t>(i * n + j)];
            worst = std::max(worst, std::isinf(y_ij) && std::fabs(s) > 65504 ? 0 : static_cast<double>(std::fabs(y_ij - s) / room));
          }
        CHECK(worst <= 1);
      }
}
