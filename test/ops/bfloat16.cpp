// Products, convolutions and LSTM layers of bfloat16 at sizes that reach the kernels for it, against the same in float64: one rounding of the result away,
// and equal bits for any number of threads.
#include "test/support/goldens.h"

#include <rill/core/threads.h>
#include <rill/rill.h>

using namespace rill;

namespace {

constexpr double kEps = 1.0 / 256;  // half a unit in the last place of bfloat16

Tensor low(const Shape& shape) { return randn(shape).to(bfloat16); }

/// Half a unit of the result, and what float32 sums of `terms` products of about 1 may lose where they cancel.
void check_rounded(const Tensor& have, const Tensor& want, double terms) {
  CHECK(have.dtype() == bfloat16);
  check_same(have.to(float64), want, Within{.relative = kEps, .absolute = 1e-6 * terms});
}
void check_product(const Tensor& a, const Tensor& b) {
  INFO(to_string(a.shape()) << " times " << to_string(b.shape()));
  set_num_threads(1);
  const Tensor y = matmul(a, b);
  check_rounded(y, matmul(a.to(float64), b.to(float64)), static_cast<double>(a.size(-1)));
  set_num_threads(3);
  CHECK(equal(matmul(a, b), y));
}
struct Threads {  // as they were
  int before = num_threads();
  ~Threads() { set_num_threads(before); }
};

}  // namespace

TEST_CASE("matrix products of bfloat16 round once, in every layout", "[ops][bfloat16]") {
  const Threads restore;
  manual_seed(5);
  for (const auto& [m, k, n] : std::vector<std::array<std::int64_t, 3>>{{4, 16, 16}, {5, 17, 33}, {13, 1601, 70}, {1, 200, 40}, {40, 200, 1}, {200, 3, 40}, {250, 96, 130}, {3, 5, 2}}) {
    check_product(low({m, k}), low({k, n}));
    check_product(low({m, k}), low({n, k}).t());
    check_product(low({k, m}).t(), low({k, n}));
    check_product(low({k, m}).t(), low({n, k}).t());
    check_product(low({m, 2 * k})(Slice(), Slice(0, {}, 2)), low({k, 2 * n})(Slice(), Slice(1, {}, 2)));
  }
  check_product(low({3, 4, 40, 32}), low({3, 4, 32, 50}));
  check_product(low({3, 4, 40, 32}), low({32, 50}));
  check_product(low({4, 40, 32}), low({3, 4, 32, 50}));
  check_product(low({2, 130, 256}), low({2, 256, 140}));  // each of them large
  check_product(low({0, 16}), low({16, 20}));
  CHECK(equal(matmul(low({8, 0}), low({0, 20})), zeros({8, 20}, {.dtype = bfloat16})));
}

TEST_CASE("linear and addmm of bfloat16 add before they round", "[ops][bfloat16]") {
  manual_seed(6);
  const Tensor x = low({20, 130}), w = low({64, 130}), b = low({64}), c = low({20, 64});
  check_rounded(linear(x, w, b), linear(x.to(float64), w.to(float64), b.to(float64)), 130);
  check_rounded(addmm(c, x, w.t()), addmm(c.to(float64), x.to(float64), w.t().to(float64)), 130);
}

TEST_CASE("infinities and NaN pass through products of bfloat16", "[ops][bfloat16]") {
  Tensor a = ones({8, 32}, {.dtype = bfloat16});
  const Tensor b = ones({32, 16}, {.dtype = bfloat16});
  a(0, 3) = std::numeric_limits<double>::infinity();
  a(1, 4) = std::numeric_limits<double>::quiet_NaN();
  const Tensor y = matmul(a, b).to(float64);
  CHECK(std::isinf(y[0][7].item<double>()));
  CHECK(std::isnan(y[1][7].item<double>()));
  CHECK(y[2][7].item<double>() == 32);
}

