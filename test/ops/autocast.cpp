// rill::amp::autocast: which dtype each op gives, against PyTorch's table for CUDA (test/oracle/autocast_goldens.py), values, gradients,
// copies of parameters.
#include "test/support/goldens.h"

#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <thread>

#include <rill/rill.h>

using namespace rill;

namespace {

Tensor square_of(Dtype d) { return full({4, 4}, 0.5, {.dtype = d}); }
Tensor image(Dtype d, int axes) {
  Shape s(axes + 2, 4);
  s[0] = 1, s[1] = 2;
  return full(s, 0.5, {.dtype = d});
}
Tensor filters(Dtype d, int axes) {
  Shape s(axes + 2, 3);
  s[0] = s[1] = 2;
  return ones(s, {.dtype = d});
}
Tensor vector_of(const Tensor& t, std::int64_t n = 4) { return t.reshape({-1}).narrow(0, 0, n); }
Tensor matrix(std::int64_t rows, Dtype d) { return ones({rows, 4}, {.dtype = d}); }
Tensor zero_index(const Shape& s) { return zeros(s, {.dtype = int64}); }

using Case = std::function<Tensor(Dtype, Dtype)>;
template <class F> Case on_squares(F f) {
  return [f](Dtype p, Dtype q) {
    const Tensor a = square_of(p), b = square_of(q);
    return f(a, b);
  };
}
template <class F> Case on_square(F f) {
  return [f](Dtype p, Dtype) {
    const Tensor a = square_of(p);
    return f(a);
  };
}
#define RILL_PAIR(op) {#op, on_squares([](auto& a, auto& b) { return rill::op(a, b); })}
#define RILL_ONE(op) {#op, on_square([](auto& a) { return rill::op(a); })}

const std::map<std::string, Case> kCases = {
    RILL_PAIR(matmul), RILL_PAIR(mm), RILL_PAIR(inner), RILL_PAIR(kron), RILL_PAIR(pow), RILL_PAIR(add), RILL_PAIR(mul), RILL_PAIR(atan2), RILL_PAIR(mse_loss), RILL_PAIR(l1_loss),
    RILL_PAIR(smooth_l1_loss), RILL_PAIR(huber_loss), RILL_PAIR(kl_div), RILL_PAIR(soft_margin_loss), RILL_PAIR(poisson_nll_loss), RILL_PAIR(binary_cross_entropy_with_logits),
    RILL_PAIR(binary_cross_entropy), RILL_PAIR(hinge_embedding_loss), RILL_PAIR(cosine_similarity), RILL_PAIR(pairwise_distance), RILL_PAIR(cdist), RILL_PAIR(dist),
    {"mv", on_squares([](auto& a, auto& b) { return mv(a, vector_of(b)); })},
    {"dot", on_squares([](auto& a, auto& b) { return dot(vector_of(a), vector_of(b)); })},
    {"outer", on_squares([](auto& a, auto& b) { return outer(vector_of(a), vector_of(b)); })},
    {"bmm", on_squares([](auto& a, auto& b) { return bmm(a.unsqueeze(0), b.unsqueeze(0)); })},
    {"addmm", on_squares([](auto& a, auto& b) { return addmm(a, b, b); })},
    {"baddbmm", on_squares([](auto& a, auto& b) { return baddbmm(a.unsqueeze(0), b.unsqueeze(0), b.unsqueeze(0)); })},
    {"addmv", on_squares([](auto& a, auto& b) { return addmv(vector_of(a), b, vector_of(b)); })},
    {"linear", on_squares([](auto& a, auto& b) { return linear(a, b, vector_of(b)); })},
    {"einsum", on_squares([](auto& a, auto& b) { return einsum("ij,jk->ik", {a, b}); })},
    {"multi_dot", on_squares([](auto& a, auto& b) { return multi_dot({a, b, b}); })},
    {"tensordot", on_squares([](auto& a, auto& b) { return tensordot(a, b, 1); })},
    {"bilinear", on_squares([](auto& a, auto& b) { return bilinear(a, b, b.unsqueeze(0).expand({2, 4, 4})); })},
    {"cross", on_squares([](auto& a, auto& b) { return cross(a.narrow(1, 0, 3), b.narrow(1, 0, 3)); })},
    {"prelu", on_squares([](auto& a, auto& b) { return prelu(a, vector_of(b, 1)); })},
    {"scaled_dot_product_attention", on_squares([](auto& a, auto& b) { return scaled_dot_product_attention(a, b, b); })},
    {"cat", on_squares([](auto& a, auto& b) { return cat({a, b}); })},
    {"stack", on_squares([](auto& a, auto& b) { return stack({a, b}); })},
    {"addcmul", on_squares([](auto& a, auto& b) { return addcmul(a, b, b); })},
    {"addcdiv", on_squares([](auto& a, auto& b) { return addcdiv(a, b, b); })},
    {"scatter_add", on_squares([](auto& a, auto& b) { return scatter_add(a, 0, zero_index({4, 4}), b); })},
    {"index_put", on_squares([](auto& a, auto& b) { return index_put(a, {zero_index({1})}, vector_of(b)); })},
    {"cosine_embedding_loss", on_squares([](auto& a, auto& b) { return cosine_embedding_loss(a, b, ones({4})); })},
    {"margin_ranking_loss", on_squares([](auto& a, auto& b) { return margin_ranking_loss(a, b, ones({4, 4})); })},
    {"triplet_margin_loss", on_squares([](auto& a, auto& b) { return triplet_margin_loss(a, b, b); })},
    {"layer_norm", on_squares([](auto& a, auto& b) { return layer_norm(a, {4}, vector_of(b), vector_of(b)); })},
    {"rms_norm", on_squares([](auto& a, auto& b) { return rms_norm(a, {4}, vector_of(b)); })},
    {"group_norm", on_squares([](auto& a, auto& b) { return group_norm(a, 2, vector_of(b), vector_of(b)); })},
    {"batch_norm", on_squares([](auto& a, auto& b) { return batch_norm(a, zeros({4}), ones({4}), vector_of(b), vector_of(b), {.training = true}); })},
    RILL_ONE(exp), RILL_ONE(expm1), RILL_ONE(log), RILL_ONE(log2), RILL_ONE(log10), RILL_ONE(log1p), RILL_ONE(acos), RILL_ONE(asin), RILL_ONE(cosh), RILL_ONE(sinh), RILL_ONE(tan),
    RILL_ONE(erfinv), RILL_ONE(reciprocal), RILL_ONE(rsqrt), RILL_ONE(softplus), RILL_ONE(exp2), RILL_ONE(sqrt), RILL_ONE(sin), RILL_ONE(tanh), RILL_ONE(sigmoid), RILL_ONE(relu),
    RILL_ONE(gelu), RILL_ONE(abs), RILL_ONE(square), RILL_ONE(sum), RILL_ONE(mean), RILL_ONE(prod), RILL_ONE(norm), RILL_ONE(matrix_norm), RILL_ONE(var), RILL_ONE(normalize),
    {"pow_number", on_square([](auto& a) { return pow(a, 1.5); })},
    {"pow_of_number", on_square([](auto& a) { return pow(2.0, a); })},
    {"softmax", on_square([](auto& a) { return softmax(a, 1); })},
    {"log_softmax", on_square([](auto& a) { return log_softmax(a, 1); })},
    {"softmin", on_square([](auto& a) { return softmin(a, 1); })},
    {"sum_axis", on_square([](auto& a) { return sum(a, {0}); })},
    {"prod_axis", on_square([](auto& a) { return prod(a, 0); })},
    {"cumsum", on_square([](auto& a) { return cumsum(a, 0); })},
    {"cumprod", on_square([](auto& a) { return cumprod(a, 0); })},
    {"logsumexp", on_square([](auto& a) { return logsumexp(a, {0}); })},
    {"renorm", on_square([](auto& a) { return renorm(a, 2, 0, 1); })},
    {"amax", on_square([](auto& a) { return amax(a); })},
    {"cross_entropy", on_square([](auto& a) { return cross_entropy(a, zero_index({4})); })},
    {"nll_loss", on_square([](auto& a) { return nll_loss(a, zero_index({4})); })},
    {"multi_margin_loss", on_square([](auto& a) { return multi_margin_loss(a, zero_index({4})); })},
    {"multilabel_margin_loss", on_square([](auto& a) { return multilabel_margin_loss(a, zero_index({4, 4})); })},
    {"conv1d", [](Dtype p, Dtype q) { return conv1d(image(p, 1), filters(q, 1), vector_of(filters(q, 1), 2)); }},
    {"conv2d", [](Dtype p, Dtype q) { return conv2d(image(p, 2), filters(q, 2), vector_of(filters(q, 2), 2)); }},
    {"conv3d", [](Dtype p, Dtype q) { return conv3d(image(p, 3), filters(q, 3), vector_of(filters(q, 3), 2)); }},
    {"conv_transpose1d", [](Dtype p, Dtype q) { return conv_transpose1d(image(p, 1), filters(q, 1)); }},
    {"conv_transpose2d", [](Dtype p, Dtype q) { return conv_transpose2d(image(p, 2), filters(q, 2)); }},
    {"conv_transpose3d", [](Dtype p, Dtype q) { return conv_transpose3d(image(p, 3), filters(q, 3)); }},
    {"interpolate", [](Dtype p, Dtype) { return interpolate(image(p, 2), {.size = 3, .mode = ResizeMode::linear}); }},
    {"grid_sample", [](Dtype p, Dtype q) { return grid_sample(image(p, 2), zeros({1, 2, 2, 2}, {.dtype = q})); }},
    {"max_pool2d", [](Dtype p, Dtype) { return max_pool2d(image(p, 2), 2); }},
    {"avg_pool2d", [](Dtype p, Dtype) { return avg_pool2d(image(p, 2), 2); }},
    {"lstm_cell", [](Dtype p, Dtype q) { return lstm_layer(square_of(p).unsqueeze(0), square_of(q), square_of(q), {matrix(16, q), matrix(16, q)}).output; }},
    {"gru_cell", [](Dtype p, Dtype q) { return gru_layer(square_of(p).unsqueeze(0), square_of(q), {matrix(12, q), matrix(12, q)}).output; }},
    {"rnn_tanh_cell", [](Dtype p, Dtype q) { return rnn_layer(square_of(p).unsqueeze(0), square_of(q), {matrix(4, q), matrix(4, q)}).output; }},
};

std::string result_of(const Case& c, Dtype p, Dtype q) {
  try {
    return std::string(to_string(c(p, q).dtype()));
  } catch (const Error&) {
    return "-";
  }
}

}  // namespace

