// Attention with several heads. Boolean masks say what is blocked, as in PyTorch's module, the reverse of scaled_dot_product_attention.
#pragma once

#include <optional>

#include <rill/nn/linear.h>
#include <rill/ops/attention.h>

namespace rill::nn {

struct MultiheadAttentionOptions {
  double dropout = 0;                     ///< of the weights, in training
  bool bias = true;                       ///< of the projections
  bool add_bias_kv = false;               ///< one more key and value, learned
  bool add_zero_attn = false;             ///< one more key and value of zeros
  std::optional<std::int64_t> kdim = {};  ///< features of key and value; default: embed_dim
  std::optional<std::int64_t> vdim = {};
  bool batch_first = false;               ///< tensors are [N, L, E] instead of [L, N, E]
  Options tensor = {};
};

/// How attention is called. Boolean masks: true is blocked; floating ones are added to the scores.
struct AttentionCall {
  Tensor key_padding_mask = {};           ///< [N, S]; without a batch [S]
  bool need_weights = true;
  Tensor attn_mask = {};                  ///< [L, S], or [N * heads, L, S]
  bool average_attn_weights = true;       ///< over the heads
  bool is_causal = false;                 ///< blocks keys behind the query, besides the masks
};
struct AttentionResult {
  Tensor output, weights;                 ///< [L, N, E]; [N, L, S], per head [N, heads, L, S], or undefined
};

/// Query [L, N, E], key [S, N, kdim] and value [S, N, vdim] are projected to heads of E / num_heads features each, whose attention is
/// projected to the output. All without N for a single sample. A query with all keys blocked gets weights 0. The input projection
/// starts as xavier_uniform over the whole matrix, the output projection as Linear, biases with 0. Vaswani et al. 2017.
class MultiheadAttention : public Module {
 public:
  /// ValueError unless num_heads divides embed_dim, for sizes below 1 and a dropout outside [0, 1].
  MultiheadAttention(std::int64_t embed_dim, std::int64_t num_heads, const MultiheadAttentionOptions& options = {});
  /// ShapeError and DtypeError name what does not fit.
  AttentionResult operator()(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionCall& options = {}) const;
  void parts(Parts& p) override;
  std::string describe() const override;
  /// As for self-attention: keys are counted as many as queries.
  std::int64_t flops(const Tensor& query, const Tensor& output) const override;

  std::int64_t embed_dim, num_heads;
  MultiheadAttentionOptions options;
  bool training = true;
  Parameter in_proj_weight;                                ///< [3 E, E]: query, key, value; absent with kdim or vdim
  Parameter q_proj_weight, k_proj_weight, v_proj_weight;   ///< then these
  Parameter in_proj_bias, bias_k, bias_v;
  Linear out_proj;

 private:
  AttentionResult attend(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionCall& call) const;
  Tensor mask(const AttentionCall& call, std::int64_t rows, std::int64_t queries, std::int64_t keys, const Tensor& like) const;
};

}  // namespace rill::nn
