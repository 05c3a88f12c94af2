#include "test/support/catch.h"
#include "test/support/message.h"

#include <rill/ops/create.h>
#include <rill/ops/index.h>
#include <rill/ops/shape.h>

#include <cstdint>

using namespace rill;

TEST_CASE("index expressions say what is wrong", "[ops][index]") {
  const Tensor x = arange(6.).reshape({2, 3}), none;
  CHECK(MESSAGE(IndexError, x(2)) == "index: index 2 is outside axis 0 of size 2; valid are -2 to 1");
  CHECK(MESSAGE(IndexError, x(0, 0, 0)) == "index: the indices use 3 axes, the tensor float32 [2, 3] has 2");
  CHECK(MESSAGE(IndexError, x(Ellipsis, Ellipsis)) == "index: an index expression has 2 ellipses; one is enough");
  CHECK(MESSAGE(IndexError, x(tensor({0, 2}))) == "index: index 2 at [1] is outside axis 0 of size 2; valid are -2 to 1");
  CHECK(MESSAGE(IndexError, x(Slice(), tensor(3))) == "index: index 3 is outside axis 1 of size 3; valid are -3 to 2");
  CHECK(MESSAGE(DtypeError, x(tensor({0.5}))) == "index: an index is float32, expected bool (a mask), int64 or int32; convert with .to()");
  CHECK(MESSAGE(IndexError, x(tensor({true, false, true}))) == "index: the mask has shape [3], which does not fit the axes from 0 on of float32 [2, 3]: size 3 is not 2");
  CHECK(MESSAGE(ShapeError, x(tensor({0, 1}), tensor({0, 1, 2}))).starts_with("index: shapes [2] and [3] do not broadcast"));
  CHECK(MESSAGE(ValueError, x(Slice(0, 2, -1))) == "slice: step -1 is not positive; use flip() for a reversed order");
  CHECK(MESSAGE(ShapeError, x(Slice(1, 2)) = ones({3, 3})) == "index_put_: a value of shape [3, 3] does not broadcast to the selection of shape [1, 3]");
  CHECK(MESSAGE(ValueError, x(none)) == "index: an index is undefined; pass a tensor with values");
}

TEST_CASE("gather, scatter and their kin say what is wrong", "[ops][index]") {
  const Tensor x = arange(6.).reshape({2, 3}), i = tensor({{0, 1, 2}}), integers = arange(3), first = tensor({0});
  CHECK(MESSAGE(IndexError, gather(x, 2, i)) == "gather: axis 2 is outside [-2, 2) for a tensor of rank 2");
  CHECK(MESSAGE(ShapeError, gather(x, 0, first)) == "gather: the index has shape [1], the tensor [2, 3]; they must have the same rank");
  CHECK(MESSAGE(IndexError, gather(x, 1, tensor({{0, -1}}))) == "gather: index -1 at [0, 1] is outside axis 1 of size 3; valid are 0 to 2");
  CHECK(MESSAGE(DtypeError, gather(x, 0, x)) == "gather: the index is float32, expected int64 or int32; convert with .to(rill::int64)");
  CHECK(MESSAGE(ValueError, gather({}, 0, i)) == "gather: input is undefined; pass a tensor with values");
  CHECK(MESSAGE(ShapeError, scatter(x, 1, i, ones({1, 2}))) == "scatter: source has shape [1, 2], which is smaller than the index [1, 3] on axis 1");
  CHECK(MESSAGE(DtypeError, scatter(x, 1, i, arange(3).reshape({1, 3}))) == "scatter: source is int64, the tensor float32; convert one with .to()");
  CHECK(MESSAGE(DtypeError, scatter(integers, 0, first, 1.5)) == "scatter: 1.5 cannot be stored in int64 [3]; use an integer or convert with .to()");
  CHECK(MESSAGE(IndexError, scatter_add(x, 1, tensor({{0, 5}}), ones({1, 2}))) == "scatter_add: index 5 at [0, 1] is outside axis 1 of size 3; valid are 0 to 2");
  CHECK(MESSAGE(ShapeError, index_select(x, 0, i)) == "index_select: the index has shape [1, 3]; it must have one axis");
  CHECK(MESSAGE(ShapeError, index_add(x, 0, first, ones({2, 3}))) == "index_add: source has shape [2, 3]; the tensor [2, 3] and an index of 1 values need [1, 3]");
  CHECK(MESSAGE(DtypeError, index_add(integers, 0, first, tensor({1}), 0.5)) == "index_add: alpha is floating, but the tensor is int64; use an integer alpha");
  CHECK(MESSAGE(IndexError, take(x, tensor({-7}))) == "take: index -7 at [0] is outside axis 0 of size 6; valid are -6 to 5");
  CHECK(MESSAGE(DtypeError, masked_fill(x, x, 1)) == "masked_fill: the mask is float32, expected bool; compare it first, as in x > 0");
  CHECK(MESSAGE(ShapeError, masked_select(x, tensor({true, false}))).starts_with("masked_select: shapes [2, 3] and [2] do not broadcast"));
  CHECK(MESSAGE(ShapeError, masked_scatter(x, tensor({true, true, true}), ones({5}))) == "masked_scatter: the mask has 6 true elements, source only 5");
  CHECK_THROWS_AS(one_hot(tensor({3}), 3), IndexError);
  CHECK_THROWS_AS(one_hot(tensor({-1})), IndexError);
}

