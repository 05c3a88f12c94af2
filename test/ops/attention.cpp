// Scaled dot-product attention.
#include <rill/ops/attention.h>

#include <rill/autograd/gradcheck.h>
#include <rill/ops/linalg.h>
#include <rill/ops/random.h>
#include <rill/ops/softmax.h>

#include "test/support/derivative_goldens.h"
#include "test/support/message.h"

using namespace rill;

namespace {

const std::map<std::string, RunGolden> kOps = {
    {"scaled_dot_product_attention",
     [](auto& g, auto& x) -> List {
       const AttentionOptions o{.attn_mask = optional(x[3]), .is_causal = g.integer(0) == 1, .scale = g.number(1) != 0 ? std::optional(g.number(1)) : std::nullopt, .enable_gqa = g.integer(2) == 1};
       const Tensor y = scaled_dot_product_attention(x[0], x[1], x[2], o);
       if (x[0].dtype() == float64 && !o.enable_gqa) CHECK(allclose(matmul(attention_weights(x[0], x[1], o), x[2]), y, 1e-13, 1e-14));
       return {y};
     }},
};

}  // namespace

TEST_CASE("attention agrees with PyTorch up to the second derivative", "[ops][attention]") {
  check_goldens(RILL_SOURCE_DIR "/test/ops/attention_goldens.txt", kOps);
}

TEST_CASE("a query that sees nothing gives zeros and no gradient", "[ops][attention]") {
  Generator gen(2);
  const Tensor q = randn({2, 3}, {.dtype = float64}, gen).requires_grad_(), k = randn({4, 3}, {.dtype = float64}, gen).requires_grad_(), v = randn({4, 2}, {.dtype = float64}, gen).requires_grad_();
  const double blocked = -std::numeric_limits<double>::infinity();
  for (const Tensor& mask : {tensor({{false, false, false, false}, {true, false, true, true}}), tensor({{blocked, blocked, blocked, blocked}, {0., blocked, 1., 0.}}, {.dtype = float64})}) {
    const auto attend = [&](const List& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.attn_mask = mask}); };
    const Tensor y = attend({q, k, v});
    CHECK(equal(y[0], zeros({2}, {.dtype = float64})));
    const Tensor g = grad({sum(y * y)}, {q})[0];
    CHECK(equal(g[0], zeros({3}, {.dtype = float64})));
    CHECK(count_nonzero(isfinite(g)).item<double>() == 6);
    CHECK(gradgradcheck(attend, {q, k, v}, {.rtol = 1e-5, .atol = 1e-6}).message == "");
  }
  CHECK(equal(scaled_dot_product_attention(q, zeros({0, 3}, {.dtype = float64}), zeros({0, 2}, {.dtype = float64})), zeros({2, 2}, {.dtype = float64})));
  CHECK(equal(scaled_dot_product_attention(q, k, v, {.attn_mask = tensor(false)}), zeros({2, 2}, {.dtype = float64})));
}

namespace {

/// The result and the gradients of q, k and v of a loss that depends on every element.
List attended(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& o) {
  const Tensor y = scaled_dot_product_attention(q, k, v, o);
  List r = grad({sum(y * sin(y * 3))}, {q, k, v});
  r.push_back(y);
  return r;
}

}  // namespace

// The same values as from public ops, which serve when there is a mask.
TEST_CASE("causal attention in blocks of queries agrees with attention by a mask", "[ops][attention]") {
  struct Sizes {
    std::int64_t heads, queries, keys;
  };
  for (const Sizes& c : {Sizes{1, 700, 4096}, Sizes{2, 900, 1500}, Sizes{3, 1100, 30}}) {  // keys that nobody sees; several blocks; queries that see all keys
    INFO(c.heads << " heads, " << c.queries << " queries, " << c.keys << " keys");
    Generator gen(5);
    const auto values = [&](std::int64_t length, std::int64_t width) { return randn({c.heads, length, width}, {.dtype = float64}, gen).requires_grad_(); };
    const Tensor q = values(c.queries, 4), k = values(c.keys, 4), v = values(c.keys, 3);
    const auto transposed = [](const Tensor& t) { return t.detach().mT().contiguous().mT().requires_grad_(); };
    const List want = attended(q, k, v, {.attn_mask = causal_mask(c.queries, c.keys)}), have = attended(q, k, v, {.is_causal = true});
    const List strided = attended(transposed(q), transposed(k), transposed(v), {.is_causal = true});
    for (std::size_t i = 0; i < want.size(); ++i) {
      CHECK(allclose(have[i], want[i], 1e-10, 1e-12));
      CHECK(allclose(strided[i], want[i], 1e-10, 1e-12));
    }
  }
}

