#include <rill/nn/packed_sequence.h>

#include <algorithm>
#include <numeric>

#include <rill/ops/create.h>
#include <rill/ops/index.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "lib/core/check.h"
#include "nn/packing.h"

namespace rill::nn {
namespace {

using Int = std::int64_t;
using Ints = std::vector<Int>;

/// Rows of the flat batch [T * N, ...] in packed order. `order`: the caller's row for each packed row.
Tensor packed_rows(const Ints& batch_sizes, const Ints& order, Int rows) {
  Ints at;
  for (std::size_t t = 0; t < batch_sizes.size(); ++t)
    for (Int k = 0; k < batch_sizes[t]; ++k) at.push_back(static_cast<Int>(t) * rows + order[static_cast<std::size_t>(k)]);
  return tensor(at);
}
Ints order_of(const PackedSequence& p, Int rows) {
  if (p.sorted_indices.defined()) return p.sorted_indices.to_vector<Int>();
  Ints order(static_cast<std::size_t>(rows));
  std::iota(order.begin(), order.end(), Int{0});
  return order;
}

void check_lengths(const char* op, const Tensor& x, const Ints& lengths, Int steps, Int rows, Int least) {
  check<ShapeError>(static_cast<Int>(lengths.size()) == rows, op, "{} lengths are given for the {} rows of x {}", lengths.size(), rows, describe(x));
  for (std::size_t i = 0; i < lengths.size(); ++i)
    check<ValueError>(lengths[i] >= least && lengths[i] <= steps, op, "lengths[{}] is {}; it must be between {} and {}, the steps of x {}", i, lengths[i], least, steps, describe(x));
}
void check_packed(const char* op, const PackedSequence& p) {
  check_defined(op, p.data, "the data");
  Int total = 0;
  for (const Int n : p.batch_sizes) total += n;
  check<ShapeError>(!p.batch_sizes.empty() && p.data.dim() >= 1 && total == p.data.size(0), op, "batch_sizes add up to {} rows, the data is {}", total, describe(p.data));
}

}  // namespace

PackedSequence pack(const char* op, const Tensor& x, const Ints& lengths, Int least, const Tensor& given) {
  const Int steps = x.size(0), rows = x.size(1);
  check_lengths(op, given, lengths, steps, rows, least);
  PackedSequence p;
  Ints order = order_of(p, rows);
  const auto length = [&](Int row) { return lengths[static_cast<std::size_t>(row)]; };
  std::stable_sort(order.begin(), order.end(), [&](Int a, Int b) { return length(a) > length(b); });
  const Int longest = rows ? length(order[0]) : 0;
  for (Int t = 0; t < longest; ++t) p.batch_sizes.push_back(std::count_if(lengths.begin(), lengths.end(), [t](Int n) { return n > t; }));
  p.data = longest ? index_select(flatten(x, 0, 1), 0, packed_rows(p.batch_sizes, order, rows)) : narrow(x, 0, 0, 0);
  if (std::is_sorted(order.begin(), order.end())) return p;
  Ints back(order.size());
  for (std::size_t k = 0; k < order.size(); ++k) back[static_cast<std::size_t>(order[k])] = static_cast<Int>(k);
  p.sorted_indices = tensor(order), p.unsorted_indices = tensor(back);
  return p;
}

Tensor unpack(const PackedSequence& p, Int steps, Int rows, double padding_value) {
  Shape flat = p.data.shape();
  if (p.batch_sizes.empty()) flat.erase(0);
  flat[0] = steps * rows;
  Tensor full = rill::full(flat, padding_value, {.dtype = p.data.dtype(), .device = p.data.device()});
  if (!p.batch_sizes.empty()) full = index_copy(full, 0, packed_rows(p.batch_sizes, order_of(p, rows), rows), p.data);
  return unflatten(full, 0, {steps, rows});
}

PackedSequence pack_padded_sequence(const Tensor& x, const Ints& lengths, const PackPaddedOptions& options) {
  constexpr const char* op = "pack_padded_sequence";
  check_defined(op, x);
  check<ShapeError>(x.dim() >= 2, op, "x {} has rank {}; expected [T, N, ...], or [N, T, ...] with batch_first", describe(x), x.dim());
  if (options.enforce_sorted)
    for (std::size_t i = 1; i < lengths.size(); ++i)
      check<ValueError>(lengths[i] <= lengths[i - 1], op, "lengths[{}] is {}, the one before {}; sort the rows by length, longest first, or pass .enforce_sorted = false", i, lengths[i], lengths[i - 1]);
  return pack(op, options.batch_first ? transpose(x, 0, 1) : x, lengths, 1, x);
}

Padded pad_packed_sequence(const PackedSequence& p, const PadPackedOptions& options) {
  constexpr const char* op = "pad_packed_sequence";
  check_packed(op, p);
  const Int longest = static_cast<Int>(p.batch_sizes.size()), rows = p.batch_sizes[0], steps = options.total_length.value_or(longest);
  check<ValueError>(steps >= longest, op, "total_length is {}, the longest row has {} steps; use that or more", steps, longest);
  Padded result{unpack(p, steps, rows, options.padding_value), Ints(static_cast<std::size_t>(rows))};
  if (options.batch_first) result.output = transpose(result.output, 0, 1);
  const Ints order = order_of(p, rows);
  for (const Int n : p.batch_sizes)
    for (Int k = 0; k < n; ++k) ++result.lengths[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])];
  return result;
}