TEST_CASE("joining, splitting and reordering say what is wrong", "[ops][shape]") {
  const Tensor x = arange(6.).reshape({2, 3}), zero_dim = tensor(1.);
  CHECK(MESSAGE(ValueError, cat({})) == "cat: the list of tensors is empty; pass at least one");
  CHECK(MESSAGE(ShapeError, cat({x, ones({3, 3})}, 1)) == "cat: tensor 1 has shape [3, 3], which differs from [2, 3] on axis 0; only axis 1 may differ");
  CHECK(MESSAGE(ShapeError, stack({x, ones({3, 2})})) == "stack: tensor 1 has shape [3, 2], tensor 0 [2, 3]; all shapes must match");
  CHECK(MESSAGE(ValueError, split(x, 0)) == "split: size 0 must be positive (axis 0 has 2)");
  CHECK(MESSAGE(ShapeError, split_with_sizes(x, {1, 2})) == "split_with_sizes: sizes [1, 2] add up to 3, axis 0 of [2, 3] has 2");
  CHECK(MESSAGE(ShapeError, unbind(zero_dim)) == "unbind: a 0-dim tensor has no axis to split");
  CHECK(MESSAGE(ValueError, chunk(x, 0)) == "chunk: 0 pieces are asked for; use at least 1");
  CHECK(MESSAGE(ShapeError, repeat(x, {2})) == "repeat: 1 repeats are given for [2, 3], which has 2 axes; give at least one per axis");
  CHECK(MESSAGE(ValueError, repeat(x, {2, -1})) == "repeat: repeat -1 at position 1 is negative");
  CHECK_THROWS_AS(repeat(x, {std::int64_t{1} << 40, std::int64_t{1} << 40}), ShapeError);
  CHECK_THROWS_AS(repeat_interleave(x, INT64_MAX), ShapeError);
  CHECK(MESSAGE(ValueError, repeat_interleave(x, tensor({1, -2}), 0)) == "repeat_interleave: repeats[1] is -2; it must not be negative");
  CHECK_THROWS_AS(repeat_interleave(x, tensor({INT64_MAX, std::int64_t{1}}), 0), ShapeError);
  CHECK(MESSAGE(ShapeError, repeat_interleave(x, tensor({1, 2, 3}), 0)) == "repeat_interleave: repeats has shape [3]; axis 0 needs 2 values (or one)");
  CHECK(MESSAGE(ValueError, flip(x, {0, -2})) == "flip: axis -2 is listed twice in [0, -2]");
  CHECK(MESSAGE(ShapeError, roll(x, {1}, {0, 1})) == "roll: 1 shifts and 2 axes are given; give one shift per axis");
  CHECK(MESSAGE(ValueError, rot90(x, 1, 0, 0)) == "rot90: both axes are 0");
  CHECK(MESSAGE(ShapeError, tril(tensor({1.}))) == "tril: needs two axes, got shape [1]");
  CHECK(MESSAGE(ShapeError, diag(ones({2, 2, 2}))) == "diag: needs rank 1 or 2, got shape [2, 2, 2]");
  CHECK_THROWS_AS(diag_embed(x, INT64_MAX), ShapeError);
  CHECK_THROWS_AS(diag_embed(x, INT64_MIN), ShapeError);
  CHECK(MESSAGE(ShapeError, pixel_shuffle(ones({3, 2, 2}), 2)) == "pixel_shuffle: 3 channels of [3, 2, 2] are not a multiple of 4 = factor^2");
  CHECK(MESSAGE(ShapeError, pixel_unshuffle(ones({1, 3, 2}), 2)) == "pixel_unshuffle: height 3 and width 2 of [1, 3, 2] are not multiples of 2");
  CHECK(MESSAGE(ShapeError, channel_shuffle(ones({1, 4, 2}), 3)) == "channel_shuffle: 4 channels of [1, 4, 2] are not a multiple of 3 groups");
  CHECK(MESSAGE(ShapeError, meshgrid({x})) == "meshgrid: tensor 0 has shape [2, 3]; every one must have one axis");
}

TEST_CASE("diagonals far outside are empty", "[ops][shape]") {
  const Tensor x = ones({2, 3});
  for (const std::int64_t far : {INT64_MAX, INT64_MAX - 2}) {
    CHECK(tril(x, far).to_vector<int>() == std::vector<int>(6, 1));
    CHECK(triu(x, far).to_vector<int>() == std::vector<int>(6, 0));
    CHECK(tril(x, -far).to_vector<int>() == std::vector<int>(6, 0));
    CHECK(triu(x, -far).to_vector<int>() == std::vector<int>(6, 1));
  }
  CHECK(triu(x, INT64_MIN).to_vector<int>() == std::vector<int>(6, 1));
}
