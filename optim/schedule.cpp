#include <rill/optim/schedule.h>

#include <cmath>

#include "lib/core/check.h"

namespace rill::optim {

double ExponentialDecay::operator()(std::int64_t step) const {
  check<ValueError>(steps >= 1 && step >= 0, "ExponentialDecay", "step is {} and steps {}; expected step >= 0 and steps >= 1", step, steps);
  const double exponent = staircase ? static_cast<double>(step / steps) : static_cast<double>(step) / static_cast<double>(steps);
  return base * std::pow(decay, exponent);
}

}  // namespace rill::optim
