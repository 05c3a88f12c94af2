// Attention block of queries by block of queries: a whole matrix of scores never exists, and keys behind the diagonal of a causal one are left out
// (Rabe and Staats, "Self-attention does not need O(n^2) memory", 2021; Dao et al., "FlashAttention", 2022).
#pragma once

#include <vector>

#include <rill/core/tensor.h>

namespace rill {

/// softmax(q k^T) v off the tape, and its gradients. q [.., L, E] has been multiplied by the scale; k [.., S, E], v [.., S, F] with the same leading
/// axes; all of one compute dtype, none empty. Blocks depend on the shapes only.
struct AttentionBlocks {
  Tensor q, k, v;
  bool causal;  // query i sees keys 0 to i

  Tensor forward() const;
  /// Gradients of q (as it is here), k and v; `wants` says which. The weights are computed again.
  std::vector<Tensor> gradients(const Tensor& g, const bool (&wants)[3]) const;

 private:
  struct Block {
    std::int64_t first, queries, keys;  // keys: 0 to keys - 1
  };
  std::vector<Block> blocks() const;
  Tensor weights(const Block& b) const;
};

}  // namespace rill
