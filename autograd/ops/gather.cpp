// Reading and writing along one axis by an index tensor.
#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/index.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

#include <algorithm>

#include "autograd/autocast.h"
#include "autograd/binary.h"
#include "autograd/rows.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

// ---- one index per element: gather and scatter --------------------------------------------------------------------------------

/// Checks of gather and scatter; a 0-dim operand counts as one element of rank 1.
Places along(const char* op, const Tensor& x, std::int64_t& axis, const Tensor& index) {
  check_defined(op, x);
  const Tensor i = index_values(op, index);
  check_same_device(op, x, index);
  const Shape &xs = impl(x).shape, &is = impl(i).shape;
  check<ShapeError>(std::max(xs.rank(), 1) == std::max(is.rank(), 1), op, "the index has shape {}, the tensor {}; they must have the same rank", is, xs);
  axis = wrap_axis(op, axis, xs.rank());
  if (impl(i).numel > 0)
    for (int a = 0; a < std::min(xs.rank(), is.rank()); ++a)
      check<ShapeError>(a == axis || is[a] <= xs[a], op, "the index has shape {}, which is larger than {} on axis {}; only axis {} may be larger", is, xs, a, axis);
  if (xs.rank() == 0) {  // no grid: every index must be 0
    const AxisIndex which{i, 0, 1};
    return places(op, x.detach().reshape({1}), 0, {&which, 1}, false);
  }
  return places_along(op, x, axis, is.rank() == 0 ? i.reshape({1}) : i);
}
Tensor at_least_1d(const Tensor& x) { return x.dim() == 0 ? x.reshape({1}) : x; }

/// The part of source that the index covers.
Tensor covered(const char* op, const Tensor& x, const Tensor& source, const Tensor& index) {
  check_defined(op, source, "source");
  check_same_device(op, x, source);
  check<DtypeError>(impl(source).dtype == impl(x).dtype, op, "source is {}, the tensor {}; convert one with .to()", impl(source).dtype, impl(x).dtype);
  const Shape &ss = impl(source).shape, &is = impl(index).shape;
  check<ShapeError>(ss.rank() == is.rank(), op, "source has shape {}, the index {}; they must have the same rank", ss, is);
  Tensor part = source;
  for (int a = 0; a < is.rank(); ++a) {
    check<ShapeError>(is[a] <= ss[a] || impl(index).numel == 0, op, "source has shape {}, which is smaller than the index {} on axis {}", ss, is, a);
    if (is[a] < ss[a]) part = narrow(part, a, 0, is[a]);
  }
  return part;
}
Tensor constant_like(const char* op, Scalar value, const Tensor& x, const Shape& shape) {
  check_defined(op, x);
  check<DtypeError>(!value.is_floating() || is_floating(impl(x).dtype), op, "{} cannot be stored in {}; use an integer or convert with .to()", value.to_double(), describe(x));
  return make_alias(constant(value, impl(x).dtype, impl(x).device), shape, Strides(shape.rank(), 0), 0);
}

/// Runs a put on x with at least one axis.
Tensor put_along(const char* op, const Tensor& x, const Places& p, const Tensor& source, bool accumulate) {
  const Tensor part = impl(source).shape == p.picks ? source : source.reshape(p.picks);
  if (impl(x).shape.rank() > 0) return put_rows(op, x, p, part, accumulate);
  return put_rows(op, x.reshape({1}), p, part, accumulate).reshape({});
}

}  // namespace

Tensor gather(const Tensor& x, std::int64_t axis, const Tensor& index) {
  const OpRange here("gather", x, index);
  const Places p = along("gather", x, axis, index);
  const Tensor out = take_rows("gather", at_least_1d(x), p);
  return impl(out).shape == impl(index).shape ? out : out.reshape(impl(index).shape);
}

