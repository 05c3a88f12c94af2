#include "backends/cpu/kernels/fill.h"
#include "backends/cpu/kernels/map.h"

namespace rill::cpu::RILL_ARCH {
namespace {

/// Functors of an instruction or two: long arrays are bound by memory.
template <class F, class... Few> inline constexpr bool is_any_of = (... || std::is_same_v<F, Few>);
template <class F> inline constexpr bool few_instructions = is_any_of<F, fn::Add, fn::Sub, fn::Mul, fn::Div, fn::Maximum, fn::Minimum>;
template <class F, class T> inline MapFn of_avx2 = nullptr;
/// AVX-512 leaves long arrays to AVX2: two operands and a result that just fit into the last cache stay there when they are worked on by halves of
/// a line, and often not when by whole lines (Zen 4; bench row bcast_add_row: 1.47 -> 0.98 ms on one thread).
template <class F, class T> void map2_by_halves(const void* f, const MapArgs& a) {
  constexpr std::int64_t kLong = 256;
  if (a.n >= kLong) return of_avx2<F, T>(f, a);
  map2<F, T>(f, a);
}

template <class F> void fill_one(MapSlots& slots) {
  for_types<F::domain>([&]<class T>() {
    MapFn& slot = slots[static_cast<int>(dtype_of<T>)];
    if constexpr (packed<T> && sizeof(Pack<float>) == 64 && few_instructions<F>) of_avx2<F, T> = slot, slot = &map2_by_halves<F, T>;
    else slot = &map2<F, T>;
  });
}
template <class F> void fill_compare(MapSlots& slots) {
  for_types<fn::Domain::all>([&]<class T>() { slots[static_cast<int>(dtype_of<T>)] = &compare2<F, T>; });
}
template <class F> void fill_ternary(MapSlots& slots) {
  for_types<fn::Domain::floating>([&]<class T>() { slots[static_cast<int>(dtype_of<T>)] = &map3<F, T>; });
}
template <class... F> void fill_all(fn::List<F...>, MapKernels& k) {
  int i = 0;
  (..., fill_one<F>(k.binary[i++]));
}
template <class... F> void fill_compares(fn::List<F...>, MapKernels& k) {
  int i = 0;
  (..., fill_compare<F>(k.compare[i++]));
}
template <class... F> void fill_ternaries(fn::List<F...>, MapKernels& k) {
  int i = 0;
  (..., fill_ternary<F>(k.ternary[i++]));
}

/// in[0]: condition as bool; in[1], in[2]: T.
template <class T> void select(const void*, const MapArgs& a) {
  const bool* c = static_cast<const bool*>(a.in[0]);
  const T *x = static_cast<const T*>(a.in[1]), *y = static_cast<const T*>(a.in[2]);
  T* out = static_cast<T*>(a.out);
  const std::int64_t sc = !(a.scalars & 1), sx = !(a.scalars & 2), sy = !(a.scalars & 4);
  if (sc && sx && sy)
    for (std::int64_t i = 0; i < a.n; ++i) out[i] = c[i] ? x[i] : y[i];
  else
    for (std::int64_t i = 0; i < a.n; ++i) out[i] = c[i * sc] ? x[i * sx] : y[i * sy];
}

}  // namespace

void fill_binary(MapKernels& k) {
  fill_all(fn::Binary{}, k);
  fill_compares(fn::Compare{}, k);
  fill_ternaries(fn::Ternary{}, k);
  for_types<fn::Domain::all>([&]<class T>() { k.where[static_cast<int>(dtype_of<T>)] = &select<T>; });
}

}  // namespace rill::cpu::RILL_ARCH
