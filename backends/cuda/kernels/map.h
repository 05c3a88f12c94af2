// Elementwise kernels: one for each functor and compute type, for any layout and dtype of the operands.
#pragma once

#include "backends/api/kernels/map.h"
#include "backends/cuda/kernels/elements.h"
#include "backends/cuda/kernels/plan.h"

namespace rill::RILL_GPU {

/// What `map` hands to a slot: `scalars` has this bit, and the plan says everything.
inline constexpr unsigned kPlanned = 1u << 31;
struct PlannedMap : MapArgs {
  Plan plan;
};
template <class T> inline constexpr int kMapItems = sizeof(T) == 8 ? 2 : 4;  // elements of a thread: 16 bytes of float or double
inline constexpr int kMapThreads = 256;

/// out[i] = f(in[0][i], ...). First is the type of the first operand.
template <class F, class T, class Out, int Arity, class First = T> struct MapKernel {
  static constexpr int kThreads = kMapThreads, kItems = kMapItems<T>;
  F f;
  Plan plan;

  RILL_DEVICE void operator()(Team& team) const {
    const auto tile = static_cast<std::uint32_t>(team.block()) * (kThreads * kItems), thread = static_cast<std::uint32_t>(team.thread());
    const std::uint32_t first = tile + thread * kItems;
    if (plan.flat && first + kItems <= plan.numel) return side_by_side(first);
    RILL_NO_UNROLL
    for (int j = 0; j < kItems; ++j) {  // neighbouring threads work on neighbouring elements
      const std::uint32_t i = plan.flat ? first + static_cast<std::uint32_t>(j) : tile + static_cast<std::uint32_t>(j) * kThreads + thread;
      if (i >= plan.numel) return;
      std::int64_t at[Arity + 1];
      plan.offsets(i, at);
      const First a = load_element<First>(plan.data[1] + at[1], plan.dtype[1]);
      Out y;
      if constexpr (Arity == 1) y = f(a);
      else if constexpr (Arity == 2) y = f(a, load_element<T>(plan.data[2] + at[2], plan.dtype[2]));
      else y = f(a, load_element<T>(plan.data[2] + at[2], plan.dtype[2]), load_element<T>(plan.data[3] + at[3], plan.dtype[3]));
      store_element<Out>(y, plan.data[0] + at[0], plan.dtype[0]);
    }
  }

 private:
  template <class X> RILL_DEVICE void load(std::uint32_t first, int k, X (&x)[kItems]) const {
    if (plan.strides[k][0] != 0) return load_elements(plan.data[k] + static_cast<std::int64_t>(first) * plan.strides[k][0], plan.dtype[k], x);
    const X one = load_element<X>(plan.data[k], plan.dtype[k]);
    RILL_UNROLL
    for (int j = 0; j < kItems; ++j) x[j] = one;
  }
  RILL_DEVICE void side_by_side(std::uint32_t first) const {
    First a[kItems];
    T b[kItems], c[kItems];
    load(first, 1, a);
    if constexpr (Arity > 1) load(first, 2, b);
    if constexpr (Arity > 2) load(first, 3, c);
    Out y[kItems];
    RILL_UNROLL
    for (int j = 0; j < kItems; ++j) {
      if constexpr (Arity == 1) y[j] = f(a[j]);
      else if constexpr (Arity == 2) y[j] = f(a[j], b[j]);
      else y[j] = f(a[j], b[j], c[j]);
    }
    store_elements(y, plan.data[0] + static_cast<std::int64_t>(first) * plan.strides[0][0], plan.dtype[0]);
  }
};

inline constexpr std::int64_t kOne = 1;
inline View row(void* data, Dtype dtype, const std::int64_t& n) { return {data, dtype, 1, &n, &kOne, n, true}; }
inline View single(void* data, Dtype dtype) { return {data, dtype, 0, nullptr, nullptr, 1, true}; }

/// A slot of the table: of operands that are side by side in `dtype`, or as `map` has planned it.
template <class F, class T, class Out, int Arity, class First = T> void map_slot(const F& f, const MapArgs& a, Dtype dtype) {
  using K = MapKernel<F, T, Out, Arity, First>;
  const auto start = [&](const Plan& plan) { launch(K{f, plan}, blocks_for(plan.numel, K::kThreads * K::kItems)); };
  if (a.scalars & kPlanned) return start(static_cast<const PlannedMap&>(a).plan);
  std::array<View, Arity + 1> views;
  Dtype dtypes[Arity + 1];
  for (int k = 0; k <= Arity; ++k) {
    const bool one = k > 0 && (a.scalars >> (k - 1) & 1);
    dtypes[k] = k == 0 && std::is_same_v<Out, bool> ? Dtype::boolean : k == 1 && std::is_same_v<First, bool> ? Dtype::boolean : dtype;
    views[static_cast<std::size_t>(k)] = one ? single(const_cast<void*>(a.in[k - 1]), dtypes[k]) : row(k ? const_cast<void*>(a.in[k - 1]) : a.out, dtypes[k], a.n);
  }
  for_each_part(LoopPlan<Arity + 1>(views), [&](const LoopPlan<Arity + 1>& part) { start(plan_of(part, dtypes, K::kItems)); });
}

template <class Wrapped, class F, class T, class Out, int Arity, class First, Dtype dtype> void run_slot(const void* f, const MapArgs& a) {
  if constexpr (std::is_empty_v<F>) map_slot<Wrapped, T, Out, Arity, First>({}, a, dtype);
  else map_slot<Wrapped, T, Out, Arity, First>({*static_cast<const F*>(f)}, a, dtype);
}
/// The slot for a dtype that is computed in T. Wrapped holds a functor F, whose value comes with every call.
template <class Wrapped, class F, class T, class Out, int Arity, class First = T> MapFn slot_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::uint8: return &run_slot<Wrapped, F, T, Out, Arity, First, Dtype::uint8>;
    case Dtype::int8: return &run_slot<Wrapped, F, T, Out, Arity, First, Dtype::int8>;
    case Dtype::int16: return &run_slot<Wrapped, F, T, Out, Arity, First, Dtype::int16>;
    default: return &run_slot<Wrapped, F, T, Out, Arity, First, dtype_of<T>>;
  }
}

