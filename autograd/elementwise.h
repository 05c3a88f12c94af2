// What all elementwise ops share: dtype rules, the fast path, in-place forms and the tape.
#pragma once

#include "autograd/autocast.h"
#include "autograd/inplace.h"
#include "autograd/reads.h"
#include "autograd/record.h"
#include "autograd/tensor_vocabulary.h"
#include "backends/api/backend.h"
#include "lib/core/op_range.h"
#include "lib/core/parallel.h"

namespace rill {

inline constexpr std::int64_t kGrain = 16 << 10;  // elements per task: small enough for exp, large enough for add

/// The dtype a floating dtype is computed in: 16-bit types compute in float32.
constexpr Dtype compute_dtype(Dtype d) { return d == Dtype::float16 || d == Dtype::bfloat16 ? Dtype::float32 : d; }

/// The dtype of f(x) for a functor of domain D; throws DtypeError when it takes no such input.
template <class F> Dtype unary_dtype(Dtype in) {
  if (is_floating(in)) return in;
  if constexpr (F::domain == fn::Domain::floating) return default_dtype();
  check<DtypeError>(in != Dtype::boolean, F::name, "bool is not supported (expected a floating or integer dtype); convert with .to()");
  return in;
}

// Note [Numbers beside device tensors]: a number in an expression (x * 2) is a CPU tensor of rank 0, and elementwise ops take one beside tensors of
// any device: its value travels in the parameters of the launch.
inline bool is_number(const Tensor& t) { return impl(t).device.is_cpu() && impl(t).shape.rank() == 0; }
/// The device that operands share, numbers aside; throws DeviceError.
Device common_device(const char* op, std::initializer_list<const Tensor*> operands);
/// Runs an elementwise kernel over operands of any layout and dtype.
void map_tensors(const Kernels& k, const MapSpec& spec, const Tensor& out, std::initializer_list<const Tensor*> in);

/// Runs one elementwise kernel; contiguous operands of one dtype skip the loop plan.
template <class... T> void run_map(const Kernels& k, const char* op, const MapSlots& slots, const void* functor, Dtype compute, Dtype result, const Tensor& out, const T&... in) {
  const MapFn fn = slots[static_cast<int>(compute)];
  if (!fn) [[unlikely]] fail<Unimplemented>(op, "no kernel for {} on {}", compute, impl(out).device);
  const auto& o = impl(out);
  // an operand is handed over as it is when it has the output's layout or is one value
  unsigned scalars = 0, bit = 1;
  auto fits = [&](const TensorImpl& t) {
    if (t.numel == 1 && o.numel != 1) scalars |= bit;
    else if (!t.contiguous || !(t.shape == o.shape)) return false;
    bit <<= 1;
    return t.dtype == compute;
  };
  if (o.device.is_cpu() && o.contiguous && o.dtype == result && (... && fits(impl(in)))) [[likely]] {
    if (o.numel <= kGrain) {
      if (o.numel) fn(functor, {o.data, {impl(in).data...}, o.numel, scalars});
      return;
    }
    const auto size = static_cast<std::int64_t>(size_of(compute)), out_size = static_cast<std::int64_t>(size_of(result));
    return parallel_for(o.numel, kGrain, [&](std::int64_t b, std::int64_t e) {
      MapArgs args{o.data + b * out_size, {impl(in).data...}, e - b, scalars};
      for (int i = 0; i < static_cast<int>(sizeof...(in)); ++i)
        if (!(scalars >> i & 1)) args.in[i] = static_cast<const std::byte*>(args.in[i]) + b * size;
      fn(functor, args);
    });
  }
  map_tensors(k, {&slots, functor, compute, result, kGrain}, out, {&in...});
}

template <class F> void unary_into(const F& f, const Tensor& x, const Tensor& out, Dtype dtype) {
  const Kernels& k = kernels(x);
  run_map(k, F::name, k.unary[fn::Unary::index<F>], &f, compute_dtype(dtype), compute_dtype(dtype), out, x);
}

/// A gradient made by a formula may be smaller than its operand (a constant): bring it to the operand's shape.
Tensor expand_gradient(const Tensor& g, const Tensor& like);

/// The gradient of a unary op: one fused pass, or the formula on tensors when the backward pass is recorded.
template <class F> struct UnaryGrad {
  static constexpr bool kReadsX = (unary_reads<F>() & Probe::kA) != 0, kReadsY = (unary_reads<F>() & Probe::kOutput) != 0;
  [[no_unique_address]] F f;
  [[no_unique_address]] std::conditional_t<kReadsX, Saved, detail::Nothing> x;
  Tensor run(const Tensor& g, const Tensor* y) const {
    const Tensor& in = [&]() -> const Tensor& { if constexpr (kReadsX) return x(); else return g; }();
    const Tensor& out = kReadsY ? *y : g;
    if (thread_state.grad_enabled && (recording(g) || (kReadsX && recording(in)) || (kReadsY && recording(out)))) return expand_gradient(f.template grad<Tensor>(g, in, out), g);
    Tensor result = make_like(kReadsX ? in : out, impl(g).dtype);
    const Dtype compute = compute_dtype(impl(g).dtype);
    const Kernels& k = kernels(g);
    run_map(k, F::name, k.unary_grad[fn::Unary::index<F>], &f, compute, compute, result, g, in, out);
    return result;
  }
};
template <class F> struct UnaryGradOfInput : UnaryGrad<F> {
  Tensor operator()(const Tensor& g) const { return this->run(g, nullptr); }
};
template <class F> struct UnaryGradOfOutput : UnaryGrad<F> {
  Tensor operator()(const Tensor& g, const Tensor& y) const { return this->run(g, &y); }
};

template <class F> inline constexpr bool has_gradient = requires(Probe p, F f) { f.grad(p, p, p); };

/// "abs_" of "abs": what profiles call the in-place form.
template <class F> inline constexpr auto in_place_name = [] {
  constexpr std::string_view name = F::name;
  std::array<char, name.size() + 2> s{};
  std::copy(name.begin(), name.end(), s.begin());
  s[name.size()] = '_';
  return s;
}();

template <class F, class... List> inline constexpr bool is_one_of = (... || std::is_same_v<F, List>);
/// Functions that autocast computes in float32: their results need more digits or range than 16 bits have.
template <class F> inline constexpr bool autocasts_to_float32 = is_one_of<F, fn::Acos, fn::Asin, fn::Cosh, fn::Erfinv, fn::Exp, fn::Expm1, fn::Log, fn::Log10, fn::Log1p, fn::Log2,
                                                                         fn::Reciprocal, fn::Rsqrt, fn::Sinh, fn::Softplus, fn::Square, fn::Tan>;

template <class F> Tensor unary(const Tensor& x, const F& f = {}) {
  if constexpr (autocasts_to_float32<F>)
    if (amp::on()) [[unlikely]] return amp::in_float32([&f](const Tensor& t) { return unary<F>(t, f); }, x);
  const OpRange here(F::name, x);
  check_defined(F::name, x);
  const Dtype dtype = unary_dtype<F>(impl(x).dtype);
  Tensor out = make_like(x, dtype);
  unary_into(f, x, out, dtype);
  if (!recording(x)) return out;
  if constexpr (has_gradient<F>) {
    using G = std::conditional_t<UnaryGrad<F>::kReadsY, UnaryGradOfOutput<F>, UnaryGradOfInput<F>>;
    G formula;
    formula.f = f;
    if constexpr (G::kReadsX) formula.x = save(x);
    return record_known(F::name, std::move(out), grad(x, std::move(formula)));
  } else {
    return record_known(F::name, std::move(out), grad(x, [](const Tensor&) -> Tensor { no_second_gradient(F::name); }));
  }
}

template <class F> Tensor unary_(const Tensor& x, const F& f = {}) {
  const OpRange here(in_place_name<F>.data(), x);
  check_defined(F::name, x);
  constexpr bool read = [] {
    if constexpr (has_gradient<F>) return (unary_reads<F>() & Probe::kA) != 0;
    else return false;
  }();
  return in_place(F::name, x, unary_dtype<F>(impl(x).dtype), recording(x), [&] { return unary<F>(alias_before_write(x, read), f); }, [&](const Tensor& out, Dtype d) { unary_into(f, x, out, d); });
}

}  // namespace rill
