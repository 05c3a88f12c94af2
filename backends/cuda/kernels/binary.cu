// Elementwise functions of two operands.
#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/map.h"

namespace rill::RILL_GPU {
namespace {

template <class F> void fill_one(MapSlots& slots) {
  for_types<F::domain, F>([&]<class T>(Dtype d) {
    slots[static_cast<int>(d)] = slot_of<ValueOf<F>, F, T, T, 2>();
  });
}
template <class... F> void fill_all(fn::List<F...>, MapKernels& k) {
  int i = 0;
  (..., fill_one<F>(k.binary[i++]));
}

}  // namespace

void fill_binary(MapKernels& k) { fill_all(fn::Binary{}, k); }

}  // namespace rill::RILL_GPU
