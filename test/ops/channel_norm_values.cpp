// Batch norm and average pools of every floating dtype against the formulas in long double.
#include "test/support/catch.h"

#include <cmath>
#include <vector>

#include <rill/autograd/backward.h>
#include <rill/autograd/grad_mode.h>
#include <rill/core/profiler.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/norm.h>
#include <rill/ops/pool.h>
#include <rill/ops/random.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

using namespace rill;

namespace {

using Wide = std::vector<long double>;
Wide wide(const Tensor& t) {
  const auto v = t.to(float64).to_vector<double>();
  return {v.begin(), v.end()};
}
/// Half a unit in the last place of a value, relative to it.
long double rounding(Dtype d) { return d == bfloat16 ? 0x1p-8L : d == float16 ? 0x1p-11L : d == float32 ? 0x1p-24L : 0x1p-53L; }
/// A unit of the arithmetic behind it.
long double arithmetic(Dtype d) { return d == float64 ? 0x1p-52L : 0x1p-23L; }

/// Every element within its rounding and `slack` units of arithmetic on numbers of the size of the largest.
void check_rounded(const Tensor& have, const Wide& want, Dtype d, long double slack) {
  const auto v = have.to(float64).to_vector<double>();
  REQUIRE(v.size() == want.size());
  long double largest = 0;
  for (const long double w : want) largest = std::max(largest, std::fabs(w));
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < v.size(); ++i) {
    const long double bound = rounding(d) * std::fabs(want[i]) + slack * arithmetic(d) * largest + (d == float16 ? 0x1p-25L : 0);
    if (!(std::fabs(v[i] - want[i]) <= bound) && wrong++ == 0) FAIL_CHECK("element " << i << " is " << v[i] << ", expected " << static_cast<double>(want[i]));
  }
  CHECK(wrong == 0);
}

struct Norm {
  Wide mean, variance, y, gx, gw, gb;
  long double nearest = 1;  // to the kink of the rectifier
};
/// Batch norm of [outer, channels, inner] with eps 1e-5 and the rectifier behind it.
Norm reference(const Wide& x, const Wide& w, const Wide& b, const Wide& g, std::size_t channels, std::size_t inner) {
  const std::size_t n = x.size() / channels;
  Norm r{Wide(channels), Wide(channels), Wide(x.size()), Wide(x.size()), Wide(channels), Wide(channels)};
  const auto channel = [&](std::size_t i) { return i / inner % channels; };
  for (std::size_t i = 0; i < x.size(); ++i) r.mean[channel(i)] += x[i] / n;
  for (std::size_t i = 0; i < x.size(); ++i) r.variance[channel(i)] += (x[i] - r.mean[channel(i)]) * (x[i] - r.mean[channel(i)]) / n;
  const auto rstd = [&](std::size_t c) { return 1 / std::sqrt(r.variance[c] + 1e-5L); };
  Wide h(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = channel(i);
    const long double z = (x[i] - r.mean[c]) * rstd(c), y = z * w[c] + b[c];
    r.nearest = std::min(r.nearest, std::fabs(y));
    r.y[i] = std::max(y, 0.0L), h[i] = y > 0 ? g[i] : 0;
    r.gw[c] += h[i] * z, r.gb[c] += h[i];
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = channel(i);
    r.gx[i] = w[c] * rstd(c) * (h[i] - r.gb[c] / n - (x[i] - r.mean[c]) * rstd(c) * r.gw[c] / n);
  }
  return r;
}

Tensor trained(const Tensor& x, const Tensor& w, const Tensor& b, bool rectified = true) { return batch_norm(x, {}, {}, w, b, {.training = true, .eps = 1e-5, .relu = rectified}); }

const Dtype kFloats[] = {float32, float64, float16, bfloat16};

}  // namespace

