// Normalisation and embedding.
#include <rill/autograd/gradcheck.h>
#include <rill/core/threads.h>
#include <rill/ops/embedding.h>
#include <rill/ops/norm.h>
#include <rill/ops/random.h>

#include "test/support/derivative_goldens.h"
#include "test/support/message.h"

using namespace rill;

namespace {

const std::map<std::string, RunGolden> kOps = {
    {"layer_norm", [](auto& g, auto& x) -> List { return {layer_norm(x[0], g.list(0), optional(x[1]), optional(x[2]), g.number(1))}; }},
    {"rms_norm", [](auto& g, auto& x) -> List { return {rms_norm(x[0], g.list(0), optional(x[1]), g.number(1) < 0 ? std::optional<double>() : g.number(1))}; }},
    {"group_norm", [](auto& g, auto& x) -> List { return {group_norm(x[0], g.integer(0), optional(x[1]), optional(x[2]), g.number(1))}; }},
    {"batch_norm",
     [](auto& g, auto& x) -> List {
       const Tensor m = x[1].clone(), v = x[2].clone();
       const bool training = g.integer(0) == 1;
       const Tensor y = batch_norm(x[0], m, v, optional(x[3]), optional(x[4]), {.training = training, .momentum = g.number(1), .eps = g.number(2)});
       CHECK(y.is_contiguous(MemoryFormat::channels_last) >= (x[0].dim() == 4 && x[0].is_contiguous(MemoryFormat::channels_last)));
       return training ? List{y, m, v} : List{y};
     }},
    {"instance_norm",
     [](auto& g, auto& x) -> List {
       const Tensor m = x[1].clone(), v = x[2].clone();
       const bool own = g.integer(0) == 1;
       const Tensor y = instance_norm(x[0], m, v, optional(x[3]), optional(x[4]), {.use_input_stats = own, .momentum = g.number(1), .eps = g.number(2)});
       return own ? List{y, m, v} : List{y};
     }},
    {"local_response_norm", [](auto& g, auto& x) -> List { return {local_response_norm(x[0], g.integer(0), g.number(1), g.number(2), g.number(3))}; }},
    {"embedding", [](auto& g, auto& x) -> List { return {embedding(x[0], x[1], g.integer(0) == 99 ? std::optional<std::int64_t>() : g.integer(0))}; }},
    {"embedding_bag",
     [](auto& g, auto& x) -> List {
       EmbeddingBagOptions o{.mode = static_cast<BagMode>(g.integer(0)), .include_last_offset = g.integer(2) == 1, .per_sample_weights = optional(x[3])};
       if (g.integer(1) != 99) o.padding_idx = g.integer(1);
       o.scale_grad_by_freq = g.integer(3) == 1;
       return {embedding_bag(x[0], x[1], optional(x[2]), o)};
     }},
};

}  // namespace

TEST_CASE("normalisation and embedding agree with PyTorch up to the second derivative", "[ops][norm][embedding]") {
  check_goldens(RILL_SOURCE_DIR "/test/ops/norm_goldens.txt", kOps);
}

TEST_CASE("gradients of normalisation are right for larger and odd sizes", "[ops][norm]") {
  Generator gen(3);
  auto x = [&](const Shape& s) { return randn(s, {.dtype = float64}, gen).requires_grad_(); };
  auto layer = [](const List& t) { return layer_norm(t[0], {17}, t[1], t[2]); };
  CHECK(gradcheck(layer, {x({11, 17}), x({17}), x({17})}, {.rtol = 1e-5}).message == "");
  auto group = [](const List& t) { return group_norm(t[0], 2, t[1], t[2]); };
  CHECK(gradcheck(group, {x({3, 4, 9}), x({4}), x({4})}, {.rtol = 1e-5}).message == "");
  auto batch = [](const List& t) { return batch_norm(t[0], {}, {}, t[1], t[2], {.training = true}); };
  CHECK(gradcheck(batch, {x({13, 9}), x({9}), x({9})}, {.rtol = 1e-5}).message == "");
  CHECK(gradcheck(batch, {x({2, 3, 5, 2}), x({3}), x({3})}, {.rtol = 1e-5}).message == "");
  CHECK(gradgradcheck(batch, {x({2, 2, 3}), x({2}), x({2})}, {.rtol = 1e-5, .atol = 1e-6}).message == "");
  auto rms = [](const List& t) { return rms_norm(t[0], {3, 5}, t[1]); };
  CHECK(gradcheck(rms, {x({9, 3, 5}), x({3, 5})}, {.rtol = 1e-5}).message == "");
  CHECK(gradgradcheck(rms, {x({2, 3, 5}), x({3, 5})}, {.rtol = 1e-5, .atol = 1e-6}).message == "");
}

