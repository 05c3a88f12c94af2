// Batches of sequences of different lengths: padded to the longest, or packed without padding, the form in which recurrent layers
// do no work on padding. Everything is differentiable.
#pragma once

#include <optional>
#include <vector>

#include <rill/core/tensor.h>

namespace rill::nn {

struct PackedSequence {
  Tensor data;                             ///< [sum of lengths, ...]: the first steps of all rows, then the second ones of those that have one, ...
  std::vector<std::int64_t> batch_sizes;   ///< rows of each step
  Tensor sorted_indices;                   ///< int64: which row of the caller's batch each packed row is; undefined when all kept their places
  Tensor unsorted_indices;                 ///< the way back
};

struct PackPaddedOptions {
  bool batch_first = false;     ///< x is [N, T, ...] instead of [T, N, ...]
  bool enforce_sorted = true;   ///< off: rows are sorted by length, longest first, equal ones in their order
};
/// x [T, N, ...] with the steps of each row that count. ValueError for a length outside [1, T] or, with enforce_sorted, one that is
/// larger than the one before; ShapeError unless there is one length per row.
PackedSequence pack_padded_sequence(const Tensor& x, const std::vector<std::int64_t>& lengths, const PackPaddedOptions& options = {});

struct PadPackedOptions {
  bool batch_first = false;
  double padding_value = 0;
  std::optional<std::int64_t> total_length = {};  ///< steps of the result; default: the longest row's
};
struct Padded {
  Tensor output;
  std::vector<std::int64_t> lengths;
};
/// The reverse of packing, rows in the caller's order. ValueError when total_length is below the longest row.
Padded pad_packed_sequence(const PackedSequence& packed, const PadPackedOptions& options = {});

enum class PaddingSide : std::uint8_t { right, left };
struct PadSequenceOptions {
  bool batch_first = false;
  double padding_value = 0;
  PaddingSide padding_side = PaddingSide::right;
};
/// Tensors [length, ...] as one [longest, N, ...]. ShapeError unless they agree on the other axes, ValueError for an empty list.
Tensor pad_sequence(const std::vector<Tensor>& sequences, const PadSequenceOptions& options = {});
/// The rows of a padded batch without the padding on the right.
std::vector<Tensor> unpad_sequence(const Tensor& padded, const std::vector<std::int64_t>& lengths, bool batch_first = false);
/// pad_sequence, then pack_padded_sequence.
PackedSequence pack_sequence(const std::vector<Tensor>& sequences, bool enforce_sorted = true);
/// pad_packed_sequence, then unpad_sequence.
std::vector<Tensor> unpack_sequence(const PackedSequence& packed);

}  // namespace rill::nn
