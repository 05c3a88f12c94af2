// In-place writes and what they do to the tape.
//
// Note [In-place writes to views]: a view remembers its base, the tensor whose handle owns the history of the storage. Writing to
// a view under recording gives the base a new history, "copy_slice": its gradient splits into the part under the view (for the
// value written) and the rest (for the base's former history). `history` counts such writes on the base; a view whose own count
// is older re-derives its history from the base the next time it is asked for (current_node).
#include "autograd/inplace.h"

#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/view.h>

#include "autograd/record.h"
#include "backends/api/backend.h"
#include "lib/core/op_range.h"
#include "lib/core/promotion.h"

namespace rill {
namespace {

struct Geometry {
  Shape shape;
  Strides strides;
  std::int64_t offset;  // elements from the base's first element
};
Geometry geometry_in(const Tensor& view, const Tensor& base) {
  const auto &v = impl(view), &b = impl(base);
  return {v.shape, v.strides, (v.data - b.data) / static_cast<std::int64_t>(size_of(b.dtype))};
}

/// A copy of g whose strides are those of the base, so that a view's geometry applies to it.
Tensor in_layout(const Tensor& g, const Shape& shape, const Strides& strides) {
  Tensor r = make_strided(shape, strides, impl(g).dtype, impl(g).device);
  NoGrad off;
  r.copy_(g);
  return r;
}

/// The part of g under the view.
Tensor under(const Tensor& g, const Shape& base_shape, const Strides& base_strides, const Geometry& v) {
  if (recording(g)) return as_strided(g.contiguous(), v.shape, v.strides, v.offset).clone(MemoryFormat::contiguous);
  return as_strided(impl(g).strides == base_strides ? g : in_layout(g, base_shape, base_strides), v.shape, v.strides, v.offset).clone(MemoryFormat::contiguous);
}
/// g with the part under the view set to zero.
Tensor outside(const Tensor& g, const Shape& base_shape, const Strides& base_strides, const Geometry& v) {
  Tensor r = recording(g) ? g.clone(MemoryFormat::contiguous) : in_layout(g, base_shape, base_strides);
  as_strided(r, v.shape, v.strides, v.offset).fill_(0);
  return r;
}

void rebase(const Tensor& base, const Tensor& view, const Tensor& value) {
  const Geometry v = geometry_in(view, base);
  const Shape shape = impl(base).shape;
  const Strides strides = impl(base).strides;
  const Tensor before = alias_before_write(base);
  Tensor history = make_detached(base);
  history = record("copy_slice", history, grad(before, [=](const Tensor& g) { return outside(g, shape, strides, v); }),
                   grad(value, [=](const Tensor& g) { return under(g, shape, strides, v); }));
  set_history(base, impl(history).node, impl(history).slot);
  ++impl(base).history;
}

}  // namespace

Tensor alias_before_write(const Tensor& x, bool read) {
  Tensor a = make_detached(x);
  if (read) a = a.clone();
  if (Node* n = current_node(x)) set_history(a, Ref<Node>::share(n), impl(x).slot);
  return a;
}

Tensor without_base(const Tensor& view) { return alias_before_write(view); }

Node* current_node_of_view(const Tensor& t) {
  auto& i = impl(t);
  const Tensor base = i.base;
  Node* base_node = node_of(impl(base));
  i.history = impl(base).history;
  i.node.reset();
  if (base_node) {
    EnableGrad on;
    Tensor from = make_detached(base);
    set_history(from, Ref<Node>::share(base_node), impl(base).slot);
    const Geometry v = geometry_in(t, base);
    const Tensor fresh = as_strided(from, v.shape, v.strides, v.offset);
    i.node = impl(fresh).node;
    i.slot = impl(fresh).slot;
  }
  return node_of(i);
}

void check_in_place(const char* op, const Tensor& x, const Shape& result_shape, Dtype result) {
  const auto& i = impl(x);
  check<ShapeError>(i.shape == result_shape, op, "the result has shape {}, which does not fit in place into {}", result_shape, describe(x));
  const auto kind = [](Dtype d) { return d == Dtype::boolean ? 0 : is_integral(d) ? 1 : 2; };
  check<DtypeError>(kind(result) <= kind(i.dtype), op, "the result is {} and cannot be stored in place into {}; convert it first", result, describe(x));
  for (int a = 0; i.numel > 0 && a < i.shape.rank(); ++a)
    check<ValueError>(i.strides[a] != 0 || i.shape[a] <= 1, op, "{} is expanded along axis {}: its elements share memory; clone() it before writing", describe(x), a);
  if (!thread_state.grad_enabled) return;
  const Node* n = x.requires_grad() ? current_node(x) : nullptr;
  check<GradError>(!n || !n->leaf, op, "{} is a leaf that requires grad and cannot be written in place while recording; use NoGrad or an out-of-place op", describe(x));
  if (i.base.defined()) {
    const Node* b = node_of(impl(i.base));
    check<GradError>(!b || !b->leaf, op, "{} is a view of a leaf that requires grad and cannot be written in place while recording; use NoGrad", describe(x));
  }
}

void adopt_history(const Tensor& x, const Tensor& value) {
  bump_version(x);
  auto& i = impl(x);
  const bool on_tape = value.defined() && value.requires_grad();
  if (!thread_state.grad_enabled || (!on_tape && !x.requires_grad() && !(i.base.defined() && i.base.requires_grad()))) return;
  if (i.base.defined()) {
    rebase(i.base, x, value);
    current_node(x);
    return;
  }
  set_history(x, on_tape ? Ref<GraphNode>::share(current_node(value)) : Ref<GraphNode>{}, on_tape ? impl(value).slot : 0);
  ++i.history;
}

bool overlap_partly(const Tensor& a, const Tensor& b) {
  const auto &x = impl(a), &y = impl(b);
  if (!(x.storage == y.storage) || x.numel == 0 || y.numel == 0) return false;
  if (x.data == y.data && x.shape == y.shape && x.strides == y.strides) return false;
  const auto span = [](const TensorImpl& t) {
    std::int64_t last = 0;
    for (int k = 0; k < t.shape.rank(); ++k) last += (t.shape[k] - 1) * t.strides[k];
    return t.data + (last + 1) * static_cast<std::int64_t>(size_of(t.dtype));
  };
  return x.data < span(y) && y.data < span(x);
}

const Tensor& assign(const Tensor& x, const Tensor& value) {
  Tensor v = value;
  if (recording(v) && impl(v).dtype != impl(x).dtype) v = v.to(impl(x).dtype);
  if (recording(v) && !(impl(v).shape == impl(x).shape)) v = v.expand(impl(x).shape);
  kernels(x).copy(view(overlap_partly(x, v) ? v.clone() : v), view(x));
  adopt_history(x, v);
  return x;
}

const Tensor& Tensor::copy_(const Tensor& source) const {
  const OpRange here("copy_", *this, source);
  check_defined("copy_", *this, "the destination");
  check_defined("copy_", source, "the source");
  if (!(impl(*this).device == impl(source).device)) return copy_(source.to(impl(*this).device));
  const Shape both = broadcast_shapes(impl(*this).shape, impl(source).shape, "copy_");
  check_in_place("copy_", *this, both, impl(*this).dtype);
  return assign(*this, source);
}

const Tensor& Tensor::fill_(Scalar value) const {
  const OpRange here("fill_", *this);
  check_defined("fill_", *this, "the tensor");
  const auto& i = impl(*this);
  check<DtypeError>(!value.is_floating() || is_floating(i.dtype), "fill_", "{} cannot be stored in {}; use an integer or convert with .to()", value.to_double(), describe(*this));
  check_in_place("fill_", *this, i.shape, i.dtype);
  return assign(*this, full({}, value, {.dtype = i.dtype, .device = i.device}));
}

Tensor& Tensor::operator=(const Tensor& value) && { return copy_(value), *this; }
Tensor& Tensor::operator=(Scalar value) && { return fill_(value), *this; }

}  // namespace rill
