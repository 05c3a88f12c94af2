#include <rill/nn/models/gpt.h>

#include <cmath>
#include <limits>

#include <rill/autograd/grad_mode.h>
#include <rill/nn/init.h>
#include <rill/ops/attention.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/linalg.h>
#include <rill/ops/random.h>
#include <rill/ops/shape.h>
#include <rill/ops/softmax.h>
#include <rill/ops/sort.h>

#include "lib/core/check.h"

namespace rill::nn::models {
namespace {

LinearOptions linear_options(const GptOptions& o) { return {.bias = o.bias, .tensor = o.tensor}; }
LayerNormOptions norm_options(const GptOptions& o) { return {.bias = o.bias, .tensor = o.tensor}; }
const GptOptions& checked(const GptOptions& o) {
  check<ValueError>(o.layers >= 1 && o.heads >= 1 && o.context >= 1, "Gpt", "there are {} layers, {} heads and a context of {}; each must be at least 1", o.layers, o.heads, o.context);
  check<ValueError>(o.width % o.heads == 0, "Gpt", "{} heads do not divide a width of {}", o.heads, o.width);
  return o;
}

}  // namespace

GptAttention::GptAttention(const GptOptions& o) : c_attn(o.width, 3 * o.width, linear_options(o)), c_proj(o.width, o.width, linear_options(o)), dropout(o.dropout), heads(checked(o).heads) {}
Tensor GptAttention::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) {
    const std::int64_t n = x.size(0), steps = x.size(1), width = x.size(2);
    std::vector<Tensor> qkv = chunk(c_attn(x), 3, 2);
    for (Tensor& t : qkv) t = t.reshape({n, steps, heads, width / heads}).transpose(1, 2);
    const Tensor y = scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], {.dropout_p = dropout.training ? dropout.p : 0, .is_causal = true});
    return dropout(c_proj(y.transpose(1, 2).reshape({n, steps, width})));
  });
}

GptBlock::GptBlock(const GptOptions& o)
    : ln_1({o.width}, norm_options(o)), attn(o), ln_2({o.width}, norm_options(o)), c_fc(o.width, 4 * o.width, linear_options(o)), c_proj(4 * o.width, o.width, linear_options(o)), dropout(o.dropout) {}
Tensor GptBlock::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) {
    const Tensor y = x + attn(ln_1(x));
    return y + dropout(c_proj(gelu(c_fc(ln_2(y)), {.tanh_approximation = true})));
  });
}

Gpt::Gpt(const GptOptions& o)
    : options(checked(o)), wte(o.vocabulary, o.width, {.tensor = o.tensor}), wpe(o.context, o.width, {.tensor = o.tensor}), ln_f({o.width}, norm_options(o)), dropout(o.dropout) {
  for (std::int64_t i = 0; i < o.layers; ++i) h.emplace_back(o);
  if (!o.tie_weights) lm_head = Parameter(empty({o.vocabulary, o.width}, o.tensor));
  for (const auto& [name, p] : named_parameters()) {
    if (p.dim() == 2) init::normal_(p, 0, name.ends_with("c_proj.weight") ? 0.02 / std::sqrt(2.0 * static_cast<double>(o.layers)) : 0.02);
    else if (name.ends_with("bias")) init::zeros_(p);
  }
}

void Gpt::parts(Parts& p) {
  p("transformer.wte", wte)("transformer.wpe", wpe)("transformer.drop", dropout)("transformer.h", h)("transformer.ln_f", ln_f)("lm_head.weight", lm_head.defined() ? lm_head : wte.weight);
}

Tensor Gpt::operator()(const Tensor& tokens) const {
  return call(tokens, [&](const Tensor& tokens) {
    check_defined("Gpt", tokens, "tokens");
    check<ShapeError>(tokens.dim() == 2 && tokens.size(1) <= options.context, "Gpt", "tokens have shape {}; expected [N, T] with at most {} steps", tokens.shape(), options.context);
    Tensor x = dropout(wte(tokens) + wpe(arange(tokens.size(1), {.device = tokens.device()})));
    for (const GptBlock& block : h) x = block(x);
    return linear(ln_f(x), lm_head.defined() ? lm_head : wte.weight);
  });
}

Tensor Gpt::generate(const Tensor& tokens, std::int64_t count, const GenerateOptions& o) const {
  constexpr const char* op = "generate";
  check<ValueError>(o.temperature >= 0, op, "the temperature is {}; it must be 0 or more", o.temperature);
  check<ValueError>(!o.top_k || *o.top_k >= 1, op, "top_k is {}; it must be at least 1", o.top_k.value_or(0));
  const NoGrad off;
  Tensor all = tokens;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t seen = std::min(all.size(1), options.context);
    Tensor logits = (*this)(all.narrow(1, all.size(1) - seen, seen)).select(1, -1);
    if (o.top_k && *o.top_k < logits.size(1)) {
      const Tensor least = topk(logits, *o.top_k, 1).values.narrow(1, *o.top_k - 1, 1);
      logits = masked_fill(logits, logits < least, -std::numeric_limits<double>::infinity());
    }
    all = cat({all, o.temperature == 0 ? argmax(logits, 1, true) : multinomial(softmax(logits / o.temperature, 1), 1)}, 1);
  }
  return all;
}

}  // namespace rill::nn::models
