// Views. Each computes new strides over the same storage; gradients are views of the incoming gradient.
#include <rill/ops/view.h>

#include <algorithm>
#include <optional>

#include <rill/ops/create.h>
#include <rill/ops/index.h>

#include "autograd/binary.h"
#include "lib/core/checked.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

/// Enters a fresh view `out` of x into the tape. `formula` is only built when something records.
template <class Make> [[gnu::always_inline]] inline Tensor record_view(const char* op, const Tensor& x, Tensor out, Make make_formula) {
  const bool recorded = recording(x);  // may bring the history of a view of a changed base up to date
  impl(out).history = impl(impl(out).base).history;
  if (recorded) return record_known(op, std::move(out), grad(x, make_formula()));
  return out;
}
template <class Make> Tensor make_view(const char* op, const Tensor& x, const Shape& shape, const Strides& strides, std::int64_t offset, Make make_formula) {
  return record_view(op, x, make_view_of(x, shape, strides, offset), make_formula);
}

/// Strides for `shape` over the elements of x in row-major order, if there are any.
std::optional<Strides> view_strides(const TensorImpl& x, const Shape& shape) {
  if (x.contiguous || x.numel == 0) return row_major_strides(shape);
  Strides out(shape.rank(), 0);
  int at = shape.rank() - 1;
  // walk groups of old axes that are dense among themselves and lay new axes into each group
  std::int64_t old_numel = 1, new_numel = 1, step = x.strides[x.shape.rank() - 1];
  for (int i = x.shape.rank() - 1; i >= 0; --i) {
    old_numel *= x.shape[i];
    const bool ends = i == 0 || (x.shape[i - 1] != 1 && x.strides[i - 1] != old_numel * step);
    if (!ends) continue;
    while (at >= 0 && (new_numel < old_numel || shape[at] == 1)) {
      out[at] = new_numel * step;
      new_numel *= shape[at--];
    }
    if (new_numel != old_numel) return std::nullopt;
    if (i > 0) step = x.strides[i - 1], old_numel = new_numel = 1;
  }
  return at == -1 ? std::optional(out) : std::nullopt;
}

/// Every size is given and together they are the elements of x.
[[gnu::always_inline]] inline bool fits(const TensorImpl& x, const Shape& wanted) {
  const std::int64_t* sizes = wanted.data();
  std::int64_t numel = 1, any = 0;
  bool over = false;
  for (int i = 0, rank = wanted.rank(); i < rank; ++i) any |= sizes[i], over |= __builtin_mul_overflow(numel, sizes[i], &numel);
  return numel == x.numel && any >= 0 && !over;
}

/// Replaces a single -1.
[[gnu::noinline]] Shape resolve(std::string_view op, const TensorImpl& x, const Shape& wanted) {
  Shape shape = wanted;
  int free = -1;
  std::int64_t known = 1;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] == -1) {
      check<ShapeError>(free < 0, op, "shape {} has more than one -1", wanted);
      free = i;
      continue;
    }
    check<ShapeError>(shape[i] >= 0, op, "shape {} has the negative size {}", wanted, shape[i]);
    known = checked_mul(op, known, shape[i]);
  }
  if (free >= 0) {
    check<ShapeError>(known != 0, op, "-1 in shape {} is ambiguous: the other sizes multiply to 0; write the size out", wanted);
    check<ShapeError>(x.numel % known == 0, op, "{} elements of shape {} cannot fill shape {}: {} does not divide them", x.numel, x.shape, wanted, known);
    shape[free] = x.numel / known;
  } else {
    check<ShapeError>(known == x.numel, op, "{} elements of shape {} cannot fill shape {}, which has {}", x.numel, x.shape, wanted, known);
  }
  return shape;
}

auto reshape_gradient(const TensorImpl& x) {
  return [shape = x.shape](const Tensor& g) { return g.reshape(shape); };
}

}  // namespace