TEST_CASE("embedding gradients of equal indices add up in index order", "[ops][embedding]") {
  // 1 + 1e8 - 1e8 in float32: 0 in this order, 1 in another
  const Tensor w = zeros({2, 1}).requires_grad_();
  sum(embedding(w, tensor({1, 1, 1})) * tensor({1., 1e8, -1e8}).reshape({3, 1})).backward();
  CHECK(w.grad().to_vector<double>() == std::vector<double>{0, 0});
}

TEST_CASE("embedding gradients can be divided by the frequency of the row", "[ops][embedding]") {  // values: PyTorch
  const Tensor w = tensor({{3., 4.}, {0.6, 0.8}, {-1., 2.}, {0., 5.}}, {.dtype = float64}).requires_grad_(), index = tensor({{0, 2, 0}, {3, 0, 2}});
  const Tensor g = (arange(12.) + 1).to(float64).reshape({2, 3, 2});
  sum(embedding(w, index, 3, true) * g).backward();
  CHECK(w.grad().to_vector<double>() == std::vector<double>{5, 6, 0, 0, 7, 8, 0, 0});
  const auto look_up = [&](const std::vector<Tensor>& x) { return embedding(x[0], index, 3, true); };
  CHECK(gradgradcheck(look_up, {w.detach().clone().requires_grad_()}).message == "");
}

TEST_CASE("rows of a table are scaled down to a norm in place", "[ops][embedding]") {  // values: PyTorch
  const Tensor w = tensor({{3., 4.}, {0.6, 0.8}, {-1., 2.}, {0., 5.}}, {.dtype = float64}), a = w.clone().requires_grad_(), b = w.clone();
  const auto close = [](const Tensor& x, const Tensor& y) { return allclose(x, y.to(float64), 0, 1e-9); };
  CHECK(embedding_renorm_(a, tensor({{0, 1}, {0, 3}}), 2).is_same(a));
  CHECK(close(a, tensor({{1.199999976, 1.599999968}, {0.6, 0.8}, {-1., 2.}, {0., 1.999999960}}, {.dtype = float64})));
  CHECK(a.is_leaf());
  embedding_renorm_(b, tensor({{0, 1}, {0, 2}}).to(int32), 2, 1);
  CHECK(close(b, tensor({{0.857142845, 1.142857127}, {0.6, 0.8}, {-0.666666644, 1.333333289}, {0., 5.}}, {.dtype = float64})));
  embedding_renorm_(b, zeros({0}, {.dtype = int64}), 2);
  CHECK(MESSAGE(ValueError, embedding_renorm_(b, tensor({0}), 0)) == "embedding_renorm_: max_norm is 0 and p is 2; both must be positive");
  CHECK(MESSAGE(IndexError, embedding_renorm_(b, tensor({4}), 1)).starts_with("embedding_renorm_: index 4 at [0] is outside axis 0 of size 4"));
}

