#include "test/nn/models/filled.h"

#include <rill/nn/models/gpt.h>
#include <rill/ops/index.h>
#include <rill/ops/random.h>
#include <rill/ops/shape.h>

#include "test/support/message.h"

using namespace rill;
using namespace rill::nn::models;

namespace {
const GptOptions kSmall{.vocabulary = 11, .context = 6, .layers = 2, .heads = 2, .width = 8, .tensor = kDouble};
}

TEST_CASE("Gpt: values and gradients are those of PyTorch's layers", "[nn][models]") {
  Gpt m(kSmall);
  nn::check_parts(m);
  check_training(m, "gpt", tokens());
  CHECK(m.state().front().first == "transformer.wte.weight");
  CHECK(m.state().back().first == "lm_head.weight");
  CHECK(find(m.state(), "transformer.h.1.mlp.c_proj.bias").shape() == Shape{8});
  auto untied = kSmall;
  untied.tie_weights = false;
  Gpt other(untied);
  nn::check_parts(other);
  CHECK(other.parameter_count() == m.parameter_count() + 88);
  other.load(m.state());
  CHECK(equal(other(tokens()), m(tokens())));
}

TEST_CASE("Gpt: GPT-2's number of parameters, by the layer", "[nn][models]") {
  // 124,439,808 = 50257 * 768 + 1024 * 768 + 12 * 7,087,872 + 2 * 768
  CHECK(GptBlock({.heads = 12, .width = 768}).parameter_count() == 7'087'872);
  CHECK(Gpt({.vocabulary = 7, .context = 5, .layers = 3, .heads = 2, .width = 4, .bias = false}).parameter_count() == 7 * 4 + 5 * 4 + 3 * (12 * 16 + 2 * 4) + 4);
}

TEST_CASE("Gpt: start of the weights", "[nn][models]") {
  const Gpt m({.vocabulary = 500, .layers = 2, .heads = 2, .width = 64});
  CHECK(rill::std(m.wte.weight).item<double>() == Approx(0.02).epsilon(0.03));
  CHECK(rill::std(m.h[1].c_fc.weight).item<double>() == Approx(0.02).epsilon(0.03));
  CHECK(rill::std(m.h[1].c_proj.weight).item<double>() == Approx(0.01).epsilon(0.03));
  CHECK(rill::std(m.h[1].attn.c_proj.weight).item<double>() == Approx(0.01).epsilon(0.05));
  CHECK(max(abs(m.h[0].attn.c_attn.bias)).item<double>() == 0);
  CHECK(min(m.ln_f.weight).item<double>() == 1);
}

TEST_CASE("Gpt generates: the likeliest, among the k best, beyond the context", "[nn][models]") {
  Gpt m(kSmall);
  fill(m);
  m.eval();
  const Tensor start = tokens();
  const Tensor greedy = m.generate(start, 4, {.temperature = 0});
  CHECK(greedy.shape() == Shape{2, 9});
  CHECK_FALSE(greedy.requires_grad());
  CHECK(equal(greedy.narrow(1, 0, 5), start));
  for (std::int64_t at = 5; at < 9; ++at) {  // from the six tokens before, at most
    const std::int64_t from = std::max<std::int64_t>(0, at - 6);
    CHECK(equal(greedy.select(1, at), argmax(m(greedy.narrow(1, from, at - from)).select(1, -1), 1)));
  }
  manual_seed(3);
  CHECK(equal(m.generate(start, 4, {.top_k = 1}), greedy));
  const Tensor logits = m(start).select(1, -1);
  const Tensor often = m.generate(repeat(start, {200, 1}), 1, {.temperature = 2, .top_k = 3}).select(1, -1).view({200, 2});
  for (int row = 0; row < 2; ++row) {
    const auto drawn = often.select(1, row).to_vector<std::int64_t>();
    std::map<std::int64_t, double> share;
    for (const auto id : drawn) share[id] += 1.0 / 200;
    const auto scores = logits[row].to_vector<double>();
    auto sorted = scores;
    std::sort(sorted.rbegin(), sorted.rend());
    double total = 0;
    for (int i = 0; i < 3; ++i) total += std::exp(sorted[static_cast<std::size_t>(i)] / 2);
    for (const auto& [id, part] : share) {
      const double score = scores[static_cast<std::size_t>(id)];
      CHECK(score >= sorted[2]);
      CHECK(part == Approx(std::exp(score / 2) / total).margin(0.12));
    }
  }
}

TEST_CASE("Gpt refuses what cannot work", "[nn][models]") {
  CHECK(MESSAGE(ValueError, Gpt({.heads = 3})) == "Gpt: 3 heads do not divide a width of 128");
  CHECK(MESSAGE(ValueError, Gpt({.layers = 0})) == "Gpt: there are 0 layers, 4 heads and a context of 128; each must be at least 1");
  const Gpt m(kSmall);
  CHECK(MESSAGE(ShapeError, m(zeros({2, 7}, {.dtype = int64}))) == "Gpt: tokens have shape [2, 7]; expected [N, T] with at most 6 steps (in Gpt)");
  CHECK(MESSAGE(ValueError, m.generate(tokens(), 1, {.temperature = -1})) == "generate: the temperature is -1; it must be 0 or more");
  CHECK(MESSAGE(ValueError, m.generate(tokens(), 1, {.top_k = 0})) == "generate: top_k is 0; it must be at least 1");
}
