// A small GPT: a transformer that predicts the next token (Radford et al. 2019). State names are those of nanoGPT and, without
// the transposed matrices, of GPT-2: transformer.wte.weight, transformer.h.0.attn.c_attn.weight, transformer.ln_f.weight, lm_head.weight.
#pragma once

#include <optional>
#include <vector>

#include <rill/nn/dropout.h>
#include <rill/nn/embedding.h>
#include <rill/nn/linear.h>
#include <rill/nn/norm.h>

namespace rill::nn::models {

struct GptOptions {
  std::int64_t vocabulary = 65, context = 128;  ///< `context`: the most tokens that are seen at once
  std::int64_t layers = 4, heads = 4, width = 128;
  double dropout = 0;
  bool bias = true;         ///< of the linear layers and normalisations
  bool tie_weights = true;  ///< scores are products with the embedding of tokens (Press and Wolf 2017)
  Options tensor = {};
};

/// Self-attention that sees what came before: [N, T, width] -> [N, T, width].
struct GptAttention : Module {
  explicit GptAttention(const GptOptions& options);
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override { p("c_attn", c_attn)("c_proj", c_proj)("resid_dropout", dropout); }

  Linear c_attn, c_proj;  ///< queries, keys and values together; the way back
  Dropout dropout;
  std::int64_t heads;
};

/// x + attention(norm(x)), then x + mlp(norm(x)), the perceptron with four times the width and gelu (tanh form).
struct GptBlock : Module {
  explicit GptBlock(const GptOptions& options);
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override { p("ln_1", ln_1)("attn", attn)("ln_2", ln_2)("mlp.c_fc", c_fc)("mlp.c_proj", c_proj)("mlp.dropout", dropout); }

  LayerNorm ln_1;
  GptAttention attn;
  LayerNorm ln_2;
  Linear c_fc, c_proj;
  Dropout dropout;
};

struct GenerateOptions {
  double temperature = 1;                    ///< logits are divided by it; 0: the most likely token
  std::optional<std::int64_t> top_k = {};    ///< draws among so many tokens only
};

/// tokens int64 [N, T] -> logits [N, T, vocabulary] of the next ones. Weights start normal with deviation 0.02, those that end a residual branch with
/// 0.02 / sqrt(2 layers).
class Gpt : public Module {
 public:
  /// ValueError for sizes below 1, and unless heads divides width.
  explicit Gpt(const GptOptions& options = {});
  /// ShapeError for more tokens than the context.
  Tensor operator()(const Tensor& tokens) const;
  /// `count` tokens drawn one after another: [N, T] -> [N, T + count], off the tape. Beyond the context the oldest are not seen.
  Tensor generate(const Tensor& tokens, std::int64_t count, const GenerateOptions& options = {}) const;
  void parts(Parts& p) override;

  GptOptions options;
  Embedding wte, wpe;  ///< of tokens and of positions
  std::vector<GptBlock> h;
  LayerNorm ln_f;
  Parameter lm_head;  ///< [vocabulary, width]; absent when tied
  Dropout dropout;
};

}  // namespace rill::nn::models
