// Padded and packed batches; values are PyTorch's for the same calls.
#include <rill/nn/packed_sequence.h>

#include <rill/autograd/backward.h>
#include <rill/autograd/gradcheck.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

#include "test/support/catch.h"
#include "test/support/message.h"

using namespace rill;
using nn::pack_padded_sequence, nn::pad_packed_sequence;
using Ints = std::vector<std::int64_t>;

TEST_CASE("packing keeps the steps that count, longest rows first", "[nn][packed_sequence]") {
  const Tensor x = arange(12).reshape({4, 3}), rows = x.t();  // [T, N]: row r holds r, r + 3, r + 6, r + 9
  const auto p = pack_padded_sequence(x, {2, 4, 1}, {.enforce_sorted = false});
  CHECK(p.data.to_vector<std::int64_t>() == Ints{1, 0, 2, 4, 3, 7, 10});
  CHECK(p.batch_sizes == Ints{3, 2, 1, 1});
  CHECK(p.sorted_indices.to_vector<std::int64_t>() == Ints{1, 0, 2});
  CHECK(p.unsorted_indices.to_vector<std::int64_t>() == Ints{1, 0, 2});
  CHECK(pack_padded_sequence(rows, {2, 4, 1}, {.batch_first = true, .enforce_sorted = false}).data.to_vector<std::int64_t>() == Ints{1, 0, 2, 4, 3, 7, 10});
  const auto sorted = pack_padded_sequence(x, {4, 2, 2});
  CHECK(sorted.data.to_vector<std::int64_t>() == Ints{0, 1, 2, 3, 4, 5, 6, 9});
  CHECK_FALSE(sorted.sorted_indices.defined());
}

TEST_CASE("padding is the way back", "[nn][packed_sequence]") {
  const Tensor x = arange(24).reshape({4, 3, 2});
  const auto p = pack_padded_sequence(x, {2, 4, 1}, {.enforce_sorted = false});
  const auto [padded, lengths] = pad_packed_sequence(p, {.padding_value = -1});
  CHECK(lengths == Ints{2, 4, 1});
  CHECK(padded.shape() == Shape{4, 3, 2});
  CHECK(padded(Ellipsis, 0).to_vector<std::int64_t>() == Ints{0, 2, 4, 6, 8, -1, -1, 14, -1, -1, 20, -1});
  CHECK(pad_packed_sequence(p, {.batch_first = true, .total_length = 6}).output.shape() == Shape{3, 6, 2});
  CHECK(nn::unpack_sequence(p)[1].to_vector<std::int64_t>() == Ints{2, 3, 8, 9, 14, 15, 20, 21});
}

TEST_CASE("sequences of different lengths become a batch", "[nn][packed_sequence]") {
  const std::vector<Tensor> list{tensor({1, 2}), tensor({3, 4, 5}), tensor({6})};
  CHECK(nn::pad_sequence(list).to_vector<std::int64_t>() == Ints{1, 3, 6, 2, 4, 0, 0, 5, 0});
  CHECK(nn::pad_sequence(list, {.batch_first = true, .padding_value = 9, .padding_side = nn::PaddingSide::left}).to_vector<std::int64_t>() == Ints{9, 1, 2, 3, 4, 5, 9, 9, 6});
  CHECK(nn::pack_sequence(list, false).data.to_vector<std::int64_t>() == Ints{3, 1, 6, 4, 2, 5});
  CHECK(nn::unpad_sequence(nn::pad_sequence(list), {2, 3, 1})[0].to_vector<std::int64_t>() == Ints{1, 2});
  CHECK(nn::unpad_sequence(nn::pad_sequence(list, {.batch_first = true}), {2, 0, 1}, true)[1].numel() == 0);
}

TEST_CASE("packing and padding are differentiable", "[nn][packed_sequence]") {
  const Tensor x = (arange(12.).to(float64) / 7).reshape({3, 2, 2}).requires_grad_();
  const auto both = [](const std::vector<Tensor>& in) { return pad_packed_sequence(pack_padded_sequence(in[0] * in[0], {1, 3}, {.enforce_sorted = false}), {.total_length = 4}).output; };
  CHECK(gradgradcheck(both, {x}).message == "");
}

TEST_CASE("packing says what is wrong", "[nn][packed_sequence]") {
  const Tensor x = zeros({4, 3});
  CHECK(MESSAGE(ValueError, pack_padded_sequence(x, {2, 4, 1})) ==
        "pack_padded_sequence: lengths[1] is 4, the one before 2; sort the rows by length, longest first, or pass .enforce_sorted = false");
  CHECK(MESSAGE(ValueError, pack_padded_sequence(x, {5, 4, 1})) == "pack_padded_sequence: lengths[0] is 5; it must be between 1 and 4, the steps of x float32 [4, 3]");
  CHECK(MESSAGE(ValueError, pack_padded_sequence(x, {4, 1, 0})) == "pack_padded_sequence: lengths[2] is 0; it must be between 1 and 4, the steps of x float32 [4, 3]");
  CHECK(MESSAGE(ShapeError, pack_padded_sequence(x, {4, 1})) == "pack_padded_sequence: 2 lengths are given for the 3 rows of x float32 [4, 3]");
  CHECK(MESSAGE(ShapeError, pack_padded_sequence(zeros({3}), {4})) == "pack_padded_sequence: x float32 [3] has rank 1; expected [T, N, ...], or [N, T, ...] with batch_first");
  CHECK(MESSAGE(ValueError, pad_packed_sequence(pack_padded_sequence(x, {4, 1, 1}), {.total_length = 3})) == "pad_packed_sequence: total_length is 3, the longest row has 4 steps; use that or more");
  CHECK(MESSAGE(ShapeError, pad_packed_sequence({zeros({3}), {2, 2}, {}, {}})) == "pad_packed_sequence: batch_sizes add up to 4 rows, the data is float32 [3]");
  CHECK(MESSAGE(ValueError, nn::pad_sequence({})) == "pad_sequence: the list of sequences is empty; pass at least one");
  CHECK(MESSAGE(ShapeError, nn::pad_sequence({zeros({2, 3}), zeros({2, 4})})) == "pad_sequence: sequence 1 is float32 [2, 4], sequence 0 float32 [2, 3]; they may differ on the first axis only");
  CHECK(MESSAGE(ValueError, nn::unpad_sequence(x, {4, 5, 1})) == "unpad_sequence: lengths[1] is 5; it must be between 0 and 4, the steps of x float32 [4, 3]");
}
