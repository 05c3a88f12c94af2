// What golden values of convolutions cannot say: layouts, threads, large shapes, messages.
#include "test/support/catch.h"

#include <rill/autograd/backward.h>
#include <rill/core/threads.h>
#include <rill/ops/pool.h>
#include <rill/ops/conv.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/random.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

#include <cstring>
#include <functional>

using namespace rill;

namespace {

struct Case {
  Shape x, w;
  ConvOptions options;
};
const Case kCases[] = {
    {{5, 16, 14, 14}, {32, 16, 3, 3}, {.padding = 1}},
    {{17, 3, 32, 32}, {16, 3, 5, 5}, {.stride = 2, .padding = 2}},
    {{2, 32, 20, 20}, {32, 1, 3, 3}, {.padding = 1, .groups = 32}},
    {{3, 24, 9, 11}, {36, 8, 3, 2}, {.stride = {1, 2}, .dilation = {2, 1}, .groups = 3}},
    {{33, 64, 7, 7}, {48, 64, 1, 1}, {}},
    {{100, 1, 28, 28}, {20, 1, 5, 5}, {}},
    {{1, 8, 40, 40}, {16, 8, 3, 4}, {.padding = ConvPadding::same()}},
    {{1, 32, 28, 28}, {64, 32, 3, 3}, {.padding = 1}},  // one image: halves of the channels
};

std::vector<Tensor> run(const Case& c, Dtype dtype, bool last) {
  const auto values = [&](const Shape& s, double phase) {
    std::int64_t n = 1;
    for (std::int64_t k : s) n *= k;
    return sin(arange(0, n, 1, {.dtype = float64}) * 1.7 + phase).to(float32).to(dtype).reshape(s);
  };
  Tensor x = values(c.x, 0), w = values(c.w, 1), b = values({c.w[0]}, 2);
  if (last) x = x.contiguous(MemoryFormat::channels_last);
  x.requires_grad_(), w.requires_grad_(), b.requires_grad_();
  const Tensor y = conv2d(x, w, b, c.options);
  std::vector<Tensor> r = grad({sum(y * y)}, {x, w, b});
  r.push_back(y);
  return r;
}

std::string message(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing thrown";
}

}  // namespace

TEST_CASE("float32 convolutions agree with float64 in both layouts", "[ops][conv]") {
  for (const Case& c : kCases) {
    INFO("x " << to_string(c.x) << " w " << to_string(c.w));
    const auto want = run(c, float64, false);
    for (const bool last : {false, true}) {
      const auto have = run(c, float32, last);
      for (std::size_t k = 0; k < want.size(); ++k) {
        const double scale = max(abs(want[k])).item<double>(), off = max(abs(have[k].to(float64) - want[k])).item<double>();
        INFO("result " << k << (last ? " channels-last" : ""));
        CHECK(off <= 2e-6 * scale);
      }
      if (c.x[1] == 1) continue;  // one channel: both formats are the same memory
      CHECK(have[3].is_contiguous(last ? MemoryFormat::channels_last : MemoryFormat::contiguous));
    }
  }
}

TEST_CASE("convolutions give the same bits for every number of threads", "[ops][conv]") {
  const int before = num_threads();
  for (const Case& c : kCases)
    for (const bool last : {false, true}) {
      INFO("x " << to_string(c.x) << " w " << to_string(c.w) << (last ? " channels-last" : ""));
      set_num_threads(1);
      const auto want = run(c, float32, last);
      for (const int threads : {2, 3}) {
        set_num_threads(threads);
        const auto have = run(c, float32, last);
        for (std::size_t k = 0; k < want.size(); ++k) {
          const auto x = have[k].to_vector<float>(), y = want[k].to_vector<float>();
          CHECK(std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0);
        }
      }
    }
  set_num_threads(before);
}