TEST_CASE("attention of many scores agrees with that of some queries at a time", "[ops][attention]") {
  Generator gen(6);
  const std::int64_t queries = 2100, step = 300;
  const auto values = [&](std::int64_t length, std::int64_t width) { return randn({8, length, width}, {}, gen).requires_grad_(); };
  const Tensor q = values(queries, 2), k = values(2000, 2), v = values(2000, 1);
  const List have = attended(q, k, v, {});
  List sums = {zeros_like(k).detach(), zeros_like(v).detach()};
  for (std::int64_t i = 0; i < queries; i += step) {
    const List part = attended(q.detach().narrow(1, i, step).requires_grad_(), k, v, {});
    CHECK(allclose(have[0].narrow(1, i, step), part[0], 1e-4, 1e-6));
    CHECK(allclose(have[3].narrow(1, i, step), part[3], 1e-5, 1e-6));
    sums[0] = sums[0] + part[1], sums[1] = sums[1] + part[2];
  }
  CHECK(allclose(have[1], sums[0], 1e-3, 1e-4));
  CHECK(allclose(have[2], sums[1], 1e-3, 1e-4));
}

TEST_CASE("dropout of attention drops weights", "[ops][attention]") {
  manual_seed(4);
  const Tensor w = attention_weights(ones({40, 3}), ones({50, 3}), {.dropout_p = 0.5});
  for (const double v : w.to_vector<double>()) CHECK((v == 0 || v == Approx(2.0 / 50)));
  CHECK(count_nonzero(w).item<double>() == Approx(1000).margin(120));
  CHECK(equal(scaled_dot_product_attention(ones({2, 3}), ones({4, 3}), ones({4, 3}), {.dropout_p = 1}), zeros({2, 3})));
}

TEST_CASE("attention says what is wrong", "[ops][attention]") {
  const Tensor q = zeros({2, 3, 4}), k = zeros({2, 5, 4});
  const auto sdpa = [](const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& o = {}) { return scaled_dot_product_attention(q, k, v, o); };
  const std::string op = "scaled_dot_product_attention: ";
  CHECK(MESSAGE(ValueError, sdpa({}, k, k)) == op + "q is undefined; pass a tensor with values");
  CHECK(MESSAGE(DtypeError, sdpa(q.to(int64), k, k)) == op + "q is int64 [2, 3, 4]; expected a floating dtype");
  CHECK(MESSAGE(DtypeError, sdpa(q, k, k.to(float64))) == op + "v is float64, q is float32; convert one with .to()");
  CHECK(MESSAGE(ShapeError, sdpa(q, zeros({4}), k)) == op + "k float32 [4] has rank 1; expected [.., length, features]");
  CHECK(MESSAGE(ShapeError, sdpa(q, zeros({2, 5, 3}), k)) == op + "q float32 [2, 3, 4] has 4 features, k float32 [2, 5, 3] has 3");
  CHECK(MESSAGE(ShapeError, sdpa(q, k, zeros({2, 6, 4}))) == op + "k float32 [2, 5, 4] has 5 keys, v float32 [2, 6, 4] has 6 values");
  CHECK(MESSAGE(ValueError, sdpa(q, k, k, {.dropout_p = 2})) == op + "dropout_p is 2, outside [0, 1]");
  CHECK(MESSAGE(ValueError, sdpa(q, k, k, {.attn_mask = causal_mask(3, 5), .is_causal = true})) == op + "is_causal is set beside a mask; put causal_mask() into the mask instead");
  CHECK(MESSAGE(DtypeError, sdpa(q, k, k, {.attn_mask = zeros({3, 5}, {.dtype = int64})})) == op + "attn_mask is int64 [3, 5]; expected bool (true takes part) or a floating dtype (added)");
  CHECK(MESSAGE(ShapeError, sdpa(q, k, k, {.attn_mask = zeros({3, 4})})) == op + "attn_mask float32 [3, 4] does not broadcast to the scores [2, 3, 5]");
  CHECK(MESSAGE(ShapeError, sdpa(q, k, k, {.attn_mask = causal_mask(5, 5)})) == op + "attn_mask bool [5, 5] does not broadcast to the scores [2, 3, 5]");
  CHECK(MESSAGE(ShapeError, sdpa(zeros({3, 3, 4}), k, k, {.enable_gqa = true})) ==
        op + "enable_gqa needs heads of q that are a multiple of those of k and v, got float32 [3, 3, 4] and float32 [2, 4, 5]");
}
