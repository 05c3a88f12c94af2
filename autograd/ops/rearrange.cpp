// Repeating and reordering.
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include <algorithm>
#include <limits>

#include "autograd/record.h"
#include "backends/api/backend.h"
#include "lib/core/checked.h"
#include "lib/core/op_range.h"

namespace rill {

// ---- repeating -----------------------------------------------------------------------------------------------------------------

Tensor repeat(const Tensor& x, const Dims& repeats) {
  const OpRange here("repeat", x);
  check_defined("repeat", x);
  const Shape& s = impl(x).shape;
  check<ShapeError>(repeats.rank() >= s.rank(), "repeat", "{} repeats are given for {}, which has {} axes; give at least one per axis", repeats.rank(), s, s.rank());
  const int extra = repeats.rank() - s.rank();
  Shape shape = repeats, single, wide;  // [r0, 1, r1, s1, ...] from [1, s0, 1, s1, ...]
  for (int a = 0; a < repeats.rank(); ++a) {
    check<ValueError>(repeats[a] >= 0, "repeat", "repeat {} at position {} is negative", repeats[a], a);
    const auto own = a < extra ? 1 : s[a - extra];
    shape[a] = checked_mul("repeat", repeats[a], own);
    if (repeats[a] != 1) single.push_back(1), wide.push_back(repeats[a]);
    single.push_back(own), wide.push_back(own);
  }
  checked_numel("repeat", shape, impl(x).dtype);
  return expand(x.reshape(single), wide).clone(MemoryFormat::contiguous).view(shape);
}

Tensor tile(const Tensor& x, const Dims& repeats) {
  const OpRange here("tile", x);
  check_defined("tile", x);
  Dims all = repeats;
  while (all.rank() < x.dim()) all.insert(0, 1);
  return repeat(x, all);
}

Tensor repeat_interleave(const Tensor& x, std::int64_t repeats) {
  const OpRange here("repeat_interleave", x);
  check_defined("repeat_interleave", x);
  return repeat_interleave(x.reshape({x.numel()}), repeats, 0);
}
Tensor repeat_interleave(const Tensor& x, std::int64_t repeats, std::int64_t axis) {
  const OpRange here("repeat_interleave", x);
  check_defined("repeat_interleave", x);
  check<ValueError>(repeats >= 0, "repeat_interleave", "{} repeats are asked for; the number must not be negative", repeats);
  const Tensor t = x.dim() == 0 ? x.reshape({1}) : x;
  const auto a = static_cast<int>(wrap_axis("repeat_interleave", axis, x.dim()));
  Shape wide = t.shape(), shape = wide;
  shape[a] = checked_mul("repeat_interleave", shape[a], repeats);
  checked_numel("repeat_interleave", shape, impl(x).dtype);
  wide.insert(a + 1, repeats);
  return expand(unsqueeze(t, a + 1), wide).clone(MemoryFormat::contiguous).view(shape);
}
Tensor repeat_interleave(const Tensor& x, const Tensor& repeats, std::int64_t axis) {
  const OpRange here("repeat_interleave", x, repeats);
  constexpr const char* op = "repeat_interleave";
  check_defined(op, x);
  check_defined(op, repeats, "repeats");
  check_same_device(op, x, repeats);
  check<DtypeError>(repeats.dtype() == Dtype::int64 || repeats.dtype() == Dtype::int32, op, "repeats is {}, expected int64 or int32", repeats.dtype());
  const Tensor t = x.dim() == 0 ? x.reshape({1}) : x;
  const auto a = wrap_axis(op, axis, x.dim()), n = t.size(a);
  check<ShapeError>(repeats.dim() <= 1 && (repeats.numel() == n || repeats.numel() == 1), op, "repeats has shape {}; axis {} needs {} values (or one)", repeats.shape(), a, n);
  const std::vector<std::int64_t> counts = repeats.to_vector<std::int64_t>();
  Shape shape = t.shape();
  shape[a] = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    check<ValueError>(counts[i] >= 0, op, "repeats[{}] is {}; it must not be negative", i, counts[i]);
    shape[a] = checked_add(op, shape[a], counts[i]);
  }
  checked_numel(op, shape, Dtype::int64);
  if (counts.size() == 1 && n != 1) return repeat_interleave(t, counts[0], a);
  std::vector<std::int64_t> picks;
  checked_reserve(op, picks, shape[a]);
  for (std::int64_t i = 0; i < n; ++i) picks.insert(picks.end(), static_cast<std::size_t>(counts[static_cast<std::size_t>(i)]), i);
  return index_select(t, a, tensor(picks, {.device = x.device()}));
}