TEST_CASE("a large mean costs no digits of the variance", "[ops][norm]") {
  // +-1 around 2^20 in float32: normalised values are +-1 / sqrt(1 + eps)
  const Tensor x = where(eq(arange(64) % 2, 0), 1, -ones({64})) + 1048576;
  const double want = 1 / std::sqrt(1 + 1e-5);
  for (const Tensor& y : {layer_norm(x.reshape({1, 64}), {64}), batch_norm(x.reshape({64, 1}), {}, {}, {}, {}, {.training = true}),
                          batch_norm(x.reshape({8, 1, 8}), {}, {}, {}, {}, {.training = true}), group_norm(x.reshape({1, 2, 32}), 1)}) {
    const auto v = y.to_vector<double>();
    for (std::size_t i = 0; i < v.size(); ++i) CHECK(v[i] == Approx(i % 2 ? -want : want).epsilon(1e-7));
  }
}

TEST_CASE("normalisation does not depend on the number of threads", "[ops][norm]") {
  Generator gen(5);
  const Tensor x = randn({700, 100}, {}, gen), w = randn({100}, {}, gen), image = randn({6, 5, 40, 40}, {}, gen), v = randn({5}, {}, gen);
  auto results = [&] {
    std::vector<double> all;
    auto keep = [&](const Tensor& t) {
      for (const double d : t.to_vector<double>()) all.push_back(d);
    };
    auto run = [&](auto f, const Tensor& input, const Tensor& weight) {
      const Tensor a = input.clone().requires_grad_(), b = weight.clone().requires_grad_(), c = weight.clone().requires_grad_();
      const Tensor y = f(a, b, c);
      sum(y * y * y).backward();
      keep(y), keep(a.grad()), keep(b.grad()), keep(c.grad());
    };
    auto batch = [](const Tensor& a, const Tensor& b, const Tensor& c) { return batch_norm(a, {}, {}, b, c, {.training = true}); };
    run([](const Tensor& a, const Tensor& b, const Tensor& c) { return layer_norm(a, {100}, b, c); }, x, w);
    run([](const Tensor& a, const Tensor& b, const Tensor& c) { return group_norm(a, 5, b, c); }, image, v);
    run(batch, x, w), run(batch, image, v), run(batch, image.contiguous(MemoryFormat::channels_last), v);
    return all;
  };
  const int before = num_threads();
  set_num_threads(1);
  const auto one = results();
  set_num_threads(3);
  CHECK(results() == one);
  set_num_threads(before);
}

TEST_CASE("batch norm keeps the memory format and agrees in both", "[ops][norm]") {
  Generator gen(7);
  const Tensor x = randn({3, 20, 5, 7}, {}, gen), w = randn({20}, {}, gen);
  for (const bool training : {true, false}) {
    const Tensor m = zeros({20}), v = ones({20}), m2 = zeros({20}), v2 = ones({20});
    const Tensor a = x.clone().requires_grad_(), b = x.contiguous(MemoryFormat::channels_last).requires_grad_();
    const Tensor y = batch_norm(a, m, v, w, w, {.training = training}), z = batch_norm(b, m2, v2, w, w, {.training = training});
    CHECK(z.is_contiguous(MemoryFormat::channels_last));
    CHECK(allclose(y, z, 1e-6, 1e-6));
    CHECK(allclose(m, m2, 1e-6, 1e-7));
    CHECK(allclose(v, v2, 1e-6, 1e-7));
    const Tensor ga = grad({sum(y * y * y)}, {a})[0], gb = grad({sum(z * z * z)}, {b})[0];
    CHECK(gb.is_contiguous(MemoryFormat::channels_last));
    CHECK(allclose(ga, gb, 1e-5, 1e-5));
  }
}

