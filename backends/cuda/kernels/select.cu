// Comparisons, where, functions of three operands, and `map`, which lays out the operands of every elementwise call.
#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/map.h"

namespace rill::RILL_GPU {
namespace {

struct Select {
  template <class T> RILL_DEVICE T operator()(bool c, T x, T y) const { return c ? x : y; }
};

template <class F> void fill_compare(MapSlots& slots) {
  for_types<fn::Domain::all, F>([&]<class T>(Dtype d) {
    slots[static_cast<int>(d)] = slot_of<ValueOf<F>, F, T, bool, 2>();
  });
}
template <class F> void fill_ternary(MapSlots& slots) {
  for_types<fn::Domain::floating, F>([&]<class T>(Dtype d) {
    slots[static_cast<int>(d)] = slot_of<ValueOf<F>, F, T, T, 3>();
  });
}
template <class... F> void fill_compares(fn::List<F...>, MapKernels& k) {
  int i = 0;
  (..., fill_compare<F>(k.compare[i++]));
}
template <class... F> void fill_ternaries(fn::List<F...>, MapKernels& k) {
  int i = 0;
  (..., fill_ternary<F>(k.ternary[i++]));
}

/// Every operand with elements of its own holds 16-bit floats and can be loaded 16 bytes at a time.
template <int N> bool loads_halves(const Plan& p) {
  bool all = p.flat;
  for (int k = 0; k < N; ++k)
    if (k == 0 || p.strides[k][0] != 0) all &= (p.dtype[k] == Dtype::float16 || p.dtype[k] == Dtype::bfloat16) && reinterpret_cast<std::uintptr_t>(p.data[k]) % 16 == 0;
  return all;
}
template <int N> void map_parts(const MapSpec& spec, MapFn fn, const View& out, std::span<const View> in) {
  std::array<View, N> views{out};
  Dtype dtypes[N] = {out.dtype};
  for (int k = 1; k < N; ++k) views[static_cast<std::size_t>(k)] = in[static_cast<std::size_t>(k - 1)], dtypes[k] = in[static_cast<std::size_t>(k - 1)].dtype;
  const int items = size_of(spec.compute) == 8 ? kMapItems<double> : kMapItems<float>;
  for_each_part(LoopPlan<N>(views), [&](const LoopPlan<N>& part) {
    PlannedMap call{};
    call.plan = plan_of(part, dtypes, items);
    for (int k = 1; k < N; ++k)
      if (spec.numbers >> (k - 1) & 1) call.plan.take_number(k);
    call.plan.halves = spec.compute == Dtype::float32 && loads_halves<N>(call.plan);
    fn(spec.functor, call);
  });
}
void map(const MapSpec& spec, const View& out, std::span<const View> in) {
  const MapFn fn = (*spec.slots)[static_cast<int>(spec.compute)];
  switch (in.size()) {
    case 1: return map_parts<2>(spec, fn, out, in);
    case 2: return map_parts<3>(spec, fn, out, in);
    default: return map_parts<4>(spec, fn, out, in);
  }
}

}  // namespace

void fill_select(MapKernels& k) {
  fill_compares(fn::Compare{}, k);
  fill_ternaries(fn::Ternary{}, k);
  for_types<fn::Domain::all, Select>([&]<class T>(Dtype d) {
    k.where[static_cast<int>(d)] = slot_of<Select, Select, T, T, 3, bool>();
  });
  k.map = &map;
}

}  // namespace rill::RILL_GPU