TEST_CASE("the gradient of a filter is the sum over the images of a batch", "[ops][conv]") {
  for (const std::int64_t channels : {1, 3, 5}) {
    const Tensor x = randn({37, channels, 9, 8}, {.dtype = float64}), w = randn({6, channels, 3, 3}, {.dtype = float64}).requires_grad_(), g = randn({37, 6, 9, 8}, {.dtype = float64});
    const auto gradient = [&](const Tensor& some, const Tensor& of) {
      w.set_grad({});
      conv2d(some, w, {}, {.padding = 1}).backward(of);
      return w.grad();
    };
    Tensor total = zeros_like(w).detach();
    for (std::int64_t n = 0; n < 37; ++n) total = total + gradient(x.narrow(0, n, 1), g.narrow(0, n, 1));
    CHECK(amax(abs(gradient(x, g) - total)).item<double>() < 1e-11);
    const Tensor single = w.detach().to(float32).requires_grad_();
    conv2d(x.to(float32), single, {}, {.padding = 1}).backward(g.to(float32));
    CHECK(amax(abs(single.grad().to(float64) - total)).item<double>() < 2e-3);
  }
}

// dw[o, c] correlates x[:, c] with g[:, o]: a convolution whose batch are the channels, here in integers, where another kernel computes it. All values
// are small integers, so the sums of the floating kernels are exact, too.
TEST_CASE("gradients of filters are exact sums of products", "[ops][conv]") {
  const Case cases[] = {
      {{3, 40, 30, 29}, {20, 40, 3, 3}, {.padding = 1}},                               // blocks of positions that end within lines
      {{4, 70, 33, 31}, {9, 70, 1, 1}, {}},                                            // the sums lie in dw itself
      {{16, 17, 24, 24}, {13, 17, 3, 2}, {.stride = 2, .padding = {0, 1}}},            // sums for segments of positions
      {{9, 3, 41, 40}, {37, 3, 5, 5}, {.stride = 2, .padding = 2}},                    // filters in registers
      {{2, 5, 12, 300}, {50, 5, 2, 7}, {.padding = {2, 4}, .dilation = {3, 2}}},       // taps that see nothing but padding in some lines
      {{5, 600, 6, 5}, {25, 600, 3, 1}, {.padding = {1, 0}}},                          // more columns than a block takes
      {{3, 24, 20, 21}, {36, 8, 3, 2}, {.stride = {1, 2}, .groups = 3}},
  };
  for (const Case& c : cases)
    for (const Dtype dtype : {float32, float64})
      for (const bool last : {false, true}) {
        INFO("x " << to_string(c.x) << " w " << to_string(c.w) << " " << (last ? "channels-last" : "row-major"));
        const MemoryFormat format = last ? MemoryFormat::channels_last : MemoryFormat::contiguous;
        const Tensor x = randint(-2, 3, c.x), w = zeros(c.w, {.dtype = dtype}).requires_grad_(), y = conv2d(x.to(dtype).contiguous(format), w, {}, c.options);
        const Tensor g = randint(-2, 3, y.shape());
        y.backward(g.to(dtype).contiguous(format));
        const std::int64_t groups = c.options.groups, filters = c.w[0] / groups, channels = c.w[1];
        for (std::int64_t i = 0; i < groups; ++i) {
          const Tensor want = conv2d(x.narrow(1, i * channels, channels).transpose(0, 1).contiguous(), g.narrow(1, i * filters, filters).transpose(0, 1).contiguous(), {},
                                     {.stride = c.options.dilation, .padding = c.options.padding, .dilation = c.options.stride});
          const Tensor have = w.grad().narrow(0, i * filters, filters).transpose(0, 1).to(int64);
          CHECK(equal(have, want.narrow(2, 0, c.w[2]).narrow(3, 0, c.w[3])));
        }
      }
}

TEST_CASE("convolutions of empty batches and integers", "[ops][conv]") {
  const Tensor y = conv2d(zeros({0, 3, 5, 5}), zeros({4, 3, 3, 3}), zeros({4}));
  CHECK(y.shape() == Shape{0, 4, 3, 3});
  CHECK(conv1d(tensor({{1, 2, 3, 4}}), tensor({{{1, 10}}})).to_vector<int>() == std::vector<int>{21, 32, 43});
  const Tensor w = zeros({4, 3, 3, 3}).requires_grad_();
  sum(conv2d(zeros({0, 3, 5, 5}), w)).backward();
  CHECK(sum(abs(w.grad())).item<float>() == 0);
}

