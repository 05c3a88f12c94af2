#include "optim/strong_wolfe.h"

#include <algorithm>
#include <cmath>

namespace rill::optim {
namespace {

constexpr double kDecrease = 1e-4, kCurvature = 0.9, kNarrowest = 1e-9;

/// The minimum of the cubic through both points with their slopes, inside [low, high]; their middle where there is none (Nocedal and Wright, 3.59).
double cubic_minimum(const LinePoint& a, const LinePoint& b, double low, double high) {
  const LinePoint &l = a.t <= b.t ? a : b, &r = a.t <= b.t ? b : a;
  const double d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t), square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const double d2 = std::sqrt(square), t = r.t - (r.t - l.t) * ((r.slope + d2 - d1) / (r.slope - l.slope + 2 * d2));
  return std::min(std::max(t, low), high);
}

}  // namespace

LinePoint strong_wolfe(const LinePoint& start, double first, double reach, std::int64_t most, const std::function<LinePoint(double)>& at,
                       std::int64_t& evaluations) {
  const auto evaluate = [&](double t) {
    ++evaluations;
    return at(t);
  };
  const auto too_high = [&](const LinePoint& p) { return p.f > start.f + kDecrease * p.t * start.slope; };
  const auto flat_enough = [&](const LinePoint& p) { return std::fabs(p.slope) <= -kCurvature * start.slope; };

  // Walk outwards until the minimum lies between two neighbouring points.
  LinePoint before = start, now = evaluate(first);
  std::int64_t tries = 0;
  for (;; ++tries) {
    if (tries >= most) {
      before = start;
      break;
    }
    if (too_high(now) || (tries > 1 && now.f >= before.f)) break;
    if (flat_enough(now)) return now;
    if (now.slope >= 0) break;
    const double t = cubic_minimum(before, now, now.t + 0.01 * (now.t - before.t), now.t * 10);
    before = now;
    now = evaluate(t);
  }

  // Narrow the bracket; `low` is its end with the smaller loss.
  LinePoint low = before.f <= now.f ? before : now, high = before.f <= now.f ? now : before;
  for (bool crept = false; tries < most; ++tries) {
    const double left = std::min(low.t, high.t), right = std::max(low.t, high.t);
    if ((right - left) * reach < kNarrowest) break;
    double t = cubic_minimum(low, high, left, right);
    const double margin = 0.1 * (right - left);
    if (std::min(right - t, t - left) < margin) {  // close to an end: allowed once, then moved inwards
      if (crept || t >= right || t <= left) {
        t = std::fabs(t - right) < std::fabs(t - left) ? right - margin : left + margin;
        crept = false;
      } else {
        crept = true;
      }
    } else {
      crept = false;
    }
    now = evaluate(t);
    if (too_high(now) || now.f >= low.f) {
      high = now;
      if (high.f < low.f) std::swap(low, high);
      continue;
    }
    if (flat_enough(now)) return now;
    if (now.slope * (high.t - low.t) >= 0) high = low;
    low = now;
  }
  return low;
}

}  // namespace rill::optim