// ---- reordering ----------------------------------------------------------------------------------------------------------------

Tensor flip(const Tensor& x, const Dims& axes) {
  const OpRange here("flip", x);
  check_defined("flip", x);
  Dims wrapped = axes;
  for (auto& a : wrapped) a = wrap_axis("flip", a, x.dim());
  for (int i = 0; i < wrapped.rank(); ++i)
    for (int j = 0; j < i; ++j) check<ValueError>(wrapped[i] != wrapped[j], "flip", "axis {} is listed twice in {}", axes[i], axes);
  const Kernels& k = kernels(x);
  Tensor from = x;
  for (int i = 0; i < wrapped.rank() && x.dim() > 0 && impl(x).numel > 0; ++i) {  // a take along each axis, from the end
    const Tensor order = arange(impl(x).shape[wrapped[i]] - 1, -1, -1, {.device = impl(x).device});
    Tensor to = make_tensor(impl(x).shape, impl(x).dtype, impl(x).device);
    k.take(view(from), static_cast<int>(wrapped[i]), view(order), view(to));
    from = to;
  }
  Tensor out = from.is_same(x) ? x.detach().clone() : from;
  return record("flip", std::move(out), grad(x, [wrapped](const Tensor& g) { return flip(g, wrapped); }));
}

namespace {
/// out[i] = x[(i - shift) mod n] along an axis, n > 0.
void roll_axis(const Tensor& x, const Tensor& out, std::int64_t axis, std::int64_t shift) {
  const auto n = impl(x).shape[axis];
  const auto part = [&](const Tensor& t, std::int64_t start, std::int64_t length) {
    Shape s = impl(t).shape;
    s[axis] = length;
    return make_alias(t, s, impl(t).strides, start * impl(t).strides[axis]);
  };
  const Kernels& k = kernels(x);
  if (n > shift) k.copy(view(part(x, 0, n - shift)), view(part(out, shift, n - shift)));
  if (shift > 0) k.copy(view(part(x, n - shift, shift)), view(part(out, 0, shift)));
}
}  // namespace

Tensor roll(const Tensor& x, std::int64_t shift) {
  const OpRange here("roll", x);
  check_defined("roll", x);
  return roll(x.reshape({x.numel()}), {shift}, {0}).reshape(x.shape());
}
Tensor roll(const Tensor& x, const Dims& shifts, const Dims& axes) {
  const OpRange here("roll", x);
  check_defined("roll", x);
  check<ShapeError>(shifts.rank() == axes.rank(), "roll", "{} shifts and {} axes are given; give one shift per axis", shifts.rank(), axes.rank());
  Dims wrapped = axes, back = shifts;
  for (int i = 0; i < axes.rank(); ++i) {
    wrapped[i] = wrap_axis("roll", axes[i], x.dim());
    back[i] = -shifts[i];
  }
  Tensor from = x;
  for (int i = 0; i < axes.rank() && x.dim() > 0 && impl(x).numel > 0; ++i) {
    const auto n = impl(x).shape[wrapped[i]];
    const Tensor to = make_tensor(impl(x).shape, impl(x).dtype, impl(x).device);
    roll_axis(from, to, wrapped[i], ((shifts[i] % n) + n) % n);
    from = to;
  }
  Tensor out = from.is_same(x) ? x.detach().clone() : from;
  return record("roll", std::move(out), grad(x, [back, wrapped](const Tensor& g) { return roll(g, back, wrapped); }));
}