Tensor pad_sequence(const std::vector<Tensor>& sequences, const PadSequenceOptions& options) {
  constexpr const char* op = "pad_sequence";
  check<ValueError>(!sequences.empty(), op, "the list of sequences is empty; pass at least one");
  Int longest = 0;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const Tensor &t = sequences[i], &first = sequences[0];
    check_defined(op, t, "a sequence");
    bool fits = t.dim() >= 1 && t.dim() == first.dim() && t.dtype() == first.dtype();
    for (int a = 1; fits && a < t.dim(); ++a) fits = t.size(a) == first.size(a);
    check<ShapeError>(fits, op, "sequence {} is {}, sequence 0 {}; they may differ on the first axis only", i, describe(t), describe(first));
    longest = std::max(longest, t.size(0));
  }
  std::vector<Tensor> rows;
  for (const Tensor& t : sequences) {
    Shape shape = t.shape();
    shape[0] = longest - shape[0];
    const Tensor padding = full(shape, options.padding_value, {.dtype = t.dtype(), .device = t.device()});
    rows.push_back(options.padding_side == PaddingSide::left ? cat({padding, t}) : cat({t, padding}));
  }
  return stack(rows, options.batch_first ? 0 : 1);
}

std::vector<Tensor> unpad_sequence(const Tensor& padded, const Ints& lengths, bool batch_first) {
  constexpr const char* op = "unpad_sequence";
  check_defined(op, padded);
  check<ShapeError>(padded.dim() >= 2, op, "x {} has rank {}; expected [T, N, ...], or [N, T, ...] with batch_first", describe(padded), padded.dim());
  const Tensor rows = batch_first ? padded : transpose(padded, 0, 1);
  check_lengths(op, padded, lengths, rows.size(1), rows.size(0), 0);
  std::vector<Tensor> result;
  for (std::size_t i = 0; i < lengths.size(); ++i) result.push_back(narrow(rows.select(0, static_cast<Int>(i)), 0, 0, lengths[i]));
  return result;
}

PackedSequence pack_sequence(const std::vector<Tensor>& sequences, bool enforce_sorted) {
  const Tensor padded = pad_sequence(sequences);
  Ints lengths;
  for (const Tensor& t : sequences) lengths.push_back(t.size(0));
  return pack_padded_sequence(padded, lengths, {.enforce_sorted = enforce_sorted});
}

std::vector<Tensor> unpack_sequence(const PackedSequence& packed) {
  const Padded padded = pad_packed_sequence(packed);
  return unpad_sequence(padded.output, padded.lengths);
}

}  // namespace rill::nn
