// Attention block of queries by block of queries: a whole matrix of scores never exists, and keys behind the diagonal of a causal one are left out
// (Rabe and Staats, "Self-attention does not need O(n^2) memory", 2021; Dao et al., "FlashAttention", 2022).
#pragma once

#include <vector>

#include <rill/core/tensor.h>

namespace rill {

/// softmax(scale q k^T) v off the tape, and its gradients: q [.., L, E], k [.., S, E], v [.., S, F] of one dtype and with the same leading axes, none
/// empty. Of 16-bit floats the products are those of their dtype, with sums in float32, and weights are rounded before the second product as in
/// FlashAttention; softmax and the sums over blocks are float32. Blocks depend on the shapes only.
struct AttentionBlocks {
  Tensor q, k, v;
  double scale;  // 1 where q has been multiplied by it
  bool causal;  // query i sees keys 0 to i

  Tensor forward() const;
  /// Gradients of q (as it is here), k and v, in their dtype; `wants` says which. The weights are computed again.
  std::vector<Tensor> gradients(const Tensor& g, const bool (&wants)[3]) const;

 private:
  struct Block {
    std::int64_t first, queries, keys;  // keys: 0 to keys - 1
  };
  std::vector<Block> blocks() const;
  Tensor weights(const Block& b) const;  ///< float32 or float64
};

}  // namespace rill
