// Views, joining and reordering. Values are compared with PyTorch's in test/ops/index_goldens.cpp where no reference is given.
#include "test/ops/table/catalogue.h"

namespace rill::optable {
namespace {

using Values = std::vector<double>;
Row row(const char* name, std::function<Tensor(const Tensor&)> f, Shape shape = {2, 3, 4}) {
  return {.name = name, .run = [f](const Args& a) { return f(a[0]); }, .inputs = {{.shape = shape}}, .kinds = kAll, .bound = 0};
}
/// Piece i; none of too few pieces.
Tensor piece(const std::vector<Tensor>& pieces, std::size_t i) { return i < pieces.size() ? pieces[i] : zeros({0}); }
Row view(const char* name, std::function<Tensor(const Tensor&)> f, Shape shape = {2, 3, 4}) {
  Row r = row(name, std::move(f), std::move(shape));
  r.view = true;
  return r;
}
Row same_values(Row r) {
  r.whole = [](const std::vector<Plain>& in) { return in[0].v; };
  return r;
}
Row with(Row r, std::vector<ErrorCase> errors) {
  r.errors = std::move(errors);
  return r;
}
Row both(const char* name, std::function<Tensor(const Args&)> f) { return {.name = name, .run = std::move(f), .inputs = {{.shape = {2, 3}}, {.shape = {2, 3}}}, .kinds = kAll, .bound = 0}; }

}  // namespace

std::vector<Row> rows_shape() {
  const auto t = [] { return ones({2, 3, 4}); };
  std::vector<Row> list = {
      with(row("reshape", [](const Tensor& x) { return reshape(x, {6, -1}).clone(); }), {throws<ShapeError>("reshape: 24 elements of shape [2, 3, 4] cannot fill shape [5, -1]: 5 does not divide them", [t] { reshape(t(), {5, -1}); }), throws<ShapeError>("reshape: shape [-1, -1] has more than one -1", [t] { reshape(t(), {-1, -1}); })}),
      with(row("view", [](const Tensor& x) { return x.contiguous().view({4, 6}).clone(); }), {throws<ShapeError>("view: 24 elements of shape [2, 3, 4] cannot fill shape [5, 5], which has 25", [t] { t().view({5, 5}); })}),
      same_values(row("flatten", [](const Tensor& x) { return flatten(x, 1).clone(); })),
      with(view("unflatten", [](const Tensor& x) { return unflatten(x, 2, {2, 2}); }), {throws<ShapeError>("unflatten: sizes [3, 2] do not multiply to size 4 of axis 2", [t] { unflatten(t(), 2, {3, 2}); })}),
      with(view("expand", [](const Tensor& x) { return expand(x, {5, 2, 3}).select(0, 0); }, {2, 3}), {throws<ShapeError>("expand: size 4 at axis 2 of [2, 3, 4] cannot become 5; only size 1 expands", [t] { expand(t(), {2, 3, 5}); })}),
      view("broadcast_to", [](const Tensor& x) { return broadcast_to(x, {5, 2, 3}).select(0, 0); }, {2, 3}),
      with(view("broadcast_tensors", [](const Tensor& x) { return broadcast_tensors({x, ones({1, 3}, {.dtype = x.dtype()})})[0]; }, {2, 3}), {throws<ShapeError>("broadcast_tensors: shapes [2] and [3] do not broadcast: sizes 2 and 3 differ at axis -1 from the right and neither is 1", [] { broadcast_tensors({ones({2}), ones({3})}); })}),
      with(view("transpose", [](const Tensor& x) { return transpose(x, 0, 2); }), {throws<IndexError>("transpose: axis 3 is outside [-3, 3) for a tensor of rank 3", [t] { transpose(t(), 0, 3); })}),
      view("swapaxes", [](const Tensor& x) { return swapaxes(x, 0, 1); }),
      with(view("permute", [](const Tensor& x) { return permute(x, {2, 0, 1}); }), {throws<Error>("permute: axis 0 is listed twice in [0, 0, 1]", [t] { permute(t(), {0, 0, 1}); })}),
      view("movedim", [](const Tensor& x) { return movedim(x, {0}, {-1}); }),
      view("squeeze", [](const Tensor& x) { return squeeze(x); }, {2, 1, 4}),
      with(view("unsqueeze", [](const Tensor& x) { return unsqueeze(x, 1); }), {throws<IndexError>("unsqueeze: axis 5 is outside [-4, 4) for a tensor of rank 4", [t] { unsqueeze(t(), 5); })}),
      with(view("select", [](const Tensor& x) { return select(x, 1, -1); }), {throws<IndexError>("select: index 3 is outside axis 1 of size 3", [t] { select(t(), 1, 3); })}),
      with(view("narrow", [](const Tensor& x) { return narrow(x, 2, 1, 2); }), {throws<IndexError>("narrow: start 1 and length 9 leave axis 2 of size 4", [t] { narrow(t(), 2, 1, 9); })}),
      view("slice", [](const Tensor& x) { return slice(x, 2, Slice(0, 4, 3)); }),
      view("diagonal", [](const Tensor& x) { return diagonal(x, 1, 1, 2); }),
      with(view("unfold", [](const Tensor& x) { return unfold(x, 2, 2, 2); }), {throws<Error>("unfold: windows of 9 do not fit into axis 2 of size 4", [t] { unfold(t(), 2, 9, 1); })}),
      with(row("as_strided", [](const Tensor& x) { return as_strided(x.contiguous(), {3, 2}, {2, 1}, 1).clone(); }), {throws<Error>("as_strided: shape [100], strides [1] and offset 0 reach element 99, the storage holds 24", [t] { as_strided(t(), {100}, {1}); })}),
      with(both("cat", [](const Args& a) { return cat({a[0], a[1]}, 1); }), {throws<ShapeError>("cat: tensor 1 has shape [3], tensor 0 [2, 3]; ranks must match", [] { cat({ones({2, 3}), ones({3})}); })}),
      with(both("stack", [](const Args& a) { return stack({a[0], a[1]}, 1); }), {throws<ShapeError>("stack: tensor 1 has shape [3, 2], tensor 0 [2, 3]; all shapes must match", [] { stack({ones({2, 3}), ones({3, 2})}); })}),
      both("hstack", [](const Args& a) { return hstack({a[0], a[1]}); }),
      both("vstack", [](const Args& a) { return vstack({a[0], a[1]}); }),
      both("dstack", [](const Args& a) { return dstack({a[0], a[1]}); }),
      both("block_diag", [](const Args& a) { return block_diag({a[0], a[1]}); }),
      with(view("split", [](const Tensor& x) { return piece(split(x, 3, 2), 0); }), {throws<Error>("split: size 0 must be positive (axis 0 has 2)", [t] { split(t(), 0); })}),
      with(view("split_with_sizes", [](const Tensor& x) { return piece(split_with_sizes(x, {1, 3}, 2), 1); }), {throws<ShapeError>("split_with_sizes: sizes [1, 1] add up to 2, axis 2 of [2, 3, 4] has 4", [t] { split_with_sizes(t(), {1, 1}, 2); })}),
      view("chunk", [](const Tensor& x) { return piece(chunk(x, 2, 2), 1); }),
      view("tensor_split", [](const Tensor& x) { return piece(tensor_split(x, 3, 2), 0); }),
      view("unbind", [](const Tensor& x) { return piece(unbind(x, 1), 2); }),
      with(both("column_stack", [](const Args& a) { return column_stack({a[0], a[1]}); }), {throws<ValueError>("column_stack: the list of tensors is empty; pass at least one", [] { column_stack({}); })}),
      with(both("cartesian_prod", [](const Args& a) { return cartesian_prod({a[0].reshape({6}), a[1].reshape({6})}); }), {throws<ShapeError>("cartesian_prod: tensor 0 has shape [2, 2]; every one must have one axis", [] { cartesian_prod({ones({2, 2})}); })}),
      with(row("combinations", [](const Tensor& x) { return combinations(x, 2, {.with_replacement = true}); }, {4}), {throws<ShapeError>("combinations: float32 [2, 2] must have one axis; use .flatten()", [] { combinations(ones({2, 2})); }),
                                                                                                      throws<ValueError>("combinations: -1 elements are to be chosen; the number must not be negative", [] { combinations(ones({2}), -1); })}),
      view("tensor_split", [](const Tensor& x) { return piece(tensor_split(x, Dims{1, -1}, 2), 1); }),
      row("repeat", [](const Tensor& x) { return repeat(x, {2, 1, 3}); }),
      row("tile", [](const Tensor& x) { return tile(x, {2}); }),
      row("repeat_interleave", [](const Tensor& x) { return repeat_interleave(x, 2, 1); }),
      row("flip", [](const Tensor& x) { return flip(x, {0, 2}); }),
      row("roll", [](const Tensor& x) { return roll(x, {1, -1}, {0, 2}); }),
      row("rot90", [](const Tensor& x) { return rot90(x, 1, 0, 1).clone(); }),
      row("tril", [](const Tensor& x) { return tril(x, 1); }),
      row("triu", [](const Tensor& x) { return triu(x, -1); }),
      row("diag", [](const Tensor& x) { return diag(x, 1); }, {3}),
      row("diag_embed", [](const Tensor& x) { return diag_embed(x); }, {2, 3}),
      row("meshgrid", [](const Tensor& x) { return meshgrid({x, x})[1].clone(); }, {3}),
      row("atleast_1d", [](const Tensor& x) { return atleast_1d({x})[0].clone(); }, {}),
      row("atleast_3d", [](const Tensor& x) { return atleast_3d({x})[0].clone(); }, {3}),
      row("meshgrid", [](const Tensor& x) { return meshgrid({x, x.narrow(0, 0, 2)}, GridIndexing::xy)[0].clone(); }, {3}),
      row("atleast_2d", [](const Tensor& x) { return atleast_2d({x})[0].clone(); }, {3}),
      row("pixel_shuffle", [](const Tensor& x) { return pixel_shuffle(x, 2).clone(); }, {1, 4, 2, 3}),
      row("pixel_unshuffle", [](const Tensor& x) { return pixel_unshuffle(x, 2).clone(); }, {1, 1, 4, 6}),
      row("channel_shuffle", [](const Tensor& x) { return channel_shuffle(x, 2).clone(); }, {1, 4, 2, 3}),
  };
  add_errors(list, {
      {"flatten", throws<IndexError>("flatten: axis 3 is outside [-3, 3) for a tensor of rank 3", [t] { flatten(t(), 3); })},
      {"broadcast_to", throws<ShapeError>("expand: [2, 3, 4] has more axes than shape [3]", [t] { broadcast_to(t(), {3}); })},
      {"swapaxes", throws<IndexError>("transpose: axis -4 is outside [-3, 3) for a tensor of rank 3", [t] { swapaxes(t(), 0, -4); })},
      {"movedim", throws<Error>("movedim: an axis is listed twice in [0, 0] -> [1, 2]", [t] { movedim(t(), {0, 0}, {1, 2}); })},
      {"squeeze", throws<IndexError>("squeeze: axis 3 is outside [-3, 3) for a tensor of rank 3", [t] { squeeze(t(), {3}); })},
      {"slice", throws<Error>("slice: step -1 is not positive; use flip() for a reversed order", [t] { slice(t(), 0, Slice(0, 2, -1)); })},
      {"diagonal", throws<Error>("diagonal: both axes are 1", [t] { diagonal(t(), 0, 1, 1); })},
      {"hstack", throws<ValueError>("hstack: the list of tensors is empty; pass at least one", [] { hstack({}); })},
      {"vstack", throws<ShapeError>("cat: tensor 1 has shape [1, 3], which differs from [1, 2] on axis 1; only axis 0 may differ", [] { vstack({ones({2}), ones({3})}); })},
      {"dstack", throws<ShapeError>("cat: tensor 1 has shape [1, 3, 1], which differs from [1, 2, 1] on axis 1; only axis 2 may differ", [] { dstack({ones({2}), ones({3})}); })},
      {"block_diag", throws<ShapeError>("block_diag: tensor 0 has shape [2, 3, 4]; at most two axes are allowed", [t] { block_diag({t()}); })},
      {"split", throws<ShapeError>("split: a 0-dim tensor has no axis to split", [] { split(full({}, 1), 1); })},
      {"chunk", throws<ValueError>("chunk: 0 pieces are asked for; use at least 1", [t] { chunk(t(), 0); })},
      {"tensor_split", throws<ValueError>("tensor_split: 0 pieces are asked for; use at least 1", [t] { tensor_split(t(), 0); })},
      {"unbind", throws<ShapeError>("unbind: a 0-dim tensor has no axis to split", [] { unbind(full({}, 1)); })},
      {"repeat", throws<ShapeError>("repeat: 1 repeats are given for [2, 3, 4], which has 3 axes; give at least one per axis", [t] { repeat(t(), {2}); })},
      {"tile", throws<ValueError>("repeat: repeat -1 at position 2 is negative", [t] { tile(t(), {-1}); })},
      {"repeat_interleave", throws<ValueError>("repeat_interleave: -1 repeats are asked for; the number must not be negative", [t] { repeat_interleave(t(), -1, 0); })},
      {"flip", throws<ValueError>("flip: axis 0 is listed twice in [0, 0]", [t] { flip(t(), {0, 0}); })},
      {"roll", throws<ShapeError>("roll: 1 shifts and 2 axes are given; give one shift per axis", [t] { roll(t(), {1}, {0, 1}); })},
      {"rot90", throws<ValueError>("rot90: both axes are 1", [t] { rot90(t(), 1, 1, 1); })},
      {"tril", throws<ShapeError>("tril: needs two axes, got shape [3]", [] { tril(ones({3})); })},
      {"triu", throws<ShapeError>("triu: needs two axes, got shape [3]", [] { triu(ones({3})); })},
      {"diag", throws<ShapeError>("diag: needs rank 1 or 2, got shape [2, 3, 4]", [t] { diag(t()); })},
      {"diag_embed", throws<ShapeError>("diag_embed: a 0-dim tensor has no axis to lay on a diagonal", [] { diag_embed(full({}, 1)); })},
      {"meshgrid", throws<ShapeError>("meshgrid: tensor 0 has shape [2, 3, 4]; every one must have one axis", [t] { meshgrid({t()}); })},
      {"atleast_1d", throws<ValueError>("atleast_1d: tensor 0 of the list is undefined; pass a tensor with values", [] { atleast_1d({Tensor()}); })},
      {"atleast_2d", throws<ValueError>("atleast_2d: tensor 0 of the list is undefined; pass a tensor with values", [] { atleast_2d({Tensor()}); })},
      {"atleast_3d", throws<ValueError>("atleast_3d: tensor 0 of the list is undefined; pass a tensor with values", [] { atleast_3d({Tensor()}); })},
      {"pixel_shuffle", throws<ShapeError>("pixel_shuffle: 2 channels of [2, 3, 4] are not a multiple of 4 = factor^2", [t] { pixel_shuffle(t(), 2); })},
      {"pixel_unshuffle", throws<ShapeError>("pixel_unshuffle: height 3 and width 4 of [2, 3, 4] are not multiples of 2", [t] { pixel_unshuffle(t(), 2); })},
      {"channel_shuffle", throws<ShapeError>("channel_shuffle: 3 channels of [2, 3, 4] are not a multiple of 2 groups", [t] { channel_shuffle(t(), 2); })},
  });
  add_errors(list, {
      {"tensor_split", throws<ValueError>("tensor_split: 2097152 pieces of 2 elements are asked for; use at most 1048576", [t] { tensor_split(t(), 1 << 21); })},
      {"chunk", throws<ValueError>("chunk: 2097152 pieces of 0 elements are asked for; use at most 1048576", [] { chunk(ones({0}), 1 << 21); })},
  });
  add_corners(list, {
      {"reshape", {[](const Args& a, std::int64_t k) { return reshape(a[0], {k, -1}); }, [](const Args& a, std::int64_t k) { return reshape(a[0], {k, 2}); }}},
      {"view", {[](const Args& a, std::int64_t k) { return a[0].view({k, -1}); }}},
      {"flatten", {[](const Args& a, std::int64_t k) { return flatten(a[0], k, -1); }, [](const Args& a, std::int64_t k) { return flatten(a[0], 0, k); }}},
      {"unflatten", {[](const Args& a, std::int64_t k) { return unflatten(a[0], k, {2, -1}); }, [](const Args& a, std::int64_t k) { return unflatten(a[0], 2, {k, -1}); }}},
      {"expand", {[](const Args& a, std::int64_t k) { return expand(a[0], {k, 2, 3}); }, [](const Args& a, std::int64_t k) { return expand(a[0], {2, k}); }}},
      {"transpose", {[](const Args& a, std::int64_t k) { return transpose(a[0], k, 0); }}},
      {"permute", {[](const Args& a, std::int64_t k) { return permute(a[0], {k, 0, 1}); }}},
      {"movedim", {[](const Args& a, std::int64_t k) { return movedim(a[0], {k}, {0}); }, [](const Args& a, std::int64_t k) { return movedim(a[0], {0}, {k}); }}},
      {"squeeze", {[](const Args& a, std::int64_t k) { return squeeze(a[0], {k}); }}},
      {"unsqueeze", {[](const Args& a, std::int64_t k) { return unsqueeze(a[0], k); }}},
      {"select", {[](const Args& a, std::int64_t k) { return select(a[0], k, 0); }, [](const Args& a, std::int64_t k) { return select(a[0], 1, k); }}},
      {"narrow", {[](const Args& a, std::int64_t k) { return narrow(a[0], 2, k, 1); }, [](const Args& a, std::int64_t k) { return narrow(a[0], 2, 1, k); }, [](const Args& a, std::int64_t k) { return narrow(a[0], k, 0, 1); }, [](const Args& a, std::int64_t k) { return narrow(a[0], 2, k, k); }}},
      {"slice", {[](const Args& a, std::int64_t k) { return slice(a[0], 2, Slice(k, 3)); }, [](const Args& a, std::int64_t k) { return slice(a[0], 2, Slice(0, k)); }, [](const Args& a, std::int64_t k) { return slice(a[0], 2, Slice(0, 4, k)); }, [](const Args& a, std::int64_t k) { return slice(a[0], k, Slice(0, 1)); }}},
      {"diagonal", {[](const Args& a, std::int64_t k) { return diagonal(a[0], k, 0, 1); }, [](const Args& a, std::int64_t k) { return diagonal(a[0], 0, k, 1); }}},
      {"as_strided", {[](const Args& a, std::int64_t k) { return as_strided(a[0], {k}, {1}); }, [](const Args& a, std::int64_t k) { return as_strided(a[0], {2}, {k}); }, [](const Args& a, std::int64_t k) { return as_strided(a[0], {2}, {1}, k); }, [](const Args& a, std::int64_t k) { return as_strided(a[0], {k, k}, {k, k}, k); }}},
      {"split", {[](const Args& a, std::int64_t k) { return piece(split(a[0], k, 0), 0); }, [](const Args& a, std::int64_t k) { return piece(split(a[0], 2, k), 0); }}},
      {"split_with_sizes", {[](const Args& a, std::int64_t k) { return piece(split_with_sizes(a[0], {k, 4 - k}, 2), 0); }}},
      {"chunk", {[](const Args& a, std::int64_t k) { return piece(chunk(a[0], k, 2), 0); }}},
      {"tensor_split", {[](const Args& a, std::int64_t k) { return piece(tensor_split(a[0], k, 2), 0); }, [](const Args& a, std::int64_t k) { return piece(tensor_split(a[0], Dims{k, 2}, 2), 0); }}},
      {"unbind", {[](const Args& a, std::int64_t k) { return piece(unbind(a[0], k), 0); }}},
      {"repeat", {[](const Args& a, std::int64_t k) { return repeat(a[0], {1, k, 1}); }}},
      {"tile", {[](const Args& a, std::int64_t k) { return tile(a[0], {k}); }}},
      {"repeat_interleave", {[](const Args& a, std::int64_t k) { return repeat_interleave(a[0], k, 1); }, [](const Args& a, std::int64_t k) { return repeat_interleave(a[0], 2, k); }, [](const Args& a, std::int64_t k) { return repeat_interleave(a[0], tensor({k, std::int64_t{0}}), 0); }}},
      {"flip", {[](const Args& a, std::int64_t k) { return flip(a[0], {k}); }}},
      {"roll", {[](const Args& a, std::int64_t k) { return roll(a[0], {k}, {0}); }, [](const Args& a, std::int64_t k) { return roll(a[0], {1}, {k}); }, [](const Args& a, std::int64_t k) { return roll(a[0], k); }}},
      {"rot90", {[](const Args& a, std::int64_t k) { return rot90(a[0], k); }, [](const Args& a, std::int64_t k) { return rot90(a[0], 1, k, 0); }}},
      {"tril", {[](const Args& a, std::int64_t k) { return tril(a[0], k); }}},
      {"triu", {[](const Args& a, std::int64_t k) { return triu(a[0], k); }}},
      {"diag", {[](const Args& a, std::int64_t k) { return diag(a[0], k); }}},
      {"diag_embed", {[](const Args& a, std::int64_t k) { return diag_embed(a[0], k); }}},
      {"combinations", {[](const Args& a, std::int64_t k) { return combinations(a[0], k); }, [](const Args& a, std::int64_t k) { return combinations(a[0], k, {.with_replacement = true}); }}},
      {"cat", {[](const Args& a, std::int64_t k) { return cat({a[0], a[1]}, k); }}},
      {"stack", {[](const Args& a, std::int64_t k) { return stack({a[0], a[1]}, k); }}},
      {"pixel_shuffle", {[](const Args& a, std::int64_t k) { return pixel_shuffle(a[0], k); }}},
      {"pixel_unshuffle", {[](const Args& a, std::int64_t k) { return pixel_unshuffle(a[0], k); }}},
      {"channel_shuffle", {[](const Args& a, std::int64_t k) { return channel_shuffle(a[0], k); }}},
      {"unfold", {[](const Args& a, std::int64_t k) { return unfold(a[0], 2, k, 1); }, [](const Args& a, std::int64_t k) { return unfold(a[0], 2, 2, k); }, [](const Args& a, std::int64_t k) { return unfold(a[0], k, 2, 1); }}},
  });
  return list;
}

}  // namespace rill::optable
