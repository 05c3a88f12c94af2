// Table look-up.
#pragma once

#include <cstdint>
#include <optional>

#include <rill/core/tensor.h>

namespace rill {

/// Rows of weight [n, d] at the indices (int64 or int32, any shape): [*, d]. The row `padding_idx` (negative: from the end) gets no
/// gradient. Equal indices add their gradients in index order: the result does not depend on threads; with `scale_grad_by_freq` each
/// is divided by how often its row occurs in `index`.
/// IndexError names a value outside [0, n) and its position; ValueError for a padding_idx outside.
Tensor embedding(const Tensor& weight, const Tensor& index, std::optional<std::int64_t> padding_idx = {}, bool scale_grad_by_freq = false);
/// Scales the rows at the indices whose p-norm is above max_norm down to it, in place and off the tape (for a leaf as well).
/// ValueError unless max_norm and p are positive.
const Tensor& embedding_renorm_(const Tensor& weight, const Tensor& index, double max_norm, double p = 2);

enum class BagMode : std::uint8_t { sum, mean, max };
struct EmbeddingBagOptions {
  BagMode mode = BagMode::mean;
  std::optional<std::int64_t> padding_idx = {};  ///< rows that take no part
  bool include_last_offset = false;              ///< the last offset is the end of the last bag
  Tensor per_sample_weights = {};                ///< factors of the rows, in the shape of index; `sum` only
  bool scale_grad_by_freq = false;               ///< as in embedding; not with `max`
};
/// One row per bag of indices: bag b is index[offsets[b]..offsets[b + 1]] of a rank-1 index; a rank-2 index holds one bag per row and
/// takes no offsets; weight is floating point. Empty bags give 0; of several equal maxima the first gets the gradient. ValueError for offsets that do not start at 0, decrease or pass the end.
Tensor embedding_bag(const Tensor& weight, const Tensor& index, const Tensor& offsets = {}, const EmbeddingBagOptions& options = {});

}  // namespace rill
