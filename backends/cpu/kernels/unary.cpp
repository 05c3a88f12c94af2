#include "backends/cpu/kernels/fill.h"
#include "backends/cpu/kernels/map.h"

namespace rill::cpu::RILL_ARCH {
namespace {

template <class F> void fill_one(MapSlots& value, MapSlots& grad) {
  for_types<F::domain>([&]<class T>() {
    value[static_cast<int>(dtype_of<T>)] = &map1<F, T>;
    if constexpr (packed<T> && requires(Pack<T> p, F f) { f.grad(p, p, p); }) grad[static_cast<int>(dtype_of<T>)] = &map1_grad<F, T>;
  });
}
template <class... F> void fill_all(fn::List<F...>, MapKernels& k) {
  int i = 0;
  (..., (fill_one<F>(k.unary[i], k.unary_grad[i]), ++i));
}

}  // namespace

void fill_unary(MapKernels& k) { fill_all(fn::Unary{}, k); }

}  // namespace rill::cpu::RILL_ARCH
