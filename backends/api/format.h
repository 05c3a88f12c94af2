// How the elements of a view lie in memory.
#pragma once

#include "backends/api/view.h"

namespace rill {

/// Side by side, row-major or, with `last`, with axis 1 innermost (channels-last). Axes of size 1 may have any stride.
inline bool has_format(const View& v, bool last) {
  std::int64_t step = 1;
  const auto fits = [&](int a) {
    const bool ok = v.sizes[a] == 1 || v.strides[a] == step;
    return step *= v.sizes[a], ok;
  };
  if (last && (v.rank < 3 || !fits(1))) return false;
  for (int a = v.rank - 1; a >= 0; --a)
    if ((!last || a != 1) && !fits(a)) return false;
  return true;
}

}  // namespace rill