TEST_CASE("batch norm with a rectifier is the rectifier of batch norm", "[ops][norm]") {
  Generator gen(11);
  for (const Dtype dtype : {float32, float64, bfloat16})
    for (const Shape& shape : {Shape{35, 21}, Shape{3, 20, 5, 7}, Shape{6, 300, 3, 3}})
      for (const bool training : {true, false})
        for (const bool last : {false, true}) {
          if (last && shape.rank() != 4) continue;
          INFO(to_string(dtype) << " " << to_string(shape) << (training ? " training" : " evaluation") << (last ? " channels-last" : ""));
          const Shape channels{shape[1]};
          const Tensor x = randn(shape, {}, gen).to(dtype).contiguous(last ? MemoryFormat::channels_last : MemoryFormat::contiguous), g = randn(shape, {}, gen).to(dtype);
          const Tensor w = randn(channels, {}, gen).to(dtype), b = randn(channels, {}, gen).to(dtype);
          const auto results = [&](auto f) {
            const Options wide{.dtype = dtype == bfloat16 ? float32 : dtype};
            const Tensor mean = zeros(channels, wide), var = ones(channels, wide), leaf = x.clone().requires_grad_(), weight = w.clone().requires_grad_(), bias = b.clone().requires_grad_();
            const Tensor y = f(leaf, mean, var, weight, bias);
            y.backward(g);
            return std::vector<Tensor>{y.detach(), mean, var, leaf.grad(), weight.grad(), bias.grad()};
          };
          const auto want = results([&](auto&... t) { return relu(batch_norm(t..., {.training = training})); }), have = results([&](auto&... t) { return batch_norm(t..., {.training = training, .relu = true}); });
          // 16-bit results are rounded once instead of twice on the way back, and the sign is that of the value before rounding
          for (std::size_t i = 0; i < want.size(); ++i) CHECK((dtype == bfloat16 ? allclose(have[i], want[i], 0.05, 0.05) : equal(have[i], want[i])));
        }
  // away from kinks: rectified values of the sorted input lie around 0 in no channel
  auto rectified = [](const List& t) { return batch_norm(t[0], {}, {}, t[1], t[2], {.training = true, .relu = true}); };
  const Tensor x = tensor({-3.0, 2.0, 1.0, 4.0, -1.5, 0.5, 3.0, -2.0}, {.dtype = float64}).reshape({4, 2}).requires_grad_(), w = tensor({1.3, -0.7}, {.dtype = float64}).requires_grad_(),
               b = tensor({0.2, 0.1}, {.dtype = float64}).requires_grad_();
  CHECK(gradcheck(rectified, {x, w, b}, {.rtol = 1e-5}).message == "");
  CHECK(gradgradcheck(rectified, {x, w, b}, {.rtol = 1e-5, .atol = 1e-6}).message == "");
  const Tensor nan = tensor({1.0, std::nan(""), -1.0, 2.0}).reshape({2, 2});
  CHECK(isnan(batch_norm(nan, zeros({2}), ones({2}), {}, {}, {.relu = true})).to_vector<double>() == std::vector<double>{0, 1, 0, 0});
}

TEST_CASE("normalisation of nothing is nothing", "[ops][norm]") {
  const Tensor w = ones({3}).requires_grad_();
  for (const Tensor& y : {layer_norm(zeros({0, 3}), {3}, w), batch_norm(zeros({0, 3}), zeros({3}), ones({3}), w), group_norm(zeros({0, 3, 2}), 3, w),
                          batch_norm(zeros({0, 3, 2}), zeros({3}), ones({3}), w, {}, {.training = true})}) {
    CHECK(y.numel() == 0);
    w.set_grad({});
    sum(y).backward();
    CHECK(w.grad().to_vector<double>() == std::vector<double>{0, 0, 0});
  }
  CHECK(embedding(zeros({4, 3}), zeros({0}, {.dtype = int64})).shape() == Shape{0, 3});
}

