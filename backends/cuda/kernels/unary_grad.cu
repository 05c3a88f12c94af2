// Gradients of elementwise functions of one operand.
#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/map.h"

namespace rill::RILL_GPU {
namespace {

template <class F> void fill_grad(MapSlots& slots) {
  for_types<fn::Domain::floating, F>([&]<class T>(Dtype d) {
    if constexpr (requires(T x, F f) { f.grad(x, x, x); })
      slots[static_cast<int>(d)] = slot_of<GradOf<F>, F, T, T, 3>();
  });
}
template <class... F> void fill_grads(fn::List<F...>, MapKernels& k) {
  int i = 0;
  (..., fill_grad<F>(k.unary_grad[i++]));
}

}  // namespace

void fill_unary_grad(MapKernels& k) { fill_grads(fn::Unary{}, k); }

}  // namespace rill::RILL_GPU