TEST_CASE("messages of convolutions name both shapes and what would fit", "[ops][conv]") {
  const Tensor x = zeros({8, 1, 28, 28}), w = zeros({64, 3, 7, 7});
  CHECK(message([&] { conv2d(x, w); }) == "conv2d: weight [64, 3, 7, 7] expects 3 input channels, x [8, 1, 28, 28] has 1");
  CHECK(message([&] { conv2d(x, zeros({4, 1, 30, 3})); }) ==
        "conv2d: a kernel that reaches over 30 elements (weight [4, 1, 30, 3], dilation 1) does not fit x [8, 1, 28, 28] with padding 0; axis 2 has 28 elements");
  CHECK(message([&] { conv2d(x, zeros({4, 1, 3, 3}), zeros({3})); }) == "conv2d: bias [3] does not fit weight [4, 1, 3, 3]; expected [4]");
  CHECK(message([&] { conv2d(zeros({28, 28}), w); }) == "conv2d: takes x [N, C, spatial..] of rank 4 or [C, spatial..] of rank 3, got [28, 28]");
  CHECK(message([&] { conv2d(x, zeros({4, 1, 3, 3}), {}, {.stride = 0}); }) == "conv2d: stride 0 must be at least 1");
  CHECK(message([&] { conv2d(x, zeros({4, 1, 3, 3}), {}, {.stride = 2, .padding = ConvPadding::same()}); }) ==
        "conv2d: padding \"same\" needs stride 1, got 2; use a padding in numbers");
  CHECK(message([&] { conv_transpose2d(x, zeros({3, 2, 2, 2})); }) == "conv_transpose2d: weight [3, 2, 2, 2] expects 3 input channels, x [8, 1, 28, 28] has 1");
  CHECK(message([&] { conv2d(x, zeros({4, 1, 3, 3}, {.dtype = float64})); }) == "conv2d: x has dtype float32 and the weight float64; convert one with .to()");
}

TEST_CASE("indices of a maximum that were changed before backward do not matter: the tape has its own", "[conv]") {
  const Tensor x = rill::arange(16.0).reshape({1, 1, 4, 4}).requires_grad_();
  const auto [values, indices] = rill::max_pool2d_with_indices(x, 2);
  CHECK(indices.dtype() == rill::int64);
  CHECK(indices.to_vector<std::int64_t>() == std::vector<std::int64_t>{5, 7, 13, 15});
  indices.add_(100000);
  values.sum().backward();
  CHECK(x.grad().to_vector<float>() == std::vector<float>{0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1});
}

