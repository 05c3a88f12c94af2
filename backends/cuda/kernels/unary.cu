// Elementwise functions of one operand.
#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/map.h"

namespace rill::RILL_GPU {
namespace {

template <class F> void fill_value(MapSlots& slots) {
  for_types<F::domain, F>([&]<class T>(Dtype d) {
    slots[static_cast<int>(d)] = slot_of<ValueOf<F>, F, T, T, 1>();
  });
}
template <class... F> void fill_values(fn::List<F...>, MapKernels& k) {
  int i = 0;
  (..., fill_value<F>(k.unary[i++]));
}

}  // namespace

void fill_unary(MapKernels& k) { fill_values(fn::Unary{}, k); }

}  // namespace rill::RILL_GPU