Tensor rot90(const Tensor& x, std::int64_t times, std::int64_t axis1, std::int64_t axis2) {
  const OpRange here("rot90", x);
  check_defined("rot90", x);
  check<ShapeError>(x.dim() >= 2, "rot90", "needs two axes, got shape {}", x.shape());
  const auto a = wrap_axis("rot90", axis1, x.dim()), b = wrap_axis("rot90", axis2, x.dim());
  check<ValueError>(a != b, "rot90", "both axes are {}", a);
  switch (((times % 4) + 4) % 4) {
    case 1: return transpose(flip(x, {b}), a, b);
    case 2: return flip(x, {a, b});
    case 3: return transpose(flip(x, {a}), a, b);
    default: return x.clone();
  }
}

// ---- triangles and diagonals ------------------------------------------------------------------------------------------------------

namespace {
/// True where column - row <= diagonal.
Tensor lower_mask(const char* op, const Tensor& x, std::int64_t diagonal) {
  check_defined(op, x);
  check<ShapeError>(x.dim() >= 2, op, "needs two axes, got shape {}", x.shape());
  const auto rows = x.size(-2), columns = x.size(-1);
  diagonal = std::clamp(diagonal, -rows - 1, columns);  // far outside nothing changes any more
  return le(sub(unsqueeze(arange(columns, {.device = x.device()}), 0), unsqueeze(arange(rows, {.device = x.device()}), 1)), diagonal);
}
}  // namespace

Tensor tril(const Tensor& x, std::int64_t diagonal) {
  const OpRange here("tril", x);
  const Tensor lower = lower_mask("tril", x, diagonal);
  Tensor out = where(lower, x.detach(), false);
  return record("tril", std::move(out), grad(x, [diagonal](const Tensor& g) { return tril(g, diagonal); }));
}
Tensor triu(const Tensor& x, std::int64_t diagonal) {
  const OpRange here("triu", x);
  const Tensor below = lower_mask("triu", x, std::max(diagonal, std::numeric_limits<std::int64_t>::min() + 1) - 1);
  Tensor out = where(below, false, x.detach());
  return record("triu", std::move(out), grad(x, [diagonal](const Tensor& g) { return triu(g, diagonal); }));
}

Tensor diag_embed(const Tensor& x, std::int64_t offset) {
  const OpRange here("diag_embed", x);
  check_defined("diag_embed", x);
  check<ShapeError>(x.dim() > 0, "diag_embed", "a 0-dim tensor has no axis to lay on a diagonal");
  const auto n = checked_add("diag_embed", x.size(-1), offset < 0 ? -offset : offset);
  Shape shape = x.shape();
  shape[shape.rank() - 1] = n;
  shape.push_back(n);
  checked_numel("diag_embed", shape, impl(x).dtype);
  Tensor out = zeros(shape, {.dtype = x.dtype(), .device = x.device()});
  kernels(x).copy(view(x), view(diagonal(out, offset, -2, -1)));
  return record("diag_embed", std::move(out), grad(x, [offset](const Tensor& g) { return diagonal(g, offset, -2, -1); }));
}
Tensor diag(const Tensor& x, std::int64_t offset) {
  const OpRange here("diag", x);
  check_defined("diag", x);
  check<ShapeError>(x.dim() == 1 || x.dim() == 2, "diag", "needs rank 1 or 2, got shape {}", x.shape());
  return x.dim() == 1 ? diag_embed(x, offset) : diagonal(x, offset).clone(MemoryFormat::contiguous);
}

std::vector<Tensor> meshgrid(const std::vector<Tensor>& axes, GridIndexing indexing) {
  const OpRange here("meshgrid");
  if (indexing == GridIndexing::xy && axes.size() >= 2) {
    std::vector<Tensor> swapped = axes;
    std::swap(swapped[0], swapped[1]);
    std::vector<Tensor> out = meshgrid(swapped);
    std::swap(out[0], out[1]);
    return out;
  }
  Shape shape;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    check<ValueError>(axes[i].defined(), "meshgrid", "tensor {} of the list is undefined; pass a tensor with values", i);
    check<ShapeError>(axes[i].dim() <= 1, "meshgrid", "tensor {} has shape {}; every one must have one axis", i, axes[i].shape());
    shape.push_back(axes[i].numel());
  }
  std::vector<Tensor> out;
  for (int i = 0; i < shape.rank(); ++i) {
    Shape own(shape.rank(), 1);
    own[i] = shape[i];
    out.push_back(expand(axes[static_cast<std::size_t>(i)].reshape(own), shape));
  }
  return out;
}