Tensor scatter(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  const OpRange here("scatter", x, index, source);
  const Places p = along("scatter", x, axis, index);
  return put_along("scatter", x, p, covered("scatter", x, source, index), false);
}
Tensor scatter(const Tensor& x, std::int64_t axis, const Tensor& index, Scalar value) {
  const OpRange here("scatter", x, index);
  const Places p = along("scatter", x, axis, index);
  return put_along("scatter", x, p, constant_like("scatter", value, x, p.picks), false);
}
Tensor scatter_add(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  if (amp::on()) [[unlikely]] return amp::widest(&scatter_add, x, axis, index, source);
  const OpRange here("scatter_add", x, index, source);
  const Places p = along("scatter_add", x, axis, index);
  return put_along("scatter_add", x, p, covered("scatter_add", x, source, index), true);
}

// ---- scatter_reduce -------------------------------------------------------------------------------------------------------------

namespace {

/// x with the rest of the reduction folded in; off the tape.
Tensor reduce_value(const Tensor& x, const Places& p, const Tensor& source, ScatterReduce reduce, bool include_self) {
  Tensor out = x.detach().clone();
  const Dtype d = impl(x).dtype;
  if (!include_self) {  // what the places start from; for amax and amin their first value
    if (reduce == ScatterReduce::amax || reduce == ScatterReduce::amin) write_rows(out, p, source, Combine::set);
    else write_rows(out, p, constant_like("scatter_reduce", reduce == ScatterReduce::prod ? 1 : 0, x, p.picks), Combine::set);
  }
  constexpr Combine combine[] = {Combine::add, Combine::mul, Combine::add, Combine::max, Combine::min};
  write_rows(out, p, source, combine[static_cast<int>(reduce)]);
  if (reduce != ScatterReduce::mean) return out;
  Tensor count = include_self ? ones(x.shape(), {.dtype = d, .device = x.device()}) : zeros(x.shape(), {.dtype = d, .device = x.device()});
  write_rows(count, p, constant_like("scatter_reduce", 1, x, p.picks), Combine::add);
  count = where(eq(count, 0), 1, count);
  return is_floating(d) ? out / count : floor_divide(out, count);
}

struct ScatterRule {
  Places p;
  ScatterReduce reduce;
  bool include_self;
  Saved x, source;

  Tensor hit(const Tensor& source_shape_like, const Tensor& self_part) const {  // self_part + sum of the flags at the places
    return put_rows("scatter_add", self_part, p, source_shape_like, true);
  }
  Tensor no_self(const Tensor& g) const {
    if (include_self) return g;
    return put_rows("scatter", g, p, make_alias(constant(0, impl(g).dtype, impl(g).device), p.picks, Strides(p.picks.rank(), 0), 0), false);
  }
  Tensor count(const Tensor& g) const {
    const Tensor self = include_self ? ones_like(g) : zeros_like(g);
    const Tensor n = hit(make_alias(constant(1, impl(g).dtype, impl(g).device), p.picks, Strides(p.picks.rank(), 0), 0), self);
    return where(eq(n, 0), 1, n);
  }
  /// g shared evenly by the values that equal the result.
  Tensor shared(const Tensor& g, const Tensor& y) const {
    const Tensor result = y.detach(), s = eq(x().detach(), result).to(g.dtype());
    const Tensor hits = eq(source().detach(), take_rows("gather", result, p)).to(g.dtype());
    const Tensor n = hit(hits, include_self ? s : no_self(s));
    return g / where(eq(n, 0), 1, n);
  }
  /// d prod / d each factor: the product of the others, right with zeros present.
  std::pair<Tensor, Tensor> prod(const Tensor& g) const {
    const Tensor a = x(), b = source(), za = eq(a, 0), zb = eq(b, 0);
    const Tensor flags = za.to(g.dtype()), self_zeros = include_self ? flags : no_self(flags);
    const Tensor zeros_at = hit(zb.to(g.dtype()), self_zeros);
    const bool any_zero = any(zeros_at).item<bool>();
    if (any_zero) refuse_second_gradient("scatter_reduce (prod with zeros)", g, a, b);
    const Tensor a1 = where(za, 1, a), b1 = where(zb, 1, b);
    const Tensor product = scatter_product(a1, b1);
    const Tensor gp = g * product;
    const Tensor none = eq(zeros_at, 0), one = eq(zeros_at, 1);
    const Tensor ga = where(za, where(one, gp, 0), where(none, gp / a1, 0));
    const Tensor at = take_rows("gather", gp, p), at_none = take_rows("gather", none, p), at_one = take_rows("gather", one, p);
    return {ga, where(zb, where(at_one, at, 0), where(at_none, at / b1, 0))};
  }
  Tensor scatter_product(const Tensor& a, const Tensor& b) const;

