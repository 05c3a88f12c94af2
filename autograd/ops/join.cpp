// Joining and splitting.
#include <rill/ops/create.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include <algorithm>
#include <optional>

#include "autograd/record.h"
#include "autograd/window.h"
#include "backends/api/backend.h"
#include "lib/core/checked.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

void check_list(const char* op, const std::vector<Tensor>& tensors) {
  check<ValueError>(!tensors.empty(), op, "the list of tensors is empty; pass at least one");
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    check<ValueError>(tensors[i].defined(), op, "tensor {} of the list is undefined; pass a tensor with values", i);
    check_same_device(op, tensors[0], tensors[i]);
  }
}
bool is_skipped(const Tensor& t) { return impl(t).shape.rank() == 1 && impl(t).shape[0] == 0; }

/// Lays the parts side by side along an axis of out; part k has size[k] there (for stack: 1).
void lay(const Tensor& out, std::int64_t axis, const std::vector<Tensor>& parts, bool new_axis) {
  const auto& o = impl(out);
  const Kernels& k = kernels(out);
  const auto element = static_cast<std::int64_t>(size_of(o.dtype));
  std::int64_t inner = 1, outer = 1, at = 0;
  for (int a = 0; a < o.shape.rank(); ++a) (a < axis ? outer : inner) *= a == axis ? 1 : o.shape[a];
  for (const Tensor& part : parts) {
    const auto& p = impl(part);
    if (!new_axis && is_skipped(part) && o.shape.rank() != 1) continue;
    const std::int64_t size = new_axis ? 1 : p.shape[axis];
    if (p.numel == 0) { at += size; continue; }
    if (p.contiguous && p.dtype == o.dtype) {
      k.copy_rows(p.data, size * inner * element, o.data + at * inner * element, o.shape[axis] * inner * element, outer, size * inner * element);
    } else {
      Shape shape = o.shape;
      Strides strides = o.strides;
      if (new_axis) shape.erase(static_cast<int>(axis)), strides.erase(static_cast<int>(axis));
      else shape[axis] = size;
      k.copy(view(part), view(make_alias(out, shape, strides, at * o.strides[axis])));
    }
    at += size;
  }
}

/// All of them are channels-last, and one is nothing else.
bool are_channels_last(const std::vector<Tensor>& tensors) {
  bool any = false;
  for (const Tensor& t : tensors) {
    if (t.dim() < 3 || t.dim() > 5 || !t.is_contiguous(MemoryFormat::channels_last)) return false;
    any = any || !impl(t).contiguous;
  }
  return any;
}
/// The same memory of a channels-last tensor with its axes in memory's order: N, spatial.., C.
Tensor channels_moved_last(const Tensor& t) {
  Shape shape = t.shape();
  Strides strides = t.strides();
  shape.erase(1), strides.erase(1);
  shape.push_back(t.shape()[1]), strides.push_back(t.strides()[1]);
  return make_alias(t, shape, strides, 0);
}

Dtype common_dtype(const std::vector<Tensor>& tensors) {
  Dtype d = impl(tensors[0]).dtype;
  for (const Tensor& t : tensors) d = promote(d, impl(t).dtype);
  return d;
}

}  // namespace