TEST_CASE("batch norm and its gradient are rounded once from float32 arithmetic", "[ops][norm][accuracy]") {
  Generator gen(17);
  // odd channels and rows, one plane in several pieces, rows in several pieces, more columns than a block
  for (const Shape& shape : {Shape{3, 5, 7, 9}, Shape{2, 3, 70, 61}, Shape{2, 35, 29, 31}, Shape{77, 21}, Shape{19, 300}, Shape{5, 16, 4, 4}})
    for (const Dtype d : kFloats)
      for (const bool last : {false, true}) {
        if (last && shape.rank() != 4) continue;
        INFO(to_string(d) << " " << to_string(shape) << (last ? " channels-last" : ""));
        const Dtype parameters = d == float64 ? float64 : float32;
        const auto format = last ? MemoryFormat::channels_last : MemoryFormat::contiguous;
        const Tensor x = (randn(shape, {}, gen) * 2 + 0.5).to(d).contiguous(format).requires_grad_(), g = randn(shape, {}, gen).to(d);
        const Tensor w = (rand({shape[1]}, {}, gen) + 0.5).to(parameters).requires_grad_(), b = (randn({shape[1]}, {}, gen) * 0.3).to(parameters).requires_grad_();
        std::size_t inner = 1;
        for (int a = 2; a < shape.rank(); ++a) inner *= static_cast<std::size_t>(shape[a]);
        const Norm want = reference(wide(x.detach()), wide(w.detach()), wide(b.detach()), wide(g), static_cast<std::size_t>(shape[1]), inner);
        REQUIRE(want.nearest > 5e-7L);
        const Tensor y = trained(x, w, b);
        CHECK(y.dtype() == d);
        const auto have = grad({y}, {x, w, b}, {g});
        check_rounded(y, want.y, d, 4), check_rounded(have[0], want.gx, d, 4);
        CHECK(have[0].dtype() == d);
        CHECK(have[1].dtype() == parameters);
        const long double sums = d == float64 ? 64 : 4;  // thousands of terms, added in double
        check_rounded(have[1], want.gw, parameters, sums), check_rounded(have[2], want.gb, parameters, sums);

        const Tensor mean = tensor(std::vector<double>(want.mean.begin(), want.mean.end())).to(parameters), var = tensor(std::vector<double>(want.variance.begin(), want.variance.end())).to(parameters);
        const NoGrad off;
        check_rounded(batch_norm(x, mean, var, w, b, {.eps = 1e-5, .relu = true}), want.y, d, 4);
      }
}

TEST_CASE("statistics in one pass are as good as in two where the mean is large", "[ops][norm][accuracy]") {
  Generator gen(23);
  const Shape shape{4, 20, 33, 31};
  const Tensor spread = randn(shape, {}, gen), first = arange(4, {.dtype = float32}).reshape({4, 1, 1, 1});
  const Tensor far = spread + 1e4, start = where(eq(first, 0), zeros({}), far), huge = where(eq(first, 0), full({}, 1e8), spread);
  for (const Tensor& values : {far, start, huge})
    for (const bool last : {false, true}) {
      INFO((last ? "channels-last" : "planes") << " " << max(values).item<double>());
      const Tensor x = values.contiguous(last ? MemoryFormat::channels_last : MemoryFormat::contiguous);
      const Norm want = reference(wide(x), Wide(20, 1), Wide(20, 0), Wide(static_cast<std::size_t>(x.numel()), 0), 20, 33 * 31);
      const Tensor mean = zeros({20}), var = zeros({20});
      const Tensor y = batch_norm(x, mean, var, {}, {}, {.training = true, .momentum = 1, .eps = 1e-5, .relu = true});
      const auto m = mean.to_vector<double>(), v = var.to_vector<double>();
      const double n = 4 * 33 * 31;
      for (std::size_t c = 0; c < 20; ++c) {
        CHECK(m[c] == Approx(static_cast<double>(want.mean[c])).epsilon(0x1p-24));
        CHECK(v[c] == Approx(static_cast<double>(want.variance[c]) * n / (n - 1)).epsilon(2e-7));
      }
      check_rounded(y, want.y, float32, 2);
    }
}

TEST_CASE("batch norm reads the gradient of a part of a concatenation where it lies", "[ops][norm]") {
  Generator gen(29);
  for (const Shape& shape : {Shape{3, 20, 5, 7}, Shape{1, 16, 9, 4}, Shape{4, 5, 1, 1}, Shape{2, 1, 6, 5}, Shape{3, 8, 1, 6}, Shape{37, 12}, Shape{2, 9, 11}})
    for (const Dtype d : kFloats)
      for (const bool last : {false, true}) {
        if (last && shape.rank() != 4) continue;
        const auto format = last ? MemoryFormat::channels_last : MemoryFormat::contiguous;
        const Tensor x = randn(shape, {}, gen).to(d).contiguous(format).requires_grad_();
        const Tensor w = randn({shape[1]}, {}, gen).to(d).requires_grad_(), b = randn({shape[1]}, {}, gen).to(d).requires_grad_();
        Shape joined = shape;
        joined[1] += 11;
        const Tensor whole = randn(joined, {}, gen).to(d).contiguous(format);
        for (const std::int64_t at : {0, 4, 11})
          for (const bool rectified : {false, true}) {
            INFO(to_string(d) << " " << to_string(shape) << (last ? " channels-last" : "") << " from " << at);
            const Tensor part = whole.narrow(1, at, shape[1]), y = trained(x, w, b, rectified);
            const auto want = grad({y}, {x, w, b}, {part.contiguous(format)}, {.retain_graph = true});
            profiler::Profile profile;
            const auto have = grad({y}, {x, w, b}, {part});
            profile.stop();
            for (std::size_t i = 0; i < 3; ++i) CHECK(equal(have[i], want[i]));
            if (!last || shape[1] > 1)  // one channel is row-major for x, and not for its part
              for (const auto& row : profile.rows()) CHECK(row.name != "clone");
          }
        // other strides are brought in order first
        const Tensor y = trained(x, w, b), turned = randn(shape, {}, gen).to(d).transpose(0, 1).contiguous().transpose(0, 1), one = ones({}, {.dtype = d});
        for (const Tensor& g : {turned, one.expand(shape)})
          CHECK(equal(grad({y}, {x}, {g}, {.retain_graph = true})[0], grad({y}, {x}, {g.clone(MemoryFormat::contiguous)}, {.retain_graph = true})[0]));
      }
}