TEST_CASE("autocast gives each op the dtype that PyTorch gives it on CUDA", "[ops][autocast]") {
  std::ifstream file(std::string(RILL_SOURCE_DIR) + "/test/ops/autocast_goldens.txt");
  REQUIRE(file);
  const amp::autocast scope(bfloat16);
  std::set<std::string> seen;
  for (std::string op, first, second, cpu, cuda; file >> op >> first >> second >> cpu >> cuda;) {
    CAPTURE(op, first, second);
    REQUIRE(kCases.count(op) == 1);
    seen.insert(op);
    if (op == "batch_norm" && first == "float32" && second == "bfloat16") continue;  // rill refuses parameters that are narrower than the input
    const auto dtype = [](const std::string& name) { return name == "float32" ? float32 : bfloat16; };
    CHECK(result_of(kCases.at(op), dtype(first), dtype(second)) == cuda);
  }
  CHECK(seen.size() == kCases.size());
}

TEST_CASE("autocast leaves float64, integers, in-place forms, other devices and closed scopes alone", "[ops][autocast]") {
  const Tensor a = ones({2, 2}), d = a.to(float64), n = a.to(int64);
  {
    const amp::autocast scope(bfloat16);
    CHECK(amp::autocast_enabled());
    CHECK(matmul(a, a).dtype() == bfloat16);
    CHECK(matmul(d, d).dtype() == float64);
    CHECK(matmul(n, n).dtype() == int64);
    CHECK(sum(n).dtype() == int64);
    const Tensor low = a.to(bfloat16);
    exp_(low);
    CHECK(low.dtype() == bfloat16);
    {
      const amp::autocast off(bfloat16, false);
      CHECK(!amp::autocast_enabled());
      CHECK(matmul(a, a).dtype() == float32);
      const amp::autocast half(float16);
      CHECK(matmul(a, a).dtype() == float16);
    }
    CHECK(matmul(a, a).dtype() == bfloat16);
    std::thread([&] { CHECK(matmul(a, a).dtype() == float32); }).join();
  }
  CHECK(!amp::autocast_enabled());
  CHECK(matmul(a, a).dtype() == float32);
  const amp::autocast elsewhere(Device::Kind::cuda, float16);
  CHECK(!amp::autocast_enabled());
  CHECK(amp::autocast_enabled(Device::Kind::cuda));
  CHECK(matmul(a, a).dtype() == float32);
  CHECK_THROWS_WITH(amp::autocast(float32), "autocast: computes in float16 or bfloat16, got float32");
}

