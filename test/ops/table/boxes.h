// Positions in boxes, for references of convolutions, pools and resizing.
#pragma once

#include "test/ops/table/catalogue.h"

namespace rill::optable {

using Int = std::int64_t;
using Values = std::vector<double>;

/// New tensors of the dtype and on the device of the first input.
inline Options options_of(const Args& a) { return options_of(a[0]); }

inline Int count_of(const Dims& sizes) {
  Int n = 1;
  for (Int s : sizes) n *= s;
  return n;
}
/// Calls f(position) for every position of a box, row-major.
template <class F> void each_position(const Dims& sizes, F f) {
  Dims at(sizes.rank(), 0);
  for (Int i = 0, n = count_of(sizes); i < n; ++i) {
    Int rest = i;
    for (int a = sizes.rank() - 1; a >= 0; --a) at[a] = rest % sizes[a], rest /= sizes[a];
    f(at);
  }
}
/// The element of p at a position, 0 outside.
inline double value_at(const Plain& p, const Dims& at) {
  Int i = 0;
  for (int a = 0; a < at.rank(); ++a) {
    if (at[a] < 0 || at[a] >= p.shape[a]) return 0;
    i = i * p.shape[a] + at[a];
  }
  return p.v[static_cast<std::size_t>(i)];
}
inline std::size_t offset_of(const Dims& sizes, const Dims& at) {
  Int i = 0;
  for (int a = 0; a < at.rank(); ++a) i = i * sizes[a] + at[a];
  return static_cast<std::size_t>(i);
}

}  // namespace rill::optable