Tensor cartesian_prod(const std::vector<Tensor>& tensors) {
  const OpRange here("cartesian_prod");
  check<ValueError>(!tensors.empty(), "cartesian_prod", "the list of tensors is empty; pass at least one");
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    check<ValueError>(tensors[i].defined(), "cartesian_prod", "tensor {} of the list is undefined; pass a tensor with values", i);
    check<ShapeError>(tensors[i].dim() == 1, "cartesian_prod", "tensor {} has shape {}; every one must have one axis", i, tensors[i].shape());
  }
  if (tensors.size() == 1) return tensors[0];
  std::vector<Tensor> columns = meshgrid(tensors);
  const auto count = columns[0].numel();
  for (Tensor& c : columns) c = c.reshape({count});
  return stack(columns, 1);
}

Tensor combinations(const Tensor& x, std::int64_t r, CombinationOptions o) {
  const OpRange here("combinations", x);
  constexpr const char* op = "combinations";
  check_defined(op, x);
  check<ShapeError>(x.dim() == 1, op, "{} must have one axis; use .flatten()", describe(x));
  check<ValueError>(r >= 0, op, "{} elements are to be chosen; the number must not be negative", r);
  const std::int64_t n = x.numel();
  if (r == 0) return zeros({0}, {.dtype = x.dtype(), .device = x.device()});
  std::int64_t count = 1;  // C(n, r), or C(n + r - 1, r) with replacement
  const std::int64_t from = o.with_replacement ? (n ? checked_add(op, n, r - 1) : 0) : n;
  if (r > from) count = 0;
  for (std::int64_t i = 0; i < std::min(r, from - r) && count > 0; ++i) count = checked_mul(op, count, from - i) / (i + 1);
  checked_numel(op, {count, r}, Dtype::int64);
  Tensor picks = make_tensor({count, r}, Dtype::int64, Device::cpu());
  std::int64_t* to = picks.data<std::int64_t>();
  for (std::int64_t row = 0; row < count; ++row, to += r) {
    if (row == 0) {
      for (std::int64_t k = 0; k < r; ++k) to[k] = o.with_replacement ? 0 : k;
      continue;
    }
    std::int64_t k = r - 1;  // the last place that can still go up
    while (to[k - r] == (o.with_replacement ? n - 1 : n - r + k)) --k;
    for (std::int64_t i = 0; i < k; ++i) to[i] = to[i - r];
    for (std::int64_t i = k, v = to[k - r] + 1; i < r; ++i, v += !o.with_replacement) to[i] = v;
  }
  return index_select(x, 0, picks.reshape({count * r}).to(x.device())).reshape({count, r});
}

Tensor block_diag(const std::vector<Tensor>& matrices) {
  const OpRange here("block_diag");
  check<ValueError>(!matrices.empty(), "block_diag", "the list of tensors is empty; pass at least one");
  std::int64_t columns = 0;
  std::vector<Tensor> blocks;
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    check<ValueError>(matrices[i].defined(), "block_diag", "tensor {} of the list is undefined; pass a tensor with values", i);
    check<ShapeError>(matrices[i].dim() <= 2, "block_diag", "tensor {} has shape {}; at most two axes are allowed", i, matrices[i].shape());
    Tensor b = matrices[i];
    while (b.dim() < 2) b = unsqueeze(b, 0);
    blocks.push_back(b);
    columns = checked_add("block_diag", columns, b.size(1));
  }
  std::vector<Tensor> rows;
  std::int64_t at = 0;
  for (const Tensor& b : blocks) {
    const Options o{.dtype = b.dtype(), .device = b.device()};
    rows.push_back(cat({zeros({b.size(0), at}, o), b, zeros({b.size(0), columns - at - b.size(1)}, o)}, 1));
    at += b.size(1);
  }
  return cat(rows, 0);
}

