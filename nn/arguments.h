// Checks of what layers are made with. A layer refuses impossible numbers when it is made, not at its first input.
#pragma once

#include <rill/ops/conv.h>

#include "lib/core/check.h"

namespace rill::nn {

/// ValueError unless a size (number of channels, features, ...) is at least 1.
inline void check_size(const char* layer, const char* what, std::int64_t size) {
  check<ValueError>(size >= 1, layer, "{} is {}; it must be at least 1", what, size);
}
/// ValueError unless there is one value, or one per axis, and none is below `least`.
inline void check_axes(const char* layer, const char* what, const PerAxis& values, int axes, std::int64_t least) {
  check<ValueError>(values.count() == 1 || values.count() == axes, layer, "{} has {} values; give one, or one for each of {} axes", what, values.count(), axes);
  for (int i = 0; i < values.count(); ++i) check<ValueError>(values[i] >= least, layer, "{} is {}; it must be at least {}", what, values[i], least);
}
inline void check_probability(const char* layer, double p) { check<ValueError>(p >= 0 && p <= 1, layer, "the probability {} is outside [0, 1]", p); }
inline void check_positive(const char* layer, const char* what, double v) { check<ValueError>(v > 0, layer, "{} is {}; it must be above 0", what, v); }

}  // namespace rill::nn