TEST_CASE("under autocast parameters stay float32 and get the gradients of the rounded product", "[ops][autocast]") {
  manual_seed(3);
  const Tensor x = randn({5, 7}), w = randn({4, 7}).requires_grad_(), b = randn({4}).requires_grad_();
  Tensor y, loss;
  {
    const amp::autocast scope(bfloat16);
    y = linear(x, w, b);
    loss = mse_loss(y, zeros({5, 4}));
  }
  CHECK(y.dtype() == bfloat16);
  CHECK(loss.dtype() == float32);
  loss.backward();
  CHECK(w.grad().dtype() == float32);
  CHECK(b.grad().dtype() == float32);
  const auto exact = [&](const Tensor& t) { return t.detach().to(float64).requires_grad_(); };
  const Tensor ww = exact(w), bb = exact(b);
  mse_loss(linear(x.to(float64), ww, bb), zeros({5, 4}, {.dtype = float64})).backward();
  const double eps = 1.0 / 128;  // bfloat16 has 8 bits
  check_same(y.to(float64), linear(x.to(float64), ww, bb).detach(), Within{.relative = eps, .absolute = 4 * eps});
  check_same(w.grad().to(float64), ww.grad(), Within{.relative = 2 * eps, .absolute = 2 * eps});
  check_same(b.grad().to(float64), bb.grad(), Within{.relative = 2 * eps, .absolute = 2 * eps});
}