// ---- channels ---------------------------------------------------------------------------------------------------------------------

Tensor pixel_shuffle(const Tensor& x, std::int64_t r) {
  const OpRange here("pixel_shuffle", x);
  check_defined("pixel_shuffle", x);
  check<ShapeError>(x.dim() >= 3, "pixel_shuffle", "needs [..., C r^2, H, W], got shape {}", x.shape());
  check<ValueError>(r > 0 && r < (std::int64_t{1} << 31), "pixel_shuffle", "factor {} is not positive", r);
  const auto rank = x.dim(), c = x.size(-3), h = x.size(-2), w = x.size(-1);
  check<ShapeError>(c % (r * r) == 0, "pixel_shuffle", "{} channels of {} are not a multiple of {} = factor^2", c, x.shape(), r * r);
  Shape split = x.shape(), shape = x.shape();
  split[rank - 3] = c / (r * r);
  split.insert(static_cast<int>(rank) - 2, r), split.insert(static_cast<int>(rank) - 2, r);  // [C, r, r, H, W]
  shape[rank - 3] = c / (r * r), shape[rank - 2] = checked_mul("pixel_shuffle", h, r), shape[rank - 1] = checked_mul("pixel_shuffle", w, r);
  Dims order;
  for (std::int64_t a = 0; a < rank - 2; ++a) order.push_back(a);
  for (const auto a : {rank, rank - 2, rank + 1, rank - 1}) order.push_back(a);  // [C, H, r, W, r]
  return permute(x.reshape(split), order).reshape(shape);
}

Tensor pixel_unshuffle(const Tensor& x, std::int64_t r) {
  const OpRange here("pixel_unshuffle", x);
  check_defined("pixel_unshuffle", x);
  check<ShapeError>(x.dim() >= 3, "pixel_unshuffle", "needs [..., C, H r, W r], got shape {}", x.shape());
  check<ValueError>(r > 0, "pixel_unshuffle", "factor {} is not positive", r);
  const auto rank = x.dim(), c = x.size(-3), h = x.size(-2), w = x.size(-1);
  check<ShapeError>(h % r == 0 && w % r == 0, "pixel_unshuffle", "height {} and width {} of {} are not multiples of {}", h, w, x.shape(), r);
  Shape split = x.shape(), shape = x.shape();
  split[rank - 2] = h / r, split[rank - 1] = r;
  split.insert(static_cast<int>(rank) - 1, w / r), split.insert(static_cast<int>(rank) - 1, r);  // [C, H, r, W, r]
  shape[rank - 3] = checked_mul("pixel_unshuffle", c, checked_mul("pixel_unshuffle", r, r)), shape[rank - 2] = h / r, shape[rank - 1] = w / r;
  Dims order;
  for (std::int64_t a = 0; a < rank - 2; ++a) order.push_back(a);
  for (const auto a : {rank - 1, rank + 1, rank - 2, rank}) order.push_back(a);  // [C, r, r, H, W]
  return permute(x.reshape(split), order).reshape(shape);
}

Tensor channel_shuffle(const Tensor& x, std::int64_t groups) {
  const OpRange here("channel_shuffle", x);
  check_defined("channel_shuffle", x);
  check<ShapeError>(x.dim() >= 3, "channel_shuffle", "needs [N, C, ...], got shape {}", x.shape());
  check<ValueError>(groups > 0, "channel_shuffle", "{} groups are asked for; use at least 1", groups);
  const auto c = x.size(1);
  check<ShapeError>(c % groups == 0, "channel_shuffle", "{} channels of {} are not a multiple of {} groups", c, x.shape(), groups);
  Shape split = x.shape();
  split[1] = c / groups;
  split.insert(1, groups);
  return transpose(x.reshape(split), 1, 2).reshape(x.shape());
}

}  // namespace rill