TEST_CASE("the second derivative of a 16-bit batch norm is that of float32", "[ops][norm]") {
  Generator gen(31);
  for (const Dtype d : {float16, bfloat16}) {
    const Tensor values = randn({6, 4, 3}, {}, gen).to(d), weight = randn({4}, {}, gen), g = randn({6, 4, 3}, {}, gen).to(d);
    const auto second = [&](Dtype compute) {
      const Tensor x = values.to(compute).detach().requires_grad_(), w = weight.clone().requires_grad_();
      const Tensor gx = grad({trained(x, w, {}, false)}, {x}, {g.to(compute)}, {.create_graph = true})[0];
      CHECK(gx.dtype() == compute);
      return grad({sum(gx.to(float32) * values.to(float32))}, {x, w});
    };
    const auto have = second(d), want = second(float32);
    CHECK(have[0].dtype() == d);
    for (std::size_t i = 0; i < 2; ++i) CHECK(allclose(have[i].to(float32), want[i], 0.02, 0.02));
  }
}

TEST_CASE("average pools are rounded once from float32 sums", "[ops][pool][accuracy]") {
  Generator gen(37);
  for (const int axes : {1, 2, 3})
    for (const std::int64_t channels : {3, 37, 80})
      for (const Dtype d : kFloats)
        for (const bool last : {false, true}) {
          Shape shape{2, channels};
          for (int a = 0; a < axes; ++a) shape.push_back(7 + a);
          INFO(to_string(d) << " " << to_string(shape) << (last ? " channels-last" : ""));
          const auto format = last ? MemoryFormat::channels_last : MemoryFormat::contiguous;
          const Tensor x = randn(shape, {}, gen).to(d).contiguous(format).requires_grad_();
          const auto pool = [&](const Tensor& t) {
            const AvgPoolOptions o{.stride = 2, .padding = 1};
            return axes == 1 ? avg_pool1d(t, 3, o) : axes == 2 ? avg_pool2d(t, 3, o) : avg_pool3d(t, 3, o);
          };
          const Tensor y = pool(x), g = randn(y.shape(), {}, gen).to(d).contiguous(format);
          CHECK(y.dtype() == d);
          const Tensor gx = grad({y}, {x}, {g})[0];
          CHECK(gx.dtype() == d);

          // windows of 3 from 2 p - 1 on along every axis, zeros outside
          const Wide in = wide(x.detach()), from = wide(g);
          Wide out(static_cast<std::size_t>(y.numel())), back(in.size());
          std::int64_t size[3] = {1, 1, 1}, count[3] = {1, 1, 1};
          for (int a = 0; a < axes; ++a) size[a] = shape[2 + a], count[a] = y.size(2 + a);
          const auto windows = [&](int a, std::int64_t p) { return a < axes ? std::pair{std::max<std::int64_t>(0, 2 * p - 1), std::min(size[a], 2 * p + 2)} : std::pair<std::int64_t, std::int64_t>{0, 1}; };
          const long double share = 1 / std::pow(3.0L, axes);
          for (std::int64_t plane = 0; plane < 2 * channels; ++plane)
            for (std::int64_t p = 0; p < count[0]; ++p)
              for (std::int64_t q = 0; q < count[1]; ++q)
                for (std::int64_t r = 0; r < count[2]; ++r) {
                  const auto to = static_cast<std::size_t>(((plane * count[0] + p) * count[1] + q) * count[2] + r);
                  const auto [a0, a1] = windows(0, p);
                  const auto [b0, b1] = windows(1, q);
                  const auto [c0, c1] = windows(2, r);
                  for (std::int64_t i = a0; i < a1; ++i)
                    for (std::int64_t j = b0; j < b1; ++j)
                      for (std::int64_t k = c0; k < c1; ++k) {
                        const auto at = static_cast<std::size_t>(((plane * size[0] + i) * size[1] + j) * size[2] + k);
                        out[to] += in[at] * share, back[at] += from[to] * share;
                      }
                }
          check_rounded(y, out, d, 2), check_rounded(gx, back, d, 2);
        }
}