Tensor view(const Tensor& x, const Shape& wanted) {
  if (profiler::unreported()) [[unlikely]] return profiler::report("view", [&] { return view(x, wanted); }, x);
  check_defined("view", x);
  const auto& i = impl(x);
  Shape resolved;
  const Shape& shape = fits(i, wanted) ? wanted : (resolved = resolve("view", i, wanted));
  if (i.contiguous) [[likely]] return record_view("view", x, make_row_major_view_of(x, shape), [&] { return reshape_gradient(i); });
  const auto strides = view_strides(i, shape);
  check<ShapeError>(strides.has_value(), "view", "shape {} with strides {} cannot be seen as {} without copying; use reshape()", i.shape, i.strides, shape);
  return make_view("view", x, shape, *strides, 0, [&] { return reshape_gradient(i); });
}

Tensor reshape(const Tensor& x, const Shape& wanted) {
  const OpRange here("reshape", x);
  check_defined("reshape", x);
  const auto& i = impl(x);
  Shape resolved;
  const Shape& shape = fits(i, wanted) ? wanted : (resolved = resolve("reshape", i, wanted));
  if (i.contiguous) [[likely]] return record_view("reshape", x, make_row_major_view_of(x, shape), [&] { return reshape_gradient(i); });
  if (const auto strides = view_strides(i, shape)) return make_view("reshape", x, shape, *strides, 0, [&] { return reshape_gradient(i); });
  return view(x.clone(MemoryFormat::contiguous), shape);
}

Tensor flatten(const Tensor& x, std::int64_t start, std::int64_t end) {
  const OpRange here("flatten", x);
  check_defined("flatten", x);
  const auto& s = impl(x).shape;
  const auto a = wrap_axis("flatten", start, s.rank()), b = wrap_axis("flatten", end, s.rank());
  check<ShapeError>(a <= b, "flatten", "start axis {} lies behind end axis {}", start, end);
  if (s.rank() == 0) return reshape(x, {1});
  Shape shape;
  std::int64_t merged = 1;
  for (int i = 0; i < s.rank(); ++i) {
    if (i >= a && i <= b) merged *= s[i];
    else shape.push_back(s[i]);
    if (i == b) shape.push_back(merged);
  }
  return reshape(x, shape);
}

Tensor unflatten(const Tensor& x, std::int64_t axis, const Shape& sizes) {
  const OpRange here("unflatten", x);
  check_defined("unflatten", x);
  const auto& s = impl(x).shape;
  const auto a = wrap_axis("unflatten", axis, s.rank());
  check<ShapeError>(s.rank() > 0 && !sizes.empty(), "unflatten", "needs at least one axis and one size, got {} and {}", s, sizes);
  std::int64_t known = 1;
  int free = 0;
  for (const auto v : sizes) v == -1 ? void(++free) : void(known = checked_mul("unflatten", known, v));
  check<ShapeError>(free <= 1 && (free == 1 ? known > 0 && s[a] % known == 0 : known == s[a]), "unflatten", "sizes {} do not multiply to size {} of axis {}", sizes, s[a], axis);
  Shape shape;
  for (int i = 0; i < s.rank(); ++i) {
    if (i != a) shape.push_back(s[i]);
    else
      for (const auto v : sizes) shape.push_back(v == -1 ? s[a] / known : v);
  }
  return view(x, shape);
}

Tensor expand(const Tensor& x, const Shape& wanted) {
  const OpRange here("expand", x);
  check_defined("expand", x);
  const auto& i = impl(x);
  const int extra = wanted.rank() - i.shape.rank();
  check<ShapeError>(extra >= 0, "expand", "{} has more axes than shape {}", i.shape, wanted);
  Shape shape = wanted;
  Strides strides(wanted.rank(), 0);
  for (int a = 0; a < wanted.rank(); ++a) {
    const std::int64_t own = a < extra ? 1 : i.shape[a - extra];
    if (shape[a] == -1) {
      check<ShapeError>(a >= extra, "expand", "-1 at axis {} of {} has no size to keep: the axis is new", a, wanted);
      shape[a] = own;
    }
    check<ShapeError>(shape[a] == own || (own == 1 && shape[a] >= 0), "expand", "size {} at axis {} of {} cannot become {}; only size 1 expands", own, a - extra, i.shape, shape[a]);
    if (a >= extra && shape[a] == own) strides[a] = i.strides[a - extra];
  }
  checked_numel("expand", shape, i.dtype);
  return make_view("expand", x, shape, strides, 0, [&] { return [s = i.shape, d = i.dtype](const Tensor& g) { return sum_to(g, s, d); }; });
}