Tensor cat(const std::vector<Tensor>& tensors, std::int64_t axis) {
  const OpRange here("cat");
  check_list("cat", tensors);
  const Tensor* first = nullptr;  // decides the shape
  for (const Tensor& t : tensors) {
    check<ShapeError>(impl(t).shape.rank() > 0, "cat", "a 0-dim tensor has no axis to join along; use stack()");
    if (!first && !is_skipped(t)) first = &t;
  }
  if (!first) first = &tensors[0];
  Shape shape = impl(*first).shape;
  const auto a = wrap_axis("cat", axis, shape.rank());
  shape[a] = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (is_skipped(tensors[i])) continue;
    const Shape& s = impl(tensors[i]).shape;
    check<ShapeError>(s.rank() == shape.rank(), "cat", "tensor {} has shape {}, tensor 0 {}; ranks must match", i, s, impl(*first).shape);
    for (int k = 0; k < s.rank(); ++k)
      check<ShapeError>(k == a || s[k] == shape[k], "cat", "tensor {} has shape {}, which differs from {} on axis {}; only axis {} may differ", i, s, impl(*first).shape, k, a);
    shape[a] = checked_add("cat", shape[a], s[a]);
  }
  const Dtype dtype = common_dtype(tensors);
  checked_numel("cat", shape, dtype);
  const bool last = are_channels_last(tensors);
  Tensor out = make_dense(shape, last, dtype, impl(*first).device);
  if (last) {
    std::vector<Tensor> parts;
    for (const Tensor& t : tensors) parts.push_back(channels_moved_last(t));
    lay(channels_moved_last(out), a == 0 ? 0 : a == 1 ? shape.rank() - 1 : a - 1, parts, false);
  } else {
    lay(out, a, tensors, false);
  }

  std::vector<std::int64_t> sizes;
  std::vector<Dtype> dtypes;
  for (const Tensor& t : tensors) sizes.push_back(is_skipped(t) && shape.rank() != 1 ? -1 : impl(t).shape[a]), dtypes.push_back(impl(t).dtype);
  record_many("cat", tensors, {&out, 1}, [a, sizes, dtypes](std::span<Tensor> g, GradSink& sink) {
    std::vector<Tensor> parts(sizes.size());
    std::int64_t at = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      if (sink.wants(i)) parts[i] = (sizes[i] < 0 ? zeros({0}, {.dtype = dtypes[i], .device = g[0].device()}) : narrow(g[0], a, at, sizes[i])).to(dtypes[i]);
      at += std::max<std::int64_t>(sizes[i], 0);
    }
    return parts;
  });
  return out;
}

Tensor stack(const std::vector<Tensor>& tensors, std::int64_t axis) {
  const OpRange here("stack");
  check_list("stack", tensors);
  Shape shape = impl(tensors[0]).shape;
  for (std::size_t i = 1; i < tensors.size(); ++i)
    check<ShapeError>(impl(tensors[i]).shape == shape, "stack", "tensor {} has shape {}, tensor 0 {}; all shapes must match", i, impl(tensors[i]).shape, shape);
  const auto a = wrap_axis("stack", axis, shape.rank() + 1);
  shape.insert(static_cast<int>(a), static_cast<std::int64_t>(tensors.size()));
  const Dtype dtype = common_dtype(tensors);
  checked_numel("stack", shape, dtype);
  Tensor out = make_tensor(shape, dtype, impl(tensors[0]).device);
  lay(out, a, tensors, true);

  std::vector<Dtype> dtypes;
  for (const Tensor& t : tensors) dtypes.push_back(impl(t).dtype);
  record_many("stack", tensors, {&out, 1}, [a, dtypes](std::span<Tensor> g, GradSink& sink) {
    std::vector<Tensor> parts(dtypes.size());
    for (std::size_t i = 0; i < dtypes.size(); ++i)
      if (sink.wants(i)) parts[i] = select(g[0], a, static_cast<std::int64_t>(i)).to(dtypes[i]);
    return parts;
  });
  return out;
}

namespace {
std::vector<Tensor> at_least(const char* op, const std::vector<Tensor>& tensors, int rank) {
  check_list(op, tensors);
  std::vector<Tensor> out;
  for (const Tensor& t : tensors) {
    Tensor r = t;
    if (r.dim() == 0) r = r.reshape({1});
    if (rank >= 2 && r.dim() == 1) r = unsqueeze(r, 0);
    if (rank >= 3 && r.dim() == 2) r = unsqueeze(r, 2);
    out.push_back(r);
  }
  return out;
}
}  // namespace

Tensor hstack(const std::vector<Tensor>& tensors) {
  const OpRange here("hstack");
  const auto all = at_least("hstack", tensors, 1);
  return cat(all, all[0].dim() == 1 ? 0 : 1);
}
Tensor vstack(const std::vector<Tensor>& tensors) {
  const OpRange here("vstack");
  return cat(at_least("vstack", tensors, 2), 0);
}
Tensor dstack(const std::vector<Tensor>& tensors) {
  const OpRange here("dstack");
  return cat(at_least("dstack", tensors, 3), 2);
}
Tensor column_stack(const std::vector<Tensor>& tensors) {
  const OpRange here("column_stack");
  check_list("column_stack", tensors);
  std::vector<Tensor> columns;
  for (const Tensor& t : tensors) columns.push_back(t.dim() < 2 ? t.reshape({t.numel(), 1}) : t);
  return cat(columns, 1);
}
std::vector<Tensor> atleast_1d(const std::vector<Tensor>& tensors) {
  const OpRange here("atleast_1d");
  return tensors.empty() ? tensors : at_least("atleast_1d", tensors, 1);
}
std::vector<Tensor> atleast_2d(const std::vector<Tensor>& tensors) {
  const OpRange here("atleast_2d");
  return tensors.empty() ? tensors : at_least("atleast_2d", tensors, 2);
}
std::vector<Tensor> atleast_3d(const std::vector<Tensor>& tensors) {
  const OpRange here("atleast_3d");
  return tensors.empty() ? tensors : at_least("atleast_3d", tensors, 3);
}

