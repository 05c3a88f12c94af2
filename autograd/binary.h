// What elementwise ops of two operands share.
#pragma once

#include <rill/ops/reduce.h>

#include "autograd/elementwise.h"
#include "lib/core/checked.h"
#include "lib/core/promotion.h"

namespace rill {

/// A 0-dim tensor that holds a number in the given dtype.
Tensor constant(Scalar value, Dtype dtype, Device device);
/// op(x, number). The number keeps float32 digits beside 16-bit floats: it is weaker than a tensor with axes, but not than one value.
template <class Op> Tensor beside_number(const Tensor& x, Scalar value, Op op) {
  const Dtype dtype = result_type(x, value), wide = compute_dtype(dtype);
  const Tensor number = constant(value, wide, Device::cpu());
  if (dtype == wide || impl(x).shape.rank() > 0) [[likely]] return op(x, number);
  return op(x.to(wide), number).to(dtype);
}
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

/// The gradient of the first or second operand. `Same`: both operands and the result agree in shape and dtype, so nothing has to
/// be summed or converted afterwards and the shape need not be kept.
template <class F, bool First, bool Same> struct BinaryGrad {
  static constexpr unsigned kReads = First ? reads_a<F>() : reads_b<F>();
  static constexpr bool kReadsA = (kReads & Probe::kA) != 0, kReadsB = (kReads & Probe::kB) != 0, kReadsY = (kReads & Probe::kOutput) != 0;
  struct Target {
    Shape shape;
    Dtype dtype;
  };
  [[no_unique_address]] F f;
  [[no_unique_address]] std::conditional_t<kReadsA, Saved, detail::Nothing> a;
  [[no_unique_address]] std::conditional_t<kReadsB, Saved, detail::Missing> b;
  [[no_unique_address]] std::conditional_t<Same, detail::Absent, Target> target;

  BinaryGrad(const F& f, const Tensor& x, const Tensor& z) : f(f) {
    if constexpr (kReadsA) a = save(x);
    if constexpr (kReadsB) b = save(z);
    if constexpr (!Same) target = {impl(First ? x : z).shape, impl(First ? x : z).dtype};
  }
  Tensor run(const Tensor& g, const Tensor& y) const {
    const Tensor& x = [&]() -> const Tensor& { if constexpr (kReadsA) return a(); else return g; }();
    const Tensor& z = [&]() -> const Tensor& { if constexpr (kReadsB) return b(); else return g; }();
    Tensor r = [&] {
      if constexpr (First) return f.template grad_a<Tensor>(g, x, z, y);
      else return f.template grad_b<Tensor>(g, x, z, y);
    }();
    if constexpr (Same) return expand_gradient(r, g);
    else return sum_to(expand_gradient(r, g), target.shape, target.dtype);
  }
  Tensor operator()(const Tensor& g) const requires(!kReadsY) { return run(g, g); }
  Tensor operator()(const Tensor& g, const Tensor& y) const requires(kReadsY) { return run(g, y); }
};

template <class F> inline constexpr bool has_binary_gradient = requires(Probe p, F f) { f.grad_a(p, p, p, p); };

template <class F> void binary_into(const F& f, const Tensor& a, const Tensor& b, const Tensor& out, Dtype dtype) {
  const Kernels& k = kernels(out);
  run_map(k, F::name, k.binary[fn::Binary::index<F>], &f, compute_dtype(dtype), compute_dtype(dtype), out, a, b);
}

template <class F> [[gnu::always_inline]] inline void check_operands(const Tensor& a, const Tensor& b) {
  check_defined(F::name, a, "the first operand");
  check_defined(F::name, b, "the second operand");
  if (!(impl(a).device == impl(b).device)) [[unlikely]] common_device(F::name, {&a, &b});
}
/// A number of the tape, moved there.
inline Tensor tracked_number_on(Device device, const Tensor& t) { return is_number(t) && current_node(t) ? t.to(device) : t; }

template <class F> Tensor binary_output(const Tensor& a, const Tensor& b, Dtype dtype) {
  const auto &x = impl(a), &y = impl(b);
  if (x.shape == y.shape) [[likely]] {
    const bool first = x.device == y.device ? !x.contiguous || y.contiguous : !x.device.is_cpu();
    return make_like(first ? a : b, dtype);
  }
  Shape shape = broadcast_shapes(x.shape, y.shape, F::name);
  if (shape == x.shape) return make_like(a, dtype);
  if (shape == y.shape) return make_like(b, dtype);
  checked_numel(F::name, shape, dtype);
  return make_tensor(shape, dtype, x.device);
}

template <class F> Tensor binary(const Tensor& a, const Tensor& b, const F& f = {}) {
  if (profiler::unreported()) [[unlikely]] return profiler::report(F::name, [&] { return binary<F>(a, b, f); }, a, b);
  check_operands<F>(a, b);
  const auto &x = impl(a), &y = impl(b);
  const bool one_device = x.device == y.device;
  if (!one_device && recording(a, b) && ((is_number(a) && current_node(a)) || (is_number(b) && current_node(b)))) [[unlikely]]
    return binary<F>(tracked_number_on(y.device, a), tracked_number_on(x.device, b), f);
  const bool same_dtype = x.dtype == y.dtype, same = same_dtype && x.shape == y.shape;
  const bool number = same_dtype && !same && y.shape.rank() == 0;  // the second operand is one value
  const Dtype dtype = binary_dtype<F>(same_dtype ? x.dtype : result_type(a, b));
  const bool plain = (number || (same && y.contiguous)) && x.contiguous && x.numel <= kGrain && dtype == x.dtype && dtype == compute_dtype(dtype) && x.device.is_cpu() && one_device;
  Tensor out = plain ? make_like(a, dtype) : binary_output<F>(a, b, dtype);
  const MapFn fn = cpu_kernels().binary[fn::Binary::index<F>][static_cast<int>(dtype)];
  if (plain && fn) [[likely]] fn(&f, {impl(out).data, {x.data, y.data}, x.numel, number ? 2u : 0u});  // small: straight to the kernel
  else binary_into(f, a, b, out, dtype);
  if constexpr (has_binary_gradient<F>) {
    if (recording(a, b) && is_floating(dtype)) {
      const bool whole = (same || number) && dtype == x.dtype;  // the first operand has the result's shape and dtype
      if (whole && number && !current_node(b)) return record_known(F::name, std::move(out), grad(a, BinaryGrad<F, true, true>(f, a, b)));
      if (whole && same) [[likely]]
        return record_known(F::name, std::move(out), grad(a, BinaryGrad<F, true, true>(f, a, b)), grad(b, BinaryGrad<F, false, true>(f, a, b)));
      return record_known(F::name, std::move(out), grad(a, BinaryGrad<F, true, false>(f, a, b)), grad(b, BinaryGrad<F, false, false>(f, a, b)));
    }
  }
  return out;
}
template <class F> Tensor binary(const Tensor& a, Scalar b, const F& f = {}) {
  const OpRange here(F::name, a);
  check_defined(F::name, a);
  return beside_number(a, b, [&](const Tensor& x, const Tensor& number) { return binary<F>(x, number, f); });
}

template <class F> const Tensor& binary_(const Tensor& a, const Tensor& b, const F& f = {}) {
  const OpRange here(in_place_name<F>.data(), a, b);
  check_operands<F>(a, b);
  if (!is_number(b)) check_same_device(F::name, a, b);
  const Dtype dtype = binary_dtype<F>(result_type(a, b));
  check_in_place(F::name, a, broadcast_shapes(impl(a).shape, impl(b).shape, F::name), dtype);
  if (recording(a, b)) {
    bool read = false;  // which gradients are wanted, and do they read the first operand?
    if constexpr (has_binary_gradient<F>) {
      if (current_node(a)) read |= (reads_a<F>() & (b.is_same(a) ? Probe::kA | Probe::kB : Probe::kA)) != 0;
      if (current_node(b)) read |= (reads_b<F>() & (b.is_same(a) ? Probe::kA | Probe::kB : Probe::kA)) != 0;
    }
    const Tensor before = alias_before_write(a, read);
    return assign(a, binary<F>(before, b.is_same(a) ? before : b, f));
  }
  // a source that overlaps the destination in another order would be read after it was written
  binary_into(f, a, overlap_partly(a, b) ? b.clone() : b, a, dtype);
  adopt_history(a, {});
  return a;
}
template <class F> const Tensor& binary_(const Tensor& a, Scalar b, const F& f = {}) {
  const OpRange here(in_place_name<F>.data(), a);
  check_defined(F::name, a);
  const Dtype dtype = result_type(a, b);
  return binary_<F>(a, constant(b, impl(a).shape.rank() > 0 ? compute_dtype(dtype) : dtype, Device::cpu()), f);
}

template <class F> Tensor compare(const Tensor& a, const Tensor& b) {
  const OpRange here(F::name, a, b);
  check_operands<F>(a, b);
  const Dtype compute = compute_dtype(result_type(a, b));
  Tensor out = binary_output<F>(a, b, Dtype::boolean);
  const Kernels& k = kernels(out);
  const F f;
  run_map(k, F::name, k.compare[fn::Compare::index<F>], &f, compute, Dtype::boolean, out, a, b);
  return out;
}
template <class F> Tensor compare(const Tensor& a, Scalar b) {
  const OpRange here(F::name, a);
  check_defined(F::name, a);
  return compare<F>(a, constant(b, result_type(a, b), Device::cpu()));
}

}  // namespace rill
