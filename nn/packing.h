// Packing with the freedom that recurrent modules need: rows may be empty.
#pragma once

#include <rill/nn/packed_sequence.h>

namespace rill::nn {

/// Time-first x [T, N, ...], rows sorted; lengths in [least, T]. A batch of empty rows only is [0, N, ...] without batch_sizes. Errors show x
/// as it was `given`.
PackedSequence pack(const char* op, const Tensor& x, const std::vector<std::int64_t>& lengths, std::int64_t least, const Tensor& given);
/// Back to [steps, rows, ...], zeros where there is nothing.
Tensor unpack(const PackedSequence& packed, std::int64_t steps, std::int64_t rows, double padding_value = 0);

}  // namespace rill::nn