std::vector<Tensor> broadcast_tensors(const std::vector<Tensor>& tensors) {
  const OpRange here("broadcast_tensors");
  Shape shape;
  for (const auto& t : tensors) check_defined("broadcast_tensors", t), shape = broadcast_shapes(shape, impl(t).shape, "broadcast_tensors");
  std::vector<Tensor> out;
  for (const auto& t : tensors) out.push_back(expand(t, shape));
  return out;
}

Tensor transpose(const Tensor& x, std::int64_t a, std::int64_t b) {
  const OpRange here("transpose", x);
  check_defined("transpose", x);
  const auto& i = impl(x);
  const auto p = wrap_axis("transpose", a, i.shape.rank()), q = wrap_axis("transpose", b, i.shape.rank());
  Shape shape = i.shape;
  Strides strides = i.strides;
  if (shape.rank() > 0) std::swap(shape[p], shape[q]), std::swap(strides[p], strides[q]);
  return make_view("transpose", x, shape, strides, 0, [&] { return [p, q](const Tensor& g) { return transpose(g, p, q); }; });
}

Tensor permute(const Tensor& x, const Dims& axes) {
  const OpRange here("permute", x);
  check_defined("permute", x);
  const auto& i = impl(x);
  check<ShapeError>(axes.rank() == i.shape.rank(), "permute", "{} axes are listed in {} for a tensor of rank {}", axes.rank(), axes, i.shape.rank());
  Shape shape = i.shape;
  Strides strides = i.strides;
  Dims inverse(axes.rank(), -1);
  for (int k = 0; k < axes.rank(); ++k) {
    const auto a = wrap_axis("permute", axes[k], axes.rank());
    check<ValueError>(inverse[a] < 0, "permute", "axis {} is listed twice in {}", axes[k], axes);
    inverse[a] = k;
    shape[k] = i.shape[a];
    strides[k] = i.strides[a];
  }
  return make_view("permute", x, shape, strides, 0, [&] { return [inverse](const Tensor& g) { return permute(g, inverse); }; });
}

Tensor movedim(const Tensor& x, const Dims& from, const Dims& to) {
  const OpRange here("movedim", x);
  check_defined("movedim", x);
  const auto rank = x.dim();
  check<ShapeError>(from.rank() == to.rank(), "movedim", "{} source axes and {} target axes are listed", from.rank(), to.rank());
  Dims order(rank, -1);
  std::vector<bool> used(static_cast<std::size_t>(rank));
  for (int k = 0; k < from.rank(); ++k) {
    const auto f = wrap_axis("movedim", from[k], rank), t = wrap_axis("movedim", to[k], rank);
    check<ValueError>(order[t] < 0 && !used[static_cast<std::size_t>(f)], "movedim", "an axis is listed twice in {} -> {}", from, to);
    order[t] = f;
    used[static_cast<std::size_t>(f)] = true;
  }
  std::int64_t next = 0;
  for (auto& o : order) {
    if (o >= 0) continue;
    while (used[static_cast<std::size_t>(next)]) ++next;
    o = next++;
  }
  return permute(x, order);
}

