// Views, joining and reordering. Values are compared with PyTorch's in test/ops/index_goldens.cpp where no reference is given.
#include "test/ops/table/catalogue.h"

namespace rill::optable {
namespace {

using Values = std::vector<double>;
Row row(const char* name, std::function<Tensor(const Tensor&)> f, Shape shape = {2, 3, 4}) {
  return {.name = name, .run = [f](const Args& a) { return f(a[0]); }, .inputs = {{.shape = shape}}, .kinds = kAll, .bound = 0};
}
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
  return {
      with(row("reshape", [](const Tensor& x) { return reshape(x, {6, -1}).clone(); }), {throws<ShapeError>("5", [t] { reshape(t(), {5, -1}); }), throws<ShapeError>("-1", [t] { reshape(t(), {-1, -1}); })}),
      with(row("view", [](const Tensor& x) { return x.contiguous().view({4, 6}).clone(); }), {throws<ShapeError>("[5, 5]", [t] { t().view({5, 5}); })}),
      same_values(row("flatten", [](const Tensor& x) { return flatten(x, 1).clone(); })),
      with(view("unflatten", [](const Tensor& x) { return unflatten(x, 2, {2, 2}); }), {throws<ShapeError>("[3, 2]", [t] { unflatten(t(), 2, {3, 2}); })}),
      with(view("expand", [](const Tensor& x) { return expand(x, {5, 2, 3}).select(0, 0); }, {2, 3}), {throws<ShapeError>("cannot become 5", [t] { expand(t(), {2, 3, 5}); })}),
      view("broadcast_to", [](const Tensor& x) { return broadcast_to(x, {5, 2, 3}).select(0, 0); }, {2, 3}),
      with(view("broadcast_tensors", [](const Tensor& x) { return broadcast_tensors({x, ones({1, 3}, {.dtype = x.dtype()})})[0]; }, {2, 3}), {throws<ShapeError>("[2]", [] { broadcast_tensors({ones({2}), ones({3})}); })}),
      with(view("transpose", [](const Tensor& x) { return transpose(x, 0, 2); }), {throws<IndexError>("3", [t] { transpose(t(), 0, 3); })}),
      view("swapaxes", [](const Tensor& x) { return swapaxes(x, 0, 1); }),
      with(view("permute", [](const Tensor& x) { return permute(x, {2, 0, 1}); }), {throws<Error>("[0, 0, 1]", [t] { permute(t(), {0, 0, 1}); })}),
      view("movedim", [](const Tensor& x) { return movedim(x, {0}, {-1}); }),
      view("squeeze", [](const Tensor& x) { return squeeze(x); }, {2, 1, 4}),
      with(view("unsqueeze", [](const Tensor& x) { return unsqueeze(x, 1); }), {throws<IndexError>("5", [t] { unsqueeze(t(), 5); })}),
      with(view("select", [](const Tensor& x) { return select(x, 1, -1); }), {throws<IndexError>("3", [t] { select(t(), 1, 3); })}),
      with(view("narrow", [](const Tensor& x) { return narrow(x, 2, 1, 2); }), {throws<IndexError>("9", [t] { narrow(t(), 2, 1, 9); })}),
      view("slice", [](const Tensor& x) { return slice(x, 2, Slice(0, 4, 3)); }),
      view("diagonal", [](const Tensor& x) { return diagonal(x, 1, 1, 2); }),
      with(view("unfold", [](const Tensor& x) { return unfold(x, 2, 2, 2); }), {throws<Error>("9", [t] { unfold(t(), 2, 9, 1); })}),
      with(row("as_strided", [](const Tensor& x) { return as_strided(x.contiguous(), {3, 2}, {2, 1}, 1).clone(); }), {throws<Error>("as_strided", [t] { as_strided(t(), {100}, {1}); })}),
      with(both("cat", [](const Args& a) { return cat({a[0], a[1]}, 1); }), {throws<ShapeError>("[3]", [] { cat({ones({2, 3}), ones({3})}); })}),
      with(both("stack", [](const Args& a) { return stack({a[0], a[1]}, 1); }), {throws<ShapeError>("[3, 2]", [] { stack({ones({2, 3}), ones({3, 2})}); })}),
      both("hstack", [](const Args& a) { return hstack({a[0], a[1]}); }),
      both("vstack", [](const Args& a) { return vstack({a[0], a[1]}); }),
      both("dstack", [](const Args& a) { return dstack({a[0], a[1]}); }),
      both("block_diag", [](const Args& a) { return block_diag({a[0], a[1]}); }),
      with(view("split", [](const Tensor& x) { return split(x, 3, 2)[0]; }), {throws<Error>("split", [t] { split(t(), 0); })}),
      with(view("split_with_sizes", [](const Tensor& x) { return split_with_sizes(x, {1, 3}, 2)[1]; }), {throws<ShapeError>("[1, 1]", [t] { split_with_sizes(t(), {1, 1}, 2); })}),
      view("chunk", [](const Tensor& x) { return chunk(x, 2, 2)[1]; }),
      view("tensor_split", [](const Tensor& x) { return tensor_split(x, 3, 2)[0]; }),
      view("unbind", [](const Tensor& x) { return unbind(x, 1)[2]; }),
      with(both("column_stack", [](const Args& a) { return column_stack({a[0], a[1]}); }), {throws<ValueError>("column_stack: the list of tensors is empty; pass at least one", [] { column_stack({}); })}),
      with(both("cartesian_prod", [](const Args& a) { return cartesian_prod({a[0].reshape({6}), a[1].reshape({6})}); }), {throws<ShapeError>("cartesian_prod: tensor 0 has shape [2, 2]; every one must have one axis", [] { cartesian_prod({ones({2, 2})}); })}),
      with(row("combinations", [](const Tensor& x) { return combinations(x, 2, {.with_replacement = true}); }, {4}), {throws<ShapeError>("combinations: float32 [2, 2] must have one axis; use .flatten()", [] { combinations(ones({2, 2})); })}),
      view("tensor_split", [](const Tensor& x) { return tensor_split(x, Dims{1, -1}, 2)[1]; }),
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
}

}  // namespace rill::optable
