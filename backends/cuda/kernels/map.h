// Elementwise kernels: one for each functor and compute type, for any layout and dtype of the operands.
#pragma once

#include "backends/api/kernels/map.h"
#include "backends/cuda/kernels/elements.h"
#include "backends/cuda/kernels/plan.h"

namespace rill::RILL_GPU {

/// What `map` hands to a slot: the plan says everything.
struct PlannedMap : MapArgs {
  Plan plan;
};
template <class T> inline constexpr int kMapItems = sizeof(T) == 8 ? 2 : 4;  // elements of a thread: 16 bytes of float or double
inline constexpr int kMapThreads = 256;

/// out[i] = f(in[0][i], ...). First is the type of the first operand.
template <class F, class T, class Out, int Arity, class First = T> struct MapKernel {
  static constexpr int kThreads = kMapThreads, kItems = kMapItems<T>;
  static constexpr bool kHalves = std::is_same_v<T, float> && std::is_same_v<Out, float> && std::is_same_v<First, float>;
  F f;
  Plan plan;

  /// Elements of a thread. Of 16-bit floats it takes two groups, so that it loads 16 bytes, too.
  RILL_FN static std::uint32_t items_of(const Plan& plan) { return kHalves && plan.halves ? 2 * kItems : kItems; }
  RILL_DEVICE void operator()(Team& team) const {
    const std::uint32_t items = items_of(plan), tile = static_cast<std::uint32_t>(team.block()) * kThreads * items, thread = static_cast<std::uint32_t>(team.thread());
    const std::uint32_t first = tile + thread * items;
    if (plan.flat && first + items <= plan.numel) return side_by_side(first);
    RILL_NO_UNROLL
    for (std::uint32_t j = 0; j < items; ++j) {  // neighbouring threads work on neighbouring elements
      const std::uint32_t i = plan.flat ? first + j : tile + j * kThreads + thread;
      if (i >= plan.numel) return;
      std::int64_t at[Arity + 1];
      plan.offsets(i, at);
      const First a = load_element<First>(plan.input(1) + at[1], plan.dtype[1]);
      Out y;
      if constexpr (Arity == 1) y = f(a);
      else if constexpr (Arity == 2) y = f(a, load_element<T>(plan.input(2) + at[2], plan.dtype[2]));
      else y = f(a, load_element<T>(plan.input(2) + at[2], plan.dtype[2]), load_element<T>(plan.input(3) + at[3], plan.dtype[3]));
      store_element<Out>(y, plan.data[0] + at[0], plan.dtype[0]);
    }
  }

 private:
  struct alignas(16) Words {  // two groups of four 16-bit floats
    std::uint64_t group[2];
  };
  template <class X> RILL_DEVICE void load(std::uint32_t first, int k, X (&x)[kItems]) const {
    if (plan.strides[k][0] != 0) return load_elements(plan.data[k] + static_cast<std::int64_t>(first) * plan.strides[k][0], plan.dtype[k], x);
    const X one = load_element<X>(plan.input(k), plan.dtype[k]);
    RILL_UNROLL
    for (int j = 0; j < kItems; ++j) x[j] = one;
  }
  RILL_DEVICE void side_by_side(std::uint32_t first) const {
    Words in[Arity], out{};
    const int groups = kHalves && plan.halves ? 2 : 1;
    if constexpr (kHalves) {
      RILL_UNROLL
      for (int k = 1; k <= Arity; ++k)
        if (plan.halves && plan.strides[k][0] != 0) in[k - 1] = *reinterpret_cast<const Words*>(plan.data[k] + static_cast<std::int64_t>(first) * 2);
    }
    RILL_NO_UNROLL
    for (int g = 0; g < groups; ++g) {
      First a[kItems];
      T b[kItems], c[kItems];
      load_group(first, g, 1, in[0], a);
      if constexpr (Arity > 1) load_group(first, g, 2, in[1], b);
      if constexpr (Arity > 2) load_group(first, g, 3, in[2], c);
      Out y[kItems];
      RILL_UNROLL
      for (int j = 0; j < kItems; ++j) {
        if constexpr (Arity == 1) y[j] = f(a[j]);
        else if constexpr (Arity == 2) y[j] = f(a[j], b[j]);
        else y[j] = f(a[j], b[j], c[j]);
      }
      if constexpr (kHalves)
        if (plan.halves) {
          const std::uint64_t packed = pack_halves(y, plan.dtype[0]);
          if (g == 0) out.group[0] = packed;
          else out.group[1] = packed;
          continue;
        }
      store_elements(y, plan.data[0] + static_cast<std::int64_t>(first) * plan.strides[0][0], plan.dtype[0]);
    }
    if constexpr (kHalves)
      if (plan.halves) *reinterpret_cast<Words*>(plan.data[0] + static_cast<std::int64_t>(first) * 2) = out;
  }
  template <class X> RILL_DEVICE void load_group(std::uint32_t first, [[maybe_unused]] int g, int k, [[maybe_unused]] const Words& in, X (&x)[kItems]) const {
    if constexpr (kHalves)
      if (plan.halves && plan.strides[k][0] != 0) return unpack_halves(g == 0 ? in.group[0] : in.group[1], plan.dtype[k], x);
    load(first, k, x);
  }
};

/// A slot of the table, called as `map` has planned it.
template <class Wrapped, class F, class T, class Out, int Arity, class First> void run_slot(const void* f, const MapArgs& a) {
  using K = MapKernel<Wrapped, T, Out, Arity, First>;
  const Plan& plan = static_cast<const PlannedMap&>(a).plan;
  const std::int64_t blocks = blocks_for(plan.numel, K::kThreads * K::items_of(plan));
  if constexpr (std::is_empty_v<F>) launch(K{{}, plan}, blocks);
  else launch(K{{*static_cast<const F*>(f)}, plan}, blocks);
}
/// The slot of what is computed in T. Wrapped holds a functor F, whose value comes with every call.
template <class Wrapped, class F, class T, class Out, int Arity, class First = T> constexpr MapFn slot_of() { return &run_slot<Wrapped, F, T, Out, Arity, First>; }

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
