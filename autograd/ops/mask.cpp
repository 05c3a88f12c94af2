// Reading and writing by masks, and the positions of what is not zero.
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/reduce.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include <algorithm>

#include "autograd/binary.h"
#include "autograd/rows.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

void check_mask(const char* op, const Tensor& x, const Tensor& mask) {
  check_defined(op, x);
  check_defined(op, mask, "the mask");
  check_same_device(op, x, mask);
  check<DtypeError>(impl(mask).dtype == Dtype::boolean, op, "the mask is {}, expected bool; compare it first, as in x > 0", impl(mask).dtype);
}
void check_value(const char* op, const Tensor& x, Scalar value) {
  check<DtypeError>(!value.is_floating() || is_floating(impl(x).dtype), op, "{} cannot be stored in {}; use an integer or convert with .to()", value.to_double(), describe(x));
}
/// Row-major positions of the true elements of a mask.
Tensor true_positions(const Tensor& mask) {
  const Tensor m = mask.contiguous();
  const Kernels& k = kernels(m);
  const Tensor at = make_tensor({k.count_true(view(m))}, Dtype::int64, impl(m).device);
  k.positions_true(view(m), view(at));
  return at;
}
Places everywhere_true(const Tensor& mask) {
  Places p;
  p.shape = impl(mask).shape;
  p.axes = p.shape.rank();
  p.at = true_positions(mask);
  p.picks = impl(p.at).shape;
  return p;
}

}  // namespace

Tensor masked_fill(const Tensor& x, const Tensor& mask, Scalar value) {
  const OpRange here("masked_fill", x, mask);
  check_mask("masked_fill", x, mask);
  check_value("masked_fill", x, value);
  const Shape shape = broadcast_shapes(impl(x).shape, impl(mask).shape, "masked_fill");
  checked_numel("masked_fill", shape, impl(x).dtype);
  Tensor out = impl(x).shape == shape ? make_like(x) : make_tensor(shape, impl(x).dtype, impl(x).device);
  const Dtype compute = compute_dtype(impl(x).dtype);
  const Tensor filling = constant(value, impl(x).dtype, Device::cpu());
  const Kernels& k = kernels(x);
  map_tensors(k, {&k.where, nullptr, compute, compute, kGrain}, out, {&mask, &filling, &x});
  if (!recording(x)) return out;
  return record("masked_fill", std::move(out),
                grad(x, [mask = save(mask), s = impl(x).shape, d = impl(x).dtype](const Tensor& g) { return sum_to(masked_fill(g, mask(), 0), s, d); }));
}

const Tensor& masked_fill_(const Tensor& x, const Tensor& mask, Scalar value) {
  const OpRange here("masked_fill_", x, mask);
  constexpr const char* op = "masked_fill_";
  check_mask(op, x, mask);
  check_value(op, x, value);
  check_in_place(op, x, broadcast_shapes(impl(x).shape, impl(mask).shape, op), impl(x).dtype);
  return assign(x, masked_fill(alias_before_write(x), mask.shares_storage(x) ? mask.clone() : mask, value));
}

Tensor masked_select(const Tensor& x, const Tensor& mask) {
  const OpRange here("masked_select", x, mask);
  check_mask("masked_select", x, mask);
  const Shape shape = broadcast_shapes(impl(x).shape, impl(mask).shape, "masked_select");
  return take_rows("masked_select", impl(x).shape == shape ? x : expand(x, shape), everywhere_true(expand(mask.detach(), shape)));
}

Tensor masked_scatter(const Tensor& x, const Tensor& mask, const Tensor& source) {
  const OpRange here("masked_scatter", x, mask, source);
  constexpr const char* op = "masked_scatter";
  check_mask(op, x, mask);
  check_defined(op, source, "source");
  check_same_device(op, x, source);
  check<DtypeError>(impl(source).dtype == impl(x).dtype, op, "source is {}, the tensor {}; convert one with .to()", impl(source).dtype, impl(x).dtype);
  const Shape shape = broadcast_shapes(impl(x).shape, impl(mask).shape, op);
  const Places p = everywhere_true(expand(mask.detach(), shape));
  const auto n = impl(p.at).numel;
  check<ShapeError>(n <= impl(source).numel, op, "the mask has {} true elements, source only {}", n, impl(source).numel);
  return put_rows(op, impl(x).shape == shape ? x : expand(x, shape).clone(MemoryFormat::contiguous), p, narrow(source.reshape({impl(source).numel}), 0, 0, n), false);
}

Tensor nonzero(const Tensor& x) {
  const OpRange here("nonzero", x);
  check_defined("nonzero", x);
  const Tensor at = true_positions(impl(x).dtype == Dtype::boolean ? x.detach() : ne(x.detach(), 0));
  const Shape& s = impl(x).shape;
  const auto n = impl(at).numel;
  const Strides steps = row_major_strides(s);
  if (!impl(x).device.is_cpu()) {
    std::vector<Tensor> columns;
    for (int a = 0; a < s.rank(); ++a) columns.push_back(remainder(floor_divide(at, steps[a]), s[a]));
    return columns.empty() ? make_tensor({n, 0}, Dtype::int64, impl(x).device) : stack(columns, 1);
  }
  const Tensor out = make_tensor({n, s.rank()}, Dtype::int64, impl(x).device);
  const std::int64_t* p = at.data<std::int64_t>();
  std::int64_t* to = out.data<std::int64_t>();
  parallel_for(n, kGrain, [&](std::int64_t b, std::int64_t e) {
    for (; b < e; ++b) {
      std::int64_t rest = p[b];
      for (int a = 0; a < s.rank(); ++a) to[b * s.rank() + a] = rest / steps[a], rest %= steps[a];
    }
  });
  return out;
}

std::vector<Tensor> where(const Tensor& condition) {
  const OpRange here("where", condition);
  check_defined("where", condition);
  const Tensor at = nonzero(condition.dim() == 0 ? condition.reshape({1}) : condition);
  std::vector<Tensor> out;
  for (std::int64_t a = 0; a < at.size(1); ++a) out.push_back(at.select(1, a));
  return out;
}

Tensor one_hot(const Tensor& index, std::int64_t classes) {
  const OpRange here("one_hot", index);
  const Tensor i = index_values("one_hot", index);
  const auto n = impl(i).numel;
  check<ValueError>(classes >= -1 && classes != 0, "one_hot", "{} classes are asked for; use a positive number, or -1 for the largest index + 1", classes);
  check<ValueError>(n > 0 || classes > 0, "one_hot", "an empty index says nothing about the number of classes; pass it");
  const Tensor flat = i.reshape({n});
  const std::int64_t limit = classes > 0 ? classes : checked_add("one_hot", std::max<std::int64_t>(max(flat).item<std::int64_t>(), 0), 1);
  Shape shape = impl(i).shape;
  shape.push_back(limit);
  checked_numel("one_hot", shape, Dtype::int64);
  const AxisIndex which{flat, i.dim(), limit};
  places("one_hot", make_alias(flat, {limit}, {0}, 0), 0, {&which, 1}, false);
  return eq(unsqueeze(i, -1), arange(limit, {.device = impl(i).device})).to(Dtype::int64);
}

}  // namespace rill
