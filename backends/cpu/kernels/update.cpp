#include <utility>

#include "backends/api/kernels/update.h"
#include "backends/cpu/kernels/fill.h"
#include "backends/cpu/simd.h"

namespace rill::cpu::RILL_ARCH {
namespace {

template <class F, class T> void piece(const void* rule, const UpdateArgs& a) {
  using P = Pack<T>;
  const F f = *static_cast<const F*>(rule);  // a copy: stores through p could alias the original
  T* p = static_cast<T*>(a.p);
  const T* g = static_cast<const T*>(a.g);
  const auto walk = [&]<std::size_t... k>(std::index_sequence<k...>) __attribute__((always_inline)) {
    std::int64_t i = 0;
    for (; i + P::size <= a.n; i += P::size) {
      P x = P::load(p + i), state[] = {P::load(static_cast<T*>(a.state[k]) + i)..., P()};
      f(x, P::load(g + i), state[k]...);
      x.store(p + i);
      (..., state[k].store(static_cast<T*>(a.state[k]) + i));
    }
    if (const std::int64_t n = a.n - i; n > 0) {
      P x = P::load_part(p + i, n), state[] = {P::load_part(static_cast<T*>(a.state[k]) + i, n)..., P()};
      f(x, P::load_part(g + i, n), state[k]...);
      x.store_part(p + i, n);
      (..., state[k].store_part(static_cast<T*>(a.state[k]) + i, n));
    }
  };
  walk(std::make_index_sequence<F::states>{});
}

template <class F> void fill_one(UpdateSlots& slots) {
  static_assert(F::states <= kUpdateStates);
  slots[static_cast<int>(Dtype::float32)] = &piece<F, float>;
  slots[static_cast<int>(Dtype::float64)] = &piece<F, double>;
}
template <class... F> void fill_all(fn::List<F...>, UpdateKernels& k) {
  int i = 0;
  (..., fill_one<F>(k.update_piece[i++]));
}

}  // namespace

void fill_update(UpdateKernels& k) { fill_all(fn::Update{}, k); }

}  // namespace rill::cpu::RILL_ARCH