// Note [Calls]: what takes hundreds of instructions is called instead of inlined four times: kernels compile faster and keep their registers.
// For double that is every function that is not plain arithmetic.
using Heavy = fn::List<fn::Lgamma, fn::Digamma, fn::Trigamma, fn::Erfinv, fn::Pow, fn::Fmod, fn::Remainder, fn::FloorDivide, fn::TruncDivide, fn::Gcd, fn::Gelu, fn::GeluTanh,
                       fn::Sin, fn::Cos, fn::Tan, fn::Sinc, fn::Atan2, fn::Hypot>;
template <class F, class T> inline constexpr bool is_called =
    Heavy::index<F> >= 0 || (std::is_same_v<T, double> && [] { if constexpr (requires { F::domain; }) return F::domain == fn::Domain::floating; else return false; }());

template <class F, class... V> RILL_DEVICE_CALL auto call_value(F f, V... x) { return f.value(x...); }
template <class F, class V> RILL_DEVICE_CALL V call_grad(F f, V g, V x, V y) { return f.grad(g, x, y); }

template <class F> struct ValueOf {
  F f;
  template <class V, class... W> RILL_DEVICE auto operator()(V x, W... y) const {
    if constexpr (is_called<F, V>) return call_value(f, x, y...);
    else return f.value(x, y...);
  }
};
template <class F> struct GradOf {
  F f;
  template <class V> RILL_DEVICE V operator()(V g, V x, V y) const {
    if constexpr (is_called<F, V>) return call_grad(f, g, x, y);
    else return f.grad(g, x, y);
  }
};

/// Calls put.template operator()<T>(dtype) for every dtype of a domain with the type that it is computed in. Narrow integers are computed in
/// int32 and wrap when they are stored, which gives the same result; not with the constants of F, which are limited to the range of T.
template <fn::Domain D, class F, class Put> void for_types(Put put) {
  if constexpr (D != fn::Domain::integers) put.template operator()<float>(Dtype::float32), put.template operator()<double>(Dtype::float64);
  if constexpr (D != fn::Domain::floating) {
    put.template operator()<std::int32_t>(Dtype::int32), put.template operator()<std::int64_t>(Dtype::int64);
    if constexpr (std::is_empty_v<F>) {
      for (const Dtype narrow : {Dtype::uint8, Dtype::int8, Dtype::int16}) put.template operator()<std::int32_t>(narrow);
    } else {
      put.template operator()<std::uint8_t>(Dtype::uint8), put.template operator()<std::int8_t>(Dtype::int8), put.template operator()<std::int16_t>(Dtype::int16);
    }
  }
  if constexpr (D == fn::Domain::all || D == fn::Domain::integers) put.template operator()<bool>(Dtype::boolean);
}

}  // namespace rill::RILL_GPU
