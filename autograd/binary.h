// What elementwise ops of two operands share.
#pragma once

#include <rill/ops/reduce.h>

#include "autograd/elementwise.h"
#include "lib/core/checked.h"
#include "lib/core/promotion.h"

namespace rill {

/// A 0-dim tensor that holds a number in the given dtype.
Tensor constant(Scalar value, Dtype dtype, Device device);
/// The gradient of a broadcast operand: summed over the broadcast axes, in the operand's shape and dtype.
Tensor sum_to(const Tensor& g, const Shape& shape, Dtype dtype);

template <class F> Dtype binary_dtype(Dtype promoted) {
  if (is_floating(promoted)) {
    check<DtypeError>(F::domain != fn::Domain::integers, F::name, "{} is not supported (expected bool or an integer dtype)", promoted);
    return promoted;
  }
  if constexpr (F::domain == fn::Domain::floating) return default_dtype();
  check<DtypeError>(promoted != Dtype::boolean || F::domain == fn::Domain::all || F::domain == fn::Domain::integers, F::name,
                    "two bool operands are not supported (expected a floating or integer dtype); convert one with .to()");
  return promoted;
}

template <class F> struct BinaryGrad {
  [[no_unique_address]] F f;
  Saved a, b;
  Shape shape;  // of the operand whose gradient this is
  Dtype dtype;
  template <bool First> Tensor run(const Tensor& g, const Tensor& y) const {
    const Tensor &x = a(), &z = b();
    Tensor r;
    if constexpr (First) r = f.template grad_a<Tensor>(g, x, z, y);
    else r = f.template grad_b<Tensor>(g, x, z, y);
    if (impl(r).shape == shape && impl(r).dtype == dtype) [[likely]] return r;
    return sum_to(expand_gradient(r, g), shape, dtype);
  }
};
template <class F, bool First> struct BinaryGradPlain : BinaryGrad<F> {
  Tensor operator()(const Tensor& g) const { return this->template run<First>(g, g); }
};
template <class F, bool First> struct BinaryGradOutput : BinaryGrad<F> {
  Tensor operator()(const Tensor& g, const Tensor& y) const { return this->template run<First>(g, y); }
};

template <class F, bool First> auto binary_formula(const F& f, const Tensor& a, const Tensor& b) {
  constexpr unsigned reads = First ? reads_a<F>() : reads_b<F>();
  std::conditional_t<(reads & Probe::kOutput) != 0, BinaryGradOutput<F, First>, BinaryGradPlain<F, First>> formula;
  formula.f = f;
  if constexpr ((reads & Probe::kA) != 0) formula.a = save(a);
  if constexpr ((reads & Probe::kB) != 0) formula.b = save(b);
  formula.shape = impl(First ? a : b).shape;
  formula.dtype = impl(First ? a : b).dtype;
  return formula;
}

template <class F> inline constexpr bool has_binary_gradient = requires(Probe p, F f) { f.grad_a(p, p, p, p); };

template <class F> void binary_into(const F& f, const Tensor& a, const Tensor& b, const Tensor& out, Dtype dtype) {
  const Kernels& k = kernels(a);
  run_map(k, F::name, k.binary[fn::Binary::index<F>], &f, compute_dtype(dtype), compute_dtype(dtype), out, a, b);
}

template <class F> void check_operands(const Tensor& a, const Tensor& b) {
  check_defined(F::name, a, "the first operand");
  check_defined(F::name, b, "the second operand");
  check_same_device(F::name, a, b);
}

template <class F> Tensor binary_output(const Tensor& a, const Tensor& b, Dtype dtype) {
  const auto &x = impl(a), &y = impl(b);
  if (x.shape == y.shape) [[likely]] return make_like(!x.contiguous || y.contiguous ? a : b, dtype);
  Shape shape = broadcast_shapes(x.shape, y.shape, F::name);
  if (shape == x.shape) return make_like(a, dtype);
  if (shape == y.shape) return make_like(b, dtype);
  checked_numel(F::name, shape, dtype);
  return make_tensor(shape, dtype, x.device);
}

template <class F> Tensor binary(const Tensor& a, const Tensor& b, const F& f = {}) {
  check_operands<F>(a, b);
  const Dtype dtype = binary_dtype<F>(result_type(a, b));
  Tensor out = binary_output<F>(a, b, dtype);
  binary_into(f, a, b, out, dtype);
  if constexpr (has_binary_gradient<F>) {
    if (recording(a, b) && is_floating(dtype)) return record(F::name, std::move(out), grad(a, binary_formula<F, true>(f, a, b)), grad(b, binary_formula<F, false>(f, a, b)));
  }
  return out;
}
template <class F> Tensor binary(const Tensor& a, Scalar b, const F& f = {}) {
  check_defined(F::name, a);
  return binary<F>(a, constant(b, result_type(a, b), impl(a).device), f);
}

template <class F> const Tensor& binary_(const Tensor& a, const Tensor& b, const F& f = {}) {
  check_operands<F>(a, b);
  const Dtype dtype = binary_dtype<F>(result_type(a, b));
  check_in_place(F::name, a, broadcast_shapes(impl(a).shape, impl(b).shape, F::name), dtype);
  if (recording(a, b)) return assign(a, binary<F>(alias_before_write(a), b.is_same(a) ? alias_before_write(a) : b, f));
  // a source that overlaps the destination in another order would be read after it was written
  binary_into(f, a, overlap_partly(a, b) ? b.clone() : b, a, dtype);
  adopt_history(a, {});
  return a;
}
template <class F> const Tensor& binary_(const Tensor& a, Scalar b, const F& f = {}) {
  check_defined(F::name, a);
  return binary_<F>(a, constant(b, result_type(a, b), impl(a).device), f);
}

template <class F> Tensor compare(const Tensor& a, const Tensor& b) {
  check_operands<F>(a, b);
  const Dtype compute = compute_dtype(result_type(a, b));
  Tensor out = binary_output<F>(a, b, Dtype::boolean);
  const Kernels& k = kernels(a);
  const F f;
  run_map(k, F::name, k.compare[fn::Compare::index<F>], &f, compute, Dtype::boolean, out, a, b);
  return out;
}
template <class F> Tensor compare(const Tensor& a, Scalar b) {
  check_defined(F::name, a);
  return compare<F>(a, constant(b, result_type(a, b), impl(a).device));
}

}  // namespace rill