TEST_CASE("convolutions of bfloat16 and their gradients round once", "[ops][bfloat16]") {
  const Threads restore;
  struct Problem {
    Shape x, w;
    ConvOptions options = {};
  };
  const std::vector<Problem> problems = {{{4, 16, 14, 13}, {24, 16, 3, 3}, {.padding = 1}},  {{3, 32, 9, 9}, {16, 32, 1, 1}},
                                         {{2, 3, 20, 20}, {16, 3, 5, 5}, {.stride = 2}},      {{4, 16, 12, 12}, {32, 4, 3, 3}, {.dilation = 2, .groups = 4}},
                                         {{4, 16, 60}, {16, 16, 5}, {.padding = 2}},          {{2, 8, 6, 7, 8}, {16, 8, 3, 3, 3}, {.padding = 1}},
                                         {{2, 3, 5, 5}, {2, 3, 2, 2}}};
  manual_seed(7);
  const auto run = [](const Problem& p, const Tensor& x, const Tensor& w, const Tensor& b) {
    return p.x.rank() == 3 ? conv1d(x, w, b, p.options) : p.x.rank() == 4 ? conv2d(x, w, b, p.options) : conv3d(x, w, b, p.options);
  };
  for (const Problem& p : problems)
    for (const bool last : {false, true}) {
      INFO(to_string(p.x) << " * " << to_string(p.w) << (last ? " channels last" : ""));
      Tensor x = low(p.x);
      if (last) x = x.contiguous(MemoryFormat::channels_last);
      const std::vector<Tensor> in = {x.requires_grad_(), low(p.w).requires_grad_(), low({p.w[0]}).requires_grad_()};
      std::vector<Tensor> exact;
      for (const Tensor& t : in) exact.push_back(t.detach().to(float64).requires_grad_());
      set_num_threads(1);
      const Tensor y = run(p, in[0], in[1], in[2]), want = run(p, exact[0], exact[1], exact[2]), g = low(y.shape());
      const double taps = static_cast<double>(in[1].numel()) / static_cast<double>(p.w[0]), positions = static_cast<double>(y.numel()) / static_cast<double>(p.w[0]);
      check_rounded(y.detach(), want.detach(), taps);
      const auto have = grad({y}, in, {g}), expected = grad({want}, exact, {g.to(float64)});
      for (std::size_t k = 0; k < in.size(); ++k) check_rounded(have[k], expected[k], std::max(taps * 4, positions));
      set_num_threads(3);
      const Tensor again = run(p, in[0], in[1], in[2]);
      CHECK(equal(again, y));
      const auto same = grad({again}, in, {g});
      for (std::size_t k = 0; k < in.size(); ++k) CHECK(equal(same[k], have[k]));
    }
}

TEST_CASE("an LSTM layer of bfloat16 keeps gates and memories in float32", "[ops][bfloat16]") {
  manual_seed(8);
  const auto small = [](const Shape& s) { return (randn(s) * 0.2).to(bfloat16); };
  const std::vector<Tensor> in = {low({6, 5, 40}), small({5, 32}), small({5, 32}), small({128, 40}), small({128, 32}), small({128}), small({128})};
  std::vector<Tensor> leaves, exact;
  for (const Tensor& t : in) leaves.push_back(t.detach().requires_grad_()), exact.push_back(t.to(float64).requires_grad_());
  const auto run = [](const std::vector<Tensor>& t) { return lstm_layer(t[0], t[1], t[2], {t[3], t[4], t[5], t[6]}); };
  const auto have = run(leaves), want = run(exact);
  CHECK(have.output.dtype() == bfloat16);
  const double eps = 2 * kEps;  // the state is rounded in every step as well
  check_same(have.output.detach().to(float64), want.output.detach(), Within{.relative = eps, .absolute = eps});
  check_same(have.c.detach().to(float64), want.c.detach(), Within{.relative = eps, .absolute = eps});
  const auto g = grad({sum(have.output)}, leaves), expected = grad({sum(want.output)}, exact);
  for (std::size_t k = 0; k < g.size(); ++k) {
    CHECK(g[k].dtype() == bfloat16);
    check_same(g[k].to(float64), expected[k], Within{.relative = 2 * eps, .absolute = 2 * eps * amax(abs(expected[k])).item<double>()});
  }
  // a recorded backward pass computes with public ops
  const auto once = grad({sum(square(run(leaves).output))}, {leaves[0]}, {}, {.create_graph = true})[0], other = grad({sum(square(run(exact).output))}, {exact[0]}, {}, {.create_graph = true})[0];
  const Tensor second = grad({sum(once)}, {leaves[3]})[0].to(float64), reference = grad({sum(other)}, {exact[3]})[0];
  check_same(second, reference, Within{.relative = 0.05, .absolute = 0.05 * amax(abs(reference)).item<double>()});
}