namespace {
Tensor squeeze_if(const Tensor& x, const std::vector<bool>& drop) {
  const auto& i = impl(x);
  Shape shape;
  Strides strides;
  for (int a = 0; a < i.shape.rank(); ++a)
    if (i.shape[a] != 1 || !drop[static_cast<std::size_t>(a)]) shape.push_back(i.shape[a]), strides.push_back(i.strides[a]);
  return make_view("squeeze", x, shape, strides, 0, [&] { return reshape_gradient(i); });
}
}  // namespace
Tensor squeeze(const Tensor& x) {
  const OpRange here("squeeze", x);
  check_defined("squeeze", x);
  return squeeze_if(x, std::vector<bool>(impl(x).shape.size(), true));
}
Tensor squeeze(const Tensor& x, const Dims& axes) {
  const OpRange here("squeeze", x);
  check_defined("squeeze", x);
  std::vector<bool> drop(std::max<std::size_t>(impl(x).shape.size(), 1));
  for (const auto a : axes) {
    const auto k = static_cast<std::size_t>(wrap_axis("squeeze", a, x.dim()));
    check<ValueError>(!drop[k], "squeeze", "axis {} is listed twice in {}", a, axes);
    drop[k] = true;
  }
  return squeeze_if(x, drop);
}

Tensor unsqueeze(const Tensor& x, std::int64_t axis) {
  const OpRange here("unsqueeze", x);
  check_defined("unsqueeze", x);
  const auto& i = impl(x);
  const auto a = static_cast<int>(wrap_axis("unsqueeze", axis, i.shape.rank() + 1));
  Shape shape = i.shape;
  Strides strides = i.strides;
  strides.insert(a, a < i.shape.rank() ? shape[a] * strides[a] : 1);
  shape.insert(a, 1);
  return make_view("unsqueeze", x, shape, strides, 0, [&] { return reshape_gradient(i); });
}

namespace {
/// A tensor of the given shape that holds g at one place and 0 elsewhere; differentiable in g.
Tensor embed(const Tensor& g, const Shape& shape, std::int64_t axis, std::int64_t start, std::int64_t step) {
  Tensor r = zeros(shape, {.dtype = impl(g).dtype, .device = impl(g).device});
  const std::int64_t n = impl(g).shape[axis];
  slice(r, axis, Slice(start, n > 0 ? start + (n - 1) * step + 1 : start, step)).copy_(g);  // an empty g is on the tape, too
  return r;
}
}  // namespace

Tensor select(const Tensor& x, std::int64_t axis, std::int64_t index) {
  if (profiler::unreported()) [[unlikely]] return profiler::report("select", [&] { return select(x, axis, index); }, x);
  check_defined("select", x);
  const auto& i = impl(x);
  check<IndexError>(i.shape.rank() > 0, "select", "a 0-dim tensor has no axis to select from");
  const auto a = static_cast<int>(wrap_axis("select", axis, i.shape.rank()));
  const auto size = i.shape[a];
  check<IndexError>(index >= -size && index < size, "select", "index {} is outside axis {} of size {}", index, a, size);
  const auto at = index < 0 ? index + size : index;
  Shape shape = i.shape;
  Strides strides = i.strides;
  shape.erase(a);
  strides.erase(a);
  return make_view("select", x, shape, strides, at * i.strides[a], [&] {
    return [a, at, s = i.shape](const Tensor& g) { return embed(g.unsqueeze(a), s, a, at, 1); };
  });
}

Tensor slice(const Tensor& x, std::int64_t axis, const Slice& range) {
  const OpRange here("slice", x);
  check_defined("slice", x);
  const auto& i = impl(x);
  check<IndexError>(i.shape.rank() > 0, "slice", "a 0-dim tensor has no axis to slice");
  const auto a = static_cast<int>(wrap_axis("slice", axis, i.shape.rank()));
  check<ValueError>(range.step > 0, "slice", "step {} is not positive; use flip() for a reversed order", range.step);
  const auto size = i.shape[a];
  auto clip = [&](std::int64_t v) { return std::clamp<std::int64_t>(v < 0 ? v + size : v, 0, size); };
  const auto start = clip(range.start.value_or(0)), stop = clip(range.stop.value_or(size));
  Shape shape = i.shape;
  Strides strides = i.strides;
  shape[a] = stop > start ? (stop - start - 1) / range.step + 1 : 0;
  if (shape[a] > 1) strides[a] *= range.step;
  return make_view("slice", x, shape, strides, shape[a] > 0 ? start * i.strides[a] : 0, [&] {
    return [a, start, step = range.step, s = i.shape](const Tensor& g) { return embed(g, s, a, start, step); };
  });
}