  Tensor self(const Tensor& g, const Tensor& y) const {
    switch (reduce) {
      case ScatterReduce::sum: return no_self(g);
      case ScatterReduce::mean: return no_self(g / count(g));
      case ScatterReduce::prod: return no_self(prod(g).first);
      default: return no_self(shared(g, y) * eq(x().detach(), y.detach()).to(g.dtype()));
    }
  }
  Tensor other(const Tensor& g, const Tensor& y) const {
    switch (reduce) {
      case ScatterReduce::sum: return take_rows("gather", g, p);
      case ScatterReduce::mean: return take_rows("gather", g / count(g), p);
      case ScatterReduce::prod: return prod(g).second;
      default: return take_rows("gather", shared(g, y), p) * eq(source().detach(), take_rows("gather", y.detach(), p)).to(g.dtype());
    }
  }
};

Tensor reduced(const Tensor& x, const Places& p, const Tensor& source, ScatterReduce reduce, bool include_self) {
  Tensor out = reduce_value(x, p, source, reduce, include_self);
  if (!recording(x, source)) return out;
  const bool values = reduce != ScatterReduce::sum && reduce != ScatterReduce::mean;
  const ScatterRule r{p, reduce, include_self, values ? save(x) : Saved(), values ? save(source) : Saved()};
  return record("scatter_reduce", std::move(out), grad(x, [r](const Tensor& g, const Tensor& y) { return r.self(g, y); }),
                grad(source, [r](const Tensor& g, const Tensor& y) { return r.other(g, y); }));
}
Tensor ScatterRule::scatter_product(const Tensor& a, const Tensor& b) const { return reduced(a, p, b, ScatterReduce::prod, include_self); }

}  // namespace

Tensor scatter_reduce(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source, ScatterReduce reduce, bool include_self) {
  const OpRange here("scatter_reduce", x, index, source);
  const Places p = along("scatter_reduce", x, axis, index);
  const Tensor part = covered("scatter_reduce", x, source, index);
  const Tensor out = reduced(at_least_1d(x), p, impl(part).shape == p.picks ? part : part.reshape(p.picks), reduce, include_self);
  return x.dim() == 0 ? out.reshape({}) : out;
}

// ---- whole rows: index_select, index_add, ... -------------------------------------------------------------------------------------

namespace {
/// Places of a rank-1 (or 0-dim) index on one axis. x has at least one axis.
Places rows_at(const char* op, const Tensor& x, std::int64_t axis, const Tensor& index) {
  const Tensor i = index_values(op, index);
  check_same_device(op, x, index);
  check<ShapeError>(impl(i).shape.rank() <= 1, op, "the index has shape {}; it must have one axis", impl(i).shape);
  const AxisIndex which{i.reshape({impl(i).numel}), axis, impl(x).shape[axis]};
  return places(op, x, static_cast<int>(axis), {&which, 1}, false);
}
Tensor check_source(const char* op, const Tensor& x, const Places& p, const Tensor& source) {
  check_defined(op, source, "source");
  check_same_device(op, x, source);
  check<DtypeError>(impl(source).dtype == impl(x).dtype, op, "source is {}, the tensor {}; convert one with .to()", impl(source).dtype, impl(x).dtype);
  const Shape wanted = p.selected_shape();
  const Tensor s = source.dim() == 0 && wanted.rank() == 1 && wanted[0] == 1 ? source.reshape({1}) : source;
  check<ShapeError>(impl(s).shape == wanted, op, "source has shape {}; the tensor {} and an index of {} values need {}", impl(source).shape, impl(x).shape, p.picks[0], wanted);
  return s;
}
template <class F> Tensor on_rows(const char* op, const Tensor& x, std::int64_t axis, F f) {
  check_defined(op, x);
  const auto a = wrap_axis(op, axis, x.dim());
  return x.dim() == 0 ? f(x.reshape({1}), a).reshape({}) : f(x, a);
}
}  // namespace

