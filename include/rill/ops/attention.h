// Scaled dot-product attention (Vaswani et al. 2017).
#pragma once

#include <optional>

#include <rill/core/tensor.h>

namespace rill {

struct AttentionOptions {
  Tensor attn_mask = {};             ///< broadcasts to [.., L, S]; bool: true takes part (nn::MultiheadAttention: true is blocked); floating: added to the scores
  double dropout_p = 0;              ///< of the weights; applied whatever mode a module is in
  bool is_causal = false;            ///< query i sees keys 0 to i; not together with attn_mask
  std::optional<double> scale = {};  ///< default: 1 / sqrt(E)
  bool enable_gqa = false;           ///< the heads of q (axis -3) share those of k and v in groups (Ainslie et al. 2023)
};

/// softmax(q k^T scale + mask) v: q [.., L, E], k [.., S, E], v [.., S, F] -> [.., L, F], leading axes broadcast. A query that no key takes part
/// for gives zeros, and no gradient. Causal attention, and that of very many scores, goes through blocks of queries: it keeps no [L, S] matrix and
/// skips the keys that nobody sees, unless there is a mask or dropout. Of 16-bit floats scores and sums are float32; where the processor or device
/// multiplies them as they are, and there is no mask, no dropout and no group, the weights are rounded to 16 bits before they meet v. Differentiable any
/// number of times.
/// ShapeError when sizes do not fit, DtypeError unless q, k and v are of one floating dtype and the mask bool or floating,
/// ValueError for a dropout_p outside [0, 1] and for is_causal beside a mask.
Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options = {});
/// What v is multiplied by in it, [.., L, S].
Tensor attention_weights(const Tensor& q, const Tensor& k, const AttentionOptions& options = {});

/// bool [queries, keys], true where key <= query: the mask of is_causal, aligned at the top left.
Tensor causal_mask(std::int64_t queries, std::int64_t keys, Device device = {});

}  // namespace rill