TEST_CASE("normalisation and embedding say what is wrong", "[ops][norm][embedding]") {
  const Tensor x = zeros({2, 3}), three = ones({3}), four = ones({4});
  CHECK(MESSAGE(ShapeError, layer_norm(x, {2})) == "layer_norm: the input float32 [2, 3] does not end with the normalized shape [2]; these must be its last sizes");
  CHECK(MESSAGE(ShapeError, layer_norm(x, {})) == "layer_norm: the input float32 [2, 3] does not end with the normalized shape []; these must be its last sizes");
  CHECK(MESSAGE(ShapeError, layer_norm(x, {3}, four)) == "layer_norm: the weight has shape [4], expected [3] for the input float32 [2, 3]");
  CHECK(MESSAGE(DtypeError, layer_norm(arange(3), {3})) == "layer_norm: int64 is not supported (expected a floating dtype); convert with .to(float32)");
  CHECK(MESSAGE(DtypeError, rms_norm(x, {3}, three.to(float64))) == "rms_norm: the weight is float64, the input float32; convert one with .to()");
  CHECK(MESSAGE(ShapeError, group_norm(x, 2)) == "group_norm: 3 channels cannot be split into 2 groups; use a divisor of the channels");
  CHECK(MESSAGE(ValueError, batch_norm(x, {}, {})) == "batch_norm: the running statistics are undefined; pass them or use .training = true");
  CHECK(MESSAGE(ValueError, batch_norm(x.narrow(0, 0, 1), {}, {}, {}, {}, {.training = true})) ==
        "batch_norm: the input float32 [1, 3] has one value per channel, which has no variance; training needs more");
  CHECK(MESSAGE(ShapeError, batch_norm(three, three, three)) == "batch_norm: the input float32 [3] has rank 1; expected [N, C, ...]");
  CHECK(MESSAGE(ShapeError, batch_norm(x, four, four)) == "batch_norm: the running mean has shape [4], expected [3] for the input float32 [2, 3]");
  CHECK(MESSAGE(ValueError, instance_norm(x.unsqueeze(2))) == "instance_norm: the input float32 [2, 3, 1] has one value per sample and channel, which has no variance");
  CHECK(MESSAGE(ShapeError, local_response_norm(x, 3)) == "local_response_norm: the input float32 [2, 3] has rank 2; expected [N, C, L, ...]");
  CHECK(MESSAGE(ValueError, local_response_norm(x.unsqueeze(2), 0)) == "local_response_norm: the window has size 0; use 1 or more");
  CHECK(MESSAGE(IndexError, embedding(x, tensor({{0, 1}, {1, 2}}))) == "embedding: index 2 at [1, 1] is outside axis 0 of size 2; valid are 0 to 1");
  CHECK(MESSAGE(IndexError, embedding(x, tensor({-1}))) == "embedding: index -1 at [0] is outside axis 0 of size 2; valid are 0 to 1");
  CHECK(MESSAGE(DtypeError, embedding(x, three)) == "embedding: the index is float32, expected int64 or int32; convert with .to(rill::int64)");
  CHECK(MESSAGE(ShapeError, embedding(three, tensor({0}))) == "embedding: the weight float32 [3] has rank 1; expected [entries, features]");
  CHECK(MESSAGE(ValueError, embedding(x, tensor({0}), 2)) == "embedding: padding_idx 2 is outside the table of 2 entries; valid are -2 to 1");
  CHECK(MESSAGE(ValueError, embedding_bag(x, tensor({0, 1}), tensor({1}))) == "embedding_bag: the first offset is 1; it must be 0");
  CHECK(MESSAGE(ValueError, embedding_bag(x, tensor({0, 1}), tensor({0, 2, 1}))) == "embedding_bag: offset 1 at 2 is below the one before, 2; offsets must not decrease");
  CHECK(MESSAGE(ValueError, embedding_bag(x, tensor({0, 1}), tensor({0, 3}))) == "embedding_bag: offset 3 at 1 is beyond the 2 indices");
  CHECK(MESSAGE(ValueError, embedding_bag(x, tensor({0, 1}), tensor({0}), {.mode = BagMode::max, .scale_grad_by_freq = true})) == "embedding_bag: scale_grad_by_freq does not go with mode max");
  CHECK(MESSAGE(IndexError, embedding_bag(x, tensor({0, 5}), tensor({0}))) == "embedding_bag: index 5 at [1] is outside axis 0 of size 2; valid are 0 to 1");
}
