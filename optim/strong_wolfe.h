// Line search along a direction of descent.
#pragma once

#include <cstdint>
#include <functional>

#include <rill/core/tensor.h>

namespace rill::optim {

/// Loss f at step length t, its gradient g and its slope g.d.
struct LinePoint {
  double t = 0, f = 0, slope = 0;
  Tensor g;
};

/// A point that fulfils the strong Wolfe conditions f(t) <= f(0) + 1e-4 t slope(0), |slope(t)| <= 0.9 |slope(0)|, or the best one after 1 + `most`
/// evaluations: bracketing and zooming with cubic interpolation (Nocedal and Wright 2006, algorithms 3.5 and 3.6). `first` is the
/// step length that is tried first, `reach` the largest |d|, `evaluations` is counted up.
LinePoint strong_wolfe(const LinePoint& start, double first, double reach, std::int64_t most, const std::function<LinePoint(double t)>& at,
                       std::int64_t& evaluations);

}  // namespace rill::optim