Tensor narrow(const Tensor& x, std::int64_t axis, std::int64_t start, std::int64_t length) {
  const OpRange here("narrow", x);
  check_defined("narrow", x);
  const auto& s = impl(x).shape;
  check<IndexError>(s.rank() > 0, "narrow", "a 0-dim tensor has no axis to narrow");
  const auto a = wrap_axis("narrow", axis, s.rank());
  const auto begin = start < 0 ? start + s[a] : start;
  check<IndexError>(length >= 0 && begin >= 0 && begin <= s[a] && length <= s[a] - begin, "narrow", "start {} and length {} leave axis {} of size {}", start, length, a, s[a]);
  return slice(x, a, Slice(begin, begin + length));
}

Tensor diagonal(const Tensor& x, std::int64_t offset, std::int64_t axis1, std::int64_t axis2) {
  const OpRange here("diagonal", x);
  check_defined("diagonal", x);
  const auto& i = impl(x);
  check<ShapeError>(i.shape.rank() >= 2, "diagonal", "needs two axes, got shape {}", i.shape);
  const auto p = static_cast<int>(wrap_axis("diagonal", axis1, i.shape.rank())), q = static_cast<int>(wrap_axis("diagonal", axis2, i.shape.rank()));
  check<ValueError>(p != q, "diagonal", "both axes are {}", p);
  const auto rows = i.shape[p], columns = i.shape[q];
  const auto length = std::max<std::int64_t>(0, offset >= 0 ? std::min(rows, columns - std::min(offset, columns)) : std::min(rows - std::min(-offset, rows), columns));
  const auto start = length == 0 ? 0 : offset >= 0 ? offset * i.strides[q] : -offset * i.strides[p];
  Shape shape = i.shape;
  Strides strides = i.strides;
  const auto step = strides[p] + strides[q];
  shape.erase(std::max(p, q)), shape.erase(std::min(p, q));
  strides.erase(std::max(p, q)), strides.erase(std::min(p, q));
  shape.push_back(length);
  strides.push_back(step);
  return make_view("diagonal", x, shape, strides, start, [&] {
    return [=, s = i.shape](const Tensor& g) {
      Tensor r = zeros(s, {.dtype = impl(g).dtype, .device = impl(g).device});
      diagonal(r, offset, p, q).copy_(g);
      return r;
    };
  });
}

namespace {
/// The positions of a geometry in its storage, for gradients that must add up where windows overlap.
Tensor add_at_positions(const Tensor& g, std::int64_t span, const Shape& shape, const Strides& strides, std::int64_t offset) {
  const Tensor positions = as_strided(arange(span, {.device = impl(g).device}), shape, strides, offset).reshape({-1});
  return index_add(zeros({span}, {.dtype = impl(g).dtype, .device = impl(g).device}), 0, positions, g.reshape({-1}));
}
}  // namespace

Tensor unfold(const Tensor& x, std::int64_t axis, std::int64_t size, std::int64_t step) {
  const OpRange here("unfold", x);
  check_defined("unfold", x);
  const auto& i = impl(x);
  const auto a = static_cast<int>(wrap_axis("unfold", axis, i.shape.rank()));
  const auto have = i.shape.rank() ? i.shape[a] : 1;
  check<ValueError>(step > 0, "unfold", "step {} is not positive", step);
  check<ShapeError>(size >= 0 && size <= have, "unfold", "windows of {} do not fit into axis {} of size {}", size, a, have);
  Shape shape = i.shape;
  Strides strides = i.strides;
  const auto stride = i.shape.rank() ? i.strides[a] : 1;
  if (i.shape.rank()) shape[a] = (have - size) / step + 1, strides[a] = stride * step;
  shape.push_back(size);
  strides.push_back(stride);
  checked_numel("unfold", shape, i.dtype);
  return make_view("unfold", x, shape, strides, 0, [&] {
    return [=, s = i.shape](const Tensor& g) {
      const Strides dense = row_major_strides(s);
      Strides window = dense;
      const auto base = s.rank() ? dense[a] : 1;
      if (s.rank()) window[a] = base * step;
      window.push_back(base);
      std::int64_t numel = 1;
      for (const auto v : s) numel *= v;
      return add_at_positions(g, numel, impl(g).shape, window, 0).reshape(s);
    };
  });
}