TEST_CASE("a maximum takes the first of equal values and the last NaN, in every layout and at every stride", "[conv]") {
  using rill::MemoryFormat;
  for (const rill::Dtype d : {rill::float32, rill::float64, rill::float16, rill::bfloat16, rill::int32})
    for (const std::int64_t stride : {1, 2, 3})
      for (const std::int64_t width : {5, 6, 7, 9, 16, 17, 33, 34, 70}) {
        const std::int64_t n = 2, c = 19, h = 6;
        Tensor x = rill::randint(0, 4, {n, c, h, width}).to(d);  // many equal values
        if (d != rill::int32) x(rill::rand({n, c, h, width}) < 0.05) = NAN;
        const auto rows = rill::max_pool2d_with_indices(x, {2, 3}, {.stride = {2, stride}, .padding = {0, 1}, .dilation = {2, 1}});
        const auto last = rill::max_pool2d_with_indices(x.contiguous(MemoryFormat::channels_last), {2, 3}, {.stride = {2, stride}, .padding = {0, 1}, .dilation = {2, 1}});
        const auto v = x.to_vector<double>(), got = rows.values.to_vector<double>();
        const auto at = rows.indices.to_vector<std::int64_t>();
        const std::int64_t out_h = rows.values.size(2), out_w = rows.values.size(3);
        bool equal = true;
        for (std::int64_t p = 0; p < n * c; ++p)
          for (std::int64_t i = 0; i < out_h; ++i)
            for (std::int64_t j = 0; j < out_w; ++j) {
              double best = 0;
              std::int64_t place = -1;
              for (std::int64_t a = 0; a < 2; ++a)
                for (std::int64_t b = 0; b < 3; ++b) {
                  const std::int64_t y = i * 2 + a * 2, z = j * stride - 1 + b;
                  if (z < 0 || z >= width) continue;
                  const double value = v[static_cast<std::size_t>((p * h + y) * width + z)];
                  if (place < 0 || value > best || value != value) best = value, place = y * width + z;
                }
              const auto k = static_cast<std::size_t>((p * out_h + i) * out_w + j);
              equal = equal && at[k] == place && (got[k] == best || (got[k] != got[k] && best != best));
            }
        INFO("stride " << stride << ", width " << width << ", dtype " << static_cast<int>(d));
        CHECK(equal);
        CHECK(rill::equal(last.indices, rows.indices));
        CHECK(rill::allclose(last.values.to(rill::float64), rows.values.to(rill::float64), 0, 0, true));
        if (d == rill::int32) continue;
        const Tensor g = rill::randint(-4, 5, rows.values.shape()).to(d);
        std::vector<double> want(v.size());
        const auto incoming = g.to_vector<double>();
        for (std::size_t k = 0; k < at.size(); ++k) want[k / static_cast<std::size_t>(out_h * out_w) * static_cast<std::size_t>(h * width) + static_cast<std::size_t>(at[k])] += incoming[k];
        for (const MemoryFormat format : {MemoryFormat::contiguous, MemoryFormat::channels_last}) {
          const Tensor leaf = x.clone(format).requires_grad_();
          rill::max_pool2d(leaf, {2, 3}, {.stride = {2, stride}, .padding = {0, 1}, .dilation = {2, 1}}).backward(g.contiguous(format));
          CHECK(leaf.grad().is_contiguous(format));
          CHECK(leaf.grad().to_vector<double>() == want);
        }
      }
}

TEST_CASE("a window of nothing but padding has the same gradient in both layouts", "[conv]") {
  const Tensor x = rill::randn({2, 20, 3, 3}), g = rill::randn({2, 20, 1, 1});
  std::vector<Tensor> gradients;
  for (const auto format : {rill::MemoryFormat::contiguous, rill::MemoryFormat::channels_last}) {
    const Tensor leaf = x.clone(format).requires_grad_(), y = rill::max_pool2d(leaf, {2, 2}, {.stride = 1, .padding = 3, .dilation = 8});
    y.backward(g.contiguous(format));
    gradients.push_back(leaf.grad().contiguous());
  }
  CHECK(rill::equal(gradients[0], gradients[1]));
}

TEST_CASE("averages over planes agree with those in float64 in both layouts", "[conv]") {
  for (const Shape& shape : {Shape{3, 70, 17, 19}, Shape{2, 3, 40, 41}}) {
    const Tensor x = rill::randn(shape), g = rill::randn(shape);
    const rill::AvgPoolOptions options{.stride = 1, .padding = 1, .count_include_pad = false};
    const Tensor exact = x.to(rill::float64).requires_grad_(), y = rill::avg_pool2d(exact, 3, options);
    y.backward(g.to(rill::float64));
    for (const auto format : {rill::MemoryFormat::contiguous, rill::MemoryFormat::channels_last}) {
      const Tensor leaf = x.clone(format).requires_grad_(), z = rill::avg_pool2d(leaf, 3, options);
      z.backward(g.contiguous(format));
      CHECK(rill::allclose(z.to(rill::float64), y, 1e-6, 1e-6));
      CHECK(rill::allclose(leaf.grad().to(rill::float64), exact.grad(), 1e-6, 1e-6));
    }
  }
}