TEST_CASE("autocast makes the copy of a parameter once, and again after a write", "[ops][autocast]") {
  const Tensor x = ones({2, 2}), w = full({2, 2}, 3.0).requires_grad_();
  const auto conversions = [&](auto&& f) {
    profiler::Profile profile;
    f();
    profile.stop();
    std::int64_t n = 0;
    for (const auto& row : profile.rows())
      if (row.kind == profiler::Kind::op && row.name == "to") n += row.calls;
    return n;
  };
  const Tensor low = x.to(bfloat16);
  const amp::autocast scope(bfloat16);
  CHECK(conversions([&] { matmul(low, w); }) == 1);
  CHECK(conversions([&] { matmul(low, w); }) == 0);
  {
    const amp::autocast inner(bfloat16);
    CHECK(conversions([&] { matmul(low, w); }) == 0);
  }
  CHECK(conversions([&] { matmul(low, w); }) == 0);  // the outermost scope keeps them
  {
    const NoGrad off;
    w.fill_(5);
  }
  CHECK(matmul(low, w).to(float32).to_vector<float>() == std::vector<float>(4, 10));
  const NoGrad off;  // a copy made while recording is no reason to record
  CHECK(!matmul(low, w).requires_grad());
}

TEST_CASE("several losses of one autocast scope run backward one after the other", "[ops][autocast]") {
  const Tensor x = ones({2, 2}), w = full({2, 2}, 0.5).requires_grad_();
  {
    const amp::autocast scope(bfloat16);
    {
      const NoGrad off;
      matmul(x, w);  // the copy that is made here serves the recorded products below
    }
    const Tensor first = sum(matmul(x, w)), second = sum(square(matmul(x, w)));
    first.backward();
    check_same(w.grad(), full({2, 2}, 2.0));
    second.backward();
    check_same(w.grad(), full({2, 2}, 6.0));
  }
  CHECK(w.grad().dtype() == float32);
}

TEST_CASE("second derivatives through autocast", "[ops][autocast]") {
  const Tensor x = full({1, 2}, 2.0), w = full({2, 1}, 0.5).requires_grad_();
  Tensor g, penalty;
  {
    const amp::autocast scope(bfloat16);
    const Tensor y = pow(matmul(x, w), 3);  // 8 at w = (0.5, 0.5)
    CHECK(y.dtype() == float32);
    g = grad({sum(y)}, {w}, {}, {.create_graph = true})[0];
    CHECK(g.dtype() == float32);
    penalty = sum(g * g);
  }
  check_same(g.detach(), full({2, 1}, 24.0));  // 3 y^2 x with y = 2
  penalty.backward();
  check_same(w.grad(), full({2, 1}, 4608.0));  // 2 sum_j g_j 6 y x_j x_i
}

TEST_CASE("a checkpointed function runs again under the autocast of its first run", "[ops][autocast]") {
  const Tensor x = full({2, 2}, 1.0 / 3).requires_grad_(), w = full({2, 2}, 1.0 / 3);
  const auto f = [&](const Tensor& t) { return exp(matmul(matmul(t, w), w)); };
  const auto gradient = [&](bool checkpointed) {
    x.set_grad({});
    Tensor y;
    {
      const amp::autocast scope(bfloat16);
      y = checkpointed ? checkpoint(f, x) : f(x);
    }
    sum(y).backward();
    return x.grad().clone();
  };
  check_same(gradient(true), gradient(false));
}

TEST_CASE("binary_cross_entropy under autocast says what to use", "[ops][autocast]") {
  const amp::autocast scope(bfloat16);
  CHECK_THROWS_WITH(binary_cross_entropy(full({2}, 0.5), ones({2})),
                    "binary_cross_entropy: logarithms of 16-bit probabilities are not accurate, so autocast refuses it; use binary_cross_entropy_with_logits, or open a scope with enabled = false");
}
