// Rows of maximum pools.
#include "backends/api/kernels/conv.h"

#include "backends/cpu/kernels/fill.h"

namespace rill::cpu::RILL_ARCH {
namespace {

using Int = std::int64_t;
constexpr Int kColumns = 64;  // windows side by side: their largest values and places stay in the first cache

/// Place is an integer as wide as T, so that both fill the same registers.
template <class T, class Place, int Stride> void max_windows(const MaxRow& r) {
  const T* x = static_cast<const T*>(r.x);
  const Int stride = Stride ? Stride : r.stride;
  for (Int first = 0; first < r.columns; first += kColumns) {
    const Int n = r.columns - first < kColumns ? r.columns - first : kColumns;
    T best[kColumns];
    Place where[kColumns];
    for (Int c = 0; c < n; ++c) best[c] = x[(first + c) * stride], where[c] = static_cast<Place>((first + c) * stride);
    for (Int i = 0; i < r.rows; ++i)
      for (Int k = 0; k < r.taps; ++k) {
        const Int shift = i * r.row_step + k * r.tap_step;
        const T* p = x + shift + first * stride;
        const Place from = static_cast<Place>(shift + first * stride);
        for (Int c = 0; c < n; ++c) {
          const T v = p[c * stride];
          const bool take = (v > best[c]) | (v != v);
          best[c] = take ? v : best[c];
          where[c] = take ? from + static_cast<Place>(c * stride) : where[c];
        }
      }
    T* y = static_cast<T*>(r.y) + first;
    for (Int c = 0; c < n; ++c) y[c] = best[c], r.index[first + c] = r.base + where[c];
  }
}
template <class T, class Place> void max_row(const MaxRow& r) {
  if (r.stride == 1) max_windows<T, Place, 1>(r);
  else if (r.stride == 2) max_windows<T, Place, 2>(r);
  else max_windows<T, Place, 0>(r);
}

}  // namespace

void fill_conv(ConvKernels& k) {
  k.max_row[static_cast<int>(Dtype::float32)] = &max_row<float, std::int32_t>;
  k.max_row[static_cast<int>(Dtype::float64)] = &max_row<double, std::int64_t>;
}

}  // namespace rill::cpu::RILL_ARCH