// ---- splitting ------------------------------------------------------------------------------------------------------------------

namespace {
std::int64_t split_axis(const char* op, const Tensor& x, std::int64_t axis) {
  check_defined(op, x);
  check<ShapeError>(x.dim() > 0, op, "a 0-dim tensor has no axis to split");
  return wrap_axis(op, axis, x.dim());
}
}  // namespace

std::vector<Tensor> split_with_sizes(const Tensor& x, const Dims& sizes, std::int64_t axis) {
  const OpRange here("split_with_sizes", x);
  constexpr const char* op = "split_with_sizes";
  const auto a = split_axis(op, x, axis);
  std::int64_t total = 0;
  for (const auto s : sizes) {
    check<ValueError>(s >= 0, op, "size {} in {} is negative", s, sizes);
    total = checked_add(op, total, s);
  }
  check<ShapeError>(total == x.size(a), op, "sizes {} add up to {}, axis {} of {} has {}", sizes, total, a, x.shape(), x.size(a));
  std::vector<Tensor> out;
  std::int64_t at = 0;
  for (const auto s : sizes) out.push_back(narrow(x, a, at, s)), at += s;
  return out;
}
std::vector<Tensor> split(const Tensor& x, std::int64_t size, std::int64_t axis) {
  const OpRange here("split", x);
  const auto a = split_axis("split", x, axis), n = x.size(a);
  check<ValueError>(size > 0 || (size == 0 && n == 0), "split", "size {} must be positive (axis {} has {})", size, a, n);
  std::vector<Tensor> out;
  if (n == 0) return {narrow(x, a, 0, 0)};
  for (std::int64_t at = 0; at < n; at += size) out.push_back(narrow(x, a, at, std::min(size, n - at)));
  return out;
}
namespace {
/// Empty pieces cost memory too: very many are a mistake.
void check_pieces(const char* op, std::int64_t n, std::int64_t size) {
  const std::int64_t most = std::max<std::int64_t>(size, 1 << 20);
  check<ValueError>(n <= most, op, "{} pieces of {} elements are asked for; use at most {}", n, size, most);
}
}  // namespace
std::vector<Tensor> chunk(const Tensor& x, std::int64_t n, std::int64_t axis) {
  const OpRange here("chunk", x);
  const auto a = split_axis("chunk", x, axis);
  check<ValueError>(n > 0, "chunk", "{} pieces are asked for; use at least 1", n);
  const auto size = x.size(a) / n + (x.size(a) % n != 0);
  if (size > 0) return split(x, size, a);
  check_pieces("chunk", n, 0);
  return std::vector<Tensor>(static_cast<std::size_t>(n), narrow(x, a, 0, 0));
}
std::vector<Tensor> tensor_split(const Tensor& x, std::int64_t n, std::int64_t axis) {
  const OpRange here("tensor_split", x);
  const auto a = split_axis("tensor_split", x, axis), total = x.size(a);
  check<ValueError>(n > 0, "tensor_split", "{} pieces are asked for; use at least 1", n);
  check_pieces("tensor_split", n, total);
  std::vector<Tensor> out;
  for (std::int64_t i = 0, at = 0; i < n; ++i) {
    const auto size = total / n + (i < total % n);
    out.push_back(narrow(x, a, at, size));
    at += size;
  }
  return out;
}
std::vector<Tensor> tensor_split(const Tensor& x, const Dims& positions, std::int64_t axis) {
  const OpRange here("tensor_split", x);
  const auto a = split_axis("tensor_split", x, axis);
  std::vector<Tensor> out;
  std::optional<std::int64_t> from = 0;
  for (const auto p : positions) out.push_back(slice(x, a, Slice(from, p))), from = p;
  out.push_back(slice(x, a, Slice(from)));
  return out;
}
std::vector<Tensor> unbind(const Tensor& x, std::int64_t axis) {
  const OpRange here("unbind", x);
  const auto a = split_axis("unbind", x, axis);
  std::vector<Tensor> out;
  for (std::int64_t i = 0; i < x.size(a); ++i) out.push_back(select(x, a, i));
  return out;
}

}  // namespace rill
