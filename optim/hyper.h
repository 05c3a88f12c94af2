// Checks of hyper-parameters; the sentence names the legal range. NaN is never legal.
#pragma once

#include <cmath>

#include "lib/core/check.h"

namespace rill::optim {

inline void check_at_least(const char* op, const char* name, double value, double low) {
  check<ValueError>(std::isfinite(value) && value >= low, op, "{} is {}; expected a finite number >= {}", name, value, low);
}
inline void check_above(const char* op, const char* name, double value, double low) {
  check<ValueError>(std::isfinite(value) && value > low, op, "{} is {}; expected a finite number > {}", name, value, low);
}
/// A decay or a share: 1 is legal.
inline void check_share(const char* op, const char* name, double value) {
  check<ValueError>(value >= 0 && value <= 1, op, "{} is {}; expected a number in [0, 1]", name, value);
}
/// Where 1 would divide by 0.
inline void check_below_one(const char* op, const char* name, double value) {
  check<ValueError>(value >= 0 && value < 1, op, "{} is {}; expected a number in [0, 1)", name, value);
}

}  // namespace rill::optim