Tensor index_select(const Tensor& x, std::int64_t axis, const Tensor& index) {
  const OpRange here("index_select", x, index);
  return on_rows("index_select", x, axis, [&](const Tensor& t, std::int64_t a) {
    check<ShapeError>(x.dim() > 0 || !index.defined() || index.numel() == 1, "index_select", "a 0-dim tensor takes exactly one index, got {}", index.numel());
    return take_rows("index_select", t, rows_at("index_select", t, a, index));
  });
}
Tensor index_add(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source, Scalar alpha) {
  const OpRange here("index_add", x, index, source);
  return on_rows("index_add", x, axis, [&](const Tensor& t, std::int64_t a) {
    const Places p = rows_at("index_add", t, a, index);
    const Tensor s = check_source("index_add", t, p, source);
    check<DtypeError>(!alpha.is_floating() || is_floating(impl(t).dtype), "index_add", "alpha is floating, but the tensor is {}; use an integer alpha", impl(t).dtype);
    return put_rows("index_add", t, p, alpha.to_double() == 1 ? s : mul(s, alpha), true);
  });
}
Tensor index_copy(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  const OpRange here("index_copy", x, index, source);
  return on_rows("index_copy", x, axis, [&](const Tensor& t, std::int64_t a) {
    const Places p = rows_at("index_copy", t, a, index);
    return put_rows("index_copy", t, p, check_source("index_copy", t, p, source), false);
  });
}
Tensor index_fill(const Tensor& x, std::int64_t axis, const Tensor& index, Scalar value) {
  const OpRange here("index_fill", x, index);
  return on_rows("index_fill", x, axis, [&](const Tensor& t, std::int64_t a) {
    const Places p = rows_at("index_fill", t, a, index);
    return put_rows("index_fill", t, p, constant_like("index_fill", value, t, p.selected_shape()), false);
  });
}

// ---- take -------------------------------------------------------------------------------------------------------------------------

Tensor take(const Tensor& x, const Tensor& index) {
  const OpRange here("take", x, index);
  check_defined("take", x);
  const Tensor i = index_values("take", index);
  check_same_device("take", x, index);
  Places p;
  p.shape = impl(x).shape;
  const AxisIndex which{i, 0, impl(x).numel};
  p = places("take", x.detach(), 0, {&which, 1}, true);
  p.axes = impl(x).shape.rank();
  return take_rows("take", x, p);
}

Tensor take_along_dim(const Tensor& x, const Tensor& index, std::int64_t axis) {
  const OpRange here("take_along_dim", x, index);
  check_defined("take_along_dim", x);
  check_defined("take_along_dim", index, "the index");
  check<ShapeError>(x.dim() == index.dim(), "take_along_dim", "the index has shape {}, the tensor {}; they must have the same rank", index.shape(), x.shape());
  const auto a = wrap_axis("take_along_dim", axis, x.dim());
  if (x.dim() == 0) return gather(x, 0, index);
  Shape xs = x.shape(), is = index.shape();
  const auto own = xs[a], picks = is[a];
  xs[a] = is[a] = 1;
  Shape both = broadcast_shapes(xs, is, "take_along_dim");
  xs = is = both;
  xs[a] = own, is[a] = picks;
  const Tensor i = index_values("take_along_dim", index);
  return gather(expand(x, xs), a, expand(where(lt(i, 0), i + own, i), is));
}

}  // namespace rill
