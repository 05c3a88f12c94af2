#include "autograd/rows.h"

#include <rill/ops/create.h>
#include <rill/ops/view.h>

#include "autograd/binary.h"

namespace rill {

Tensor index_values(const char* op, const Tensor& index) {
  check_defined(op, index, "the index");
  const Dtype d = impl(index).dtype;
  check<DtypeError>(d == Dtype::int64 || d == Dtype::int32, op, "the index is {}, expected int64 or int32; convert with .to(rill::int64)", d);
  return index.detach().to(Dtype::int64);
}

std::int64_t Places::merged_size() const {
  std::int64_t n = 1;
  for (int a = first; a < first + axes; ++a) n *= shape[a];
  return n;
}
Shape Places::selected_shape() const {
  Shape s;
  for (int a = 0; a < first; ++a) s.push_back(shape[a]);
  for (const auto n : picks) s.push_back(n);
  for (int a = first + axes; a < shape.rank(); ++a) s.push_back(shape[a]);
  return s;
}

namespace {

[[noreturn]] void throw_bad(const char* op, const BadIndex& bad, const Shape& picks, const AxisIndex& which, bool wrap) {
  Dims at = picks;
  std::int64_t rest = bad.position;
  for (int a = picks.rank() - 1; a >= 0; --a) at[a] = rest % picks[a], rest /= picks[a];
  fail<IndexError>(op, "index {} at {} is outside axis {} of size {}; valid are {} to {}", bad.value, at, which.axis, which.size, wrap ? -which.size : 0, which.size - 1);
}

Places resolve(const char* op, const Tensor& x, Places p, std::span<const AxisIndex> indices, std::span<const std::int64_t> scales, const Dims* grid, bool wrap) {
  const auto count = checked_numel(op, p.picks, Dtype::int64);
  p.at = make_tensor(p.picks, Dtype::int64, impl(x).device);
  std::vector<View> views;
  std::vector<std::int64_t> sizes;
  for (const auto& i : indices) views.push_back(view(i.index)), sizes.push_back(i.size);
  const BadIndex bad = kernels(x).positions(views, sizes.data(), scales.data(), grid ? grid->data() : nullptr, wrap, view(p.at));
  if (bad.which >= 0) throw_bad(op, bad, p.picks, indices[static_cast<std::size_t>(bad.which)], wrap);
  p.at = make_alias(p.at, {count}, {1}, 0);
  return p;
}

/// Axes first..first+axes of x as one axis of an untaped view, or of a copy where the strides do not allow it (`copied`).
Tensor merged(const Tensor& x, int first, int axes, bool* copied = nullptr) {
  const auto& i = impl(x);
  Shape shape;
  Strides strides;
  bool dense = true;
  std::int64_t size = 1, stride = 1;
  for (int a = first + axes - 1; a >= first; --a) {
    if (i.shape[a] == 1) continue;
    if (size == 1) stride = i.strides[a];
    else dense &= i.strides[a] == stride * size;
    size *= i.shape[a];
  }
  if (!dense && i.numel > 0) {
    if (copied) *copied = true;
    Tensor dense_copy = make_tensor(i.shape, i.dtype, i.device);
    kernels(x).copy(view(x), view(dense_copy));
    return merged(dense_copy, first, axes);
  }
  for (int a = 0; a < first; ++a) shape.push_back(i.shape[a]), strides.push_back(i.strides[a]);
  shape.push_back(size), strides.push_back(stride);
  for (int a = first + axes; a < i.shape.rank(); ++a) shape.push_back(i.shape[a]), strides.push_back(i.strides[a]);
  return make_alias(x, shape, strides, 0);
}

bool is_half(Dtype d) { return d == Dtype::float16 || d == Dtype::bfloat16; }

/// 1 for the row that stays where several are set at one place, 0 for the others; undefined when there are no such places.
Tensor winners(const Places& p, Dtype dtype) {
  const auto n = p.at.numel();
  const Tensor order = arange(n, {.device = impl(p.at).device}), owner = make_tensor({p.merged_size()}, Dtype::int64, impl(p.at).device), stays = make_tensor({n}, Dtype::int64, impl(p.at).device);
  const Kernels& k = kernels(p.at);
  k.put(view(owner), 0, view(p.at), view(order), Combine::set);
  k.take(view(owner), 0, view(p.at), view(stays));
  const Tensor won = eq(stays, order);
  if (k.count_true(view(won)) == n) return {};
  Shape shape = p.picks;
  for (int a = p.first + p.axes; a < p.shape.rank(); ++a) shape.push_back(1);
  return won.to(dtype).reshape(shape);
}

}  // namespace

Places places(const char* op, const Tensor& x, int first, std::span<const AxisIndex> indices, bool wrap) {
  Places p;
  p.shape = impl(x).shape;
  p.first = first;
  p.axes = static_cast<int>(indices.size());
  for (const auto& i : indices) p.picks = broadcast_shapes(p.picks, impl(i.index).shape, op);
  std::vector<std::int64_t> scales(indices.size(), 1);
  for (std::size_t i = indices.size(); i-- > 1;) scales[i - 1] = scales[i] * indices[i].size;
  return resolve(op, x, std::move(p), indices, scales, nullptr, wrap);
}

Places places_along(const char* op, const Tensor& x, std::int64_t axis, const Tensor& index) {
  Places p;
  p.shape = impl(x).shape;
  p.axes = p.shape.rank();
  p.picks = impl(index).shape;
  Dims grid = row_major_strides(p.shape);
  const std::int64_t scale = grid.rank() ? grid[axis] : 1;
  if (grid.rank()) grid[axis] = 0;
  const AxisIndex which{index, axis, p.shape.rank() ? p.shape[axis] : 1};
  return resolve(op, x, std::move(p), {&which, 1}, {&scale, 1}, &grid, false);
}

Tensor take_rows(const char* op, const Tensor& x, const Places& p) {
  const Shape shape = p.selected_shape();
  checked_numel(op, shape, impl(x).dtype);
  Tensor out = make_tensor(shape, impl(x).dtype, impl(x).device);
  if (impl(out).numel) kernels(x).take(view(merged(x, p.first, p.axes)), p.first, view(p.at), view(merged(out, p.first, p.picks.rank())));
  return record(op, std::move(out), grad(x, [op, p](const Tensor& g) { return spread_rows(op, g, p); }));
}

Tensor spread_rows(const char* op, const Tensor& g, const Places& p) {
  Tensor out = zeros(p.shape, {.dtype = impl(g).dtype, .device = impl(g).device});
  write_rows(out, p, g, Combine::add);
  return record(op, std::move(out), grad(g, [op, p](const Tensor& gg) { return take_rows(op, gg, p); }));
}

void write_rows(const Tensor& x, const Places& p, const Tensor& source, Combine combine) {
  const auto& i = impl(x);
  if (impl(source).numel == 0) return;
  if (combine != Combine::set && is_half(i.dtype)) {  // collected in float32, rounded once
    const Tensor wide = x.detach().to(Dtype::float32);
    write_rows(wide, p, source.detach().to(Dtype::float32), combine);
    return kernels(x).copy(view(wide), view(x));
  }
  Tensor from = source.detach().to(i.dtype);
  if (from.shares_storage(x)) from = from.clone();
  const TensorImpl& f = impl(from);
  if (combine != Combine::set && f.shape.rank() > 0 && f.shape.back() > 1 && f.strides.back() == 0) from = from.contiguous();  // an expanded gradient: kernels combine whole rows
  bool copied = false;
  const Tensor target = merged(x, p.first, p.axes, &copied);
  kernels(x).put(view(target), p.first, view(p.at), view(merged(from, p.first, p.picks.rank())), combine);
  if (copied) kernels(x).copy(view(make_alias(target, i.shape, row_major_strides(i.shape), 0)), view(x));
}

Tensor put_rows(const char* op, const Tensor& x, const Places& p, const Tensor& source, bool accumulate) {
  Tensor out = x.detach().clone();
  write_rows(out, p, source, accumulate ? Combine::add : Combine::set);
  if (accumulate) return record(op, std::move(out), grad(x, [](const Tensor& g) { return g; }), grad(source, [op, p](const Tensor& g) { return take_rows(op, g, p); }));
  return record(op, std::move(out), grad(x, [op, p](const Tensor& g) {
                  const Tensor zero = constant(0, impl(g).dtype, impl(g).device);
                  return put_rows(op, g, p, make_alias(zero, p.selected_shape(), Strides(p.selected_shape().rank(), 0), 0), false);
                }),
                grad(source, [op, p](const Tensor& g) {
                  const Tensor rows = take_rows(op, g, p), won = winners(p, impl(g).dtype);
                  return won.defined() ? rows * won : rows;
                }));
}

}  // namespace rill