Tensor as_strided(const Tensor& x, const Shape& shape, const Strides& strides, std::int64_t offset) {
  const OpRange here("as_strided", x);
  check_defined("as_strided", x);
  const auto& i = impl(x);
  check<ShapeError>(shape.rank() == strides.rank(), "as_strided", "shape {} and strides {} differ in rank", shape, strides);
  const auto numel = checked_numel("as_strided", shape, i.dtype);
  std::int64_t last = offset;
  for (int a = 0; a < shape.rank(); ++a) {
    check<ValueError>(strides[a] >= 0, "as_strided", "stride {} at axis {} is negative", strides[a], a);
    if (numel > 0) last = checked_add("as_strided", last, checked_mul("as_strided", shape[a] - 1, strides[a]));
  }
  const auto element = static_cast<std::int64_t>(size_of(i.dtype)), first = (i.data - i.storage->data) / element, held = static_cast<std::int64_t>(i.storage->bytes) / element;
  check<IndexError>(numel == 0 || (first + offset >= 0 && first + last < held), "as_strided",
                    "shape {}, strides {} and offset {} reach element {}, the storage holds {}", shape, strides, offset, first + last, held);
  return make_view("as_strided", x, shape, strides, numel ? offset : 0, [&] {
    // the gradient of x, in the layout of x: what each position received
    return [=, s = i.shape, own = i.strides](const Tensor& g) {
      std::int64_t low = std::min<std::int64_t>(offset, 0), span = std::max<std::int64_t>(last, 0) + 1;
      std::int64_t end = 1;
      for (int a = 0; a < s.rank(); ++a) end += (s[a] - 1) * own[a];
      span = std::max(span, end) - low;
      const Tensor flat = add_at_positions(g, span, shape, strides, offset - low);
      return as_strided(flat, s, own, -low);
    };
  });
}

// ---- members ----------------------------------------------------------------------------------------------------------------

Tensor Tensor::view(const Shape& s) const { return rill::view(*this, s); }
Tensor Tensor::reshape(const Shape& s) const { return rill::reshape(*this, s); }
Tensor Tensor::flatten(std::int64_t a, std::int64_t b) const { return rill::flatten(*this, a, b); }
Tensor Tensor::transpose(std::int64_t a, std::int64_t b) const { return rill::transpose(*this, a, b); }
Tensor Tensor::permute(const Dims& axes) const { return rill::permute(*this, axes); }
Tensor Tensor::t() const {
  check_defined("t", *this);
  check<ShapeError>(dim() <= 2, "t", "{} has more than 2 axes; use mT() or permute()", shape());
  return dim() < 2 ? *this : rill::transpose(*this, 0, 1);
}
Tensor Tensor::mT() const {
  check_defined("mT", *this);
  check<ShapeError>(dim() >= 2, "mT", "{} has fewer than 2 axes", shape());
  return rill::transpose(*this, -2, -1);
}
Tensor Tensor::squeeze() const { return rill::squeeze(*this); }
Tensor Tensor::squeeze(std::int64_t axis) const { return rill::squeeze(*this, Dims{axis}); }
Tensor Tensor::unsqueeze(std::int64_t axis) const { return rill::unsqueeze(*this, axis); }
Tensor Tensor::expand(const Shape& s) const { return rill::expand(*this, s); }
Tensor Tensor::select(std::int64_t axis, std::int64_t i) const { return rill::select(*this, axis, i); }
Tensor Tensor::narrow(std::int64_t axis, std::int64_t start, std::int64_t length) const { return rill::narrow(*this, axis, start, length); }
Tensor Tensor::operator[](std::int64_t i) const { return rill::select(*this, 0, i); }

}  // namespace rill
