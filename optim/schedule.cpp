#include <rill/optim/schedule.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "backends/api/functors/random.h"
#include "optim/hyper.h"

namespace rill::optim {
namespace {

void check_steps(const char* op, std::int64_t step, std::int64_t steps) {
  check<ValueError>(steps >= 1 && step >= 0, op, "step is {} and steps {}; expected step >= 0 and steps >= 1", step, steps);
}
/// step / steps, rounded down for a staircase.
double periods_done(const char* op, std::int64_t step, std::int64_t steps, bool staircase) {
  check_steps(op, step, steps);
  return staircase ? static_cast<double>(step / steps) : static_cast<double>(step) / static_cast<double>(steps);
}
/// 1 at x = 0, 0 at x = 1.
double half_cosine(double x) { return 0.5 * (1 + std::cos(std::numbers::pi * x)); }

double linear_cosine(double base, double share, double periods, double alpha, double beta) {
  return base * ((alpha + 1 - share) * half_cosine(2 * periods * share) + beta);
}

}  // namespace

double ExponentialDecay::operator()(std::int64_t step) const {
  check_at_least("ExponentialDecay", "decay", decay, 0);
  return base * std::pow(decay, periods_done("ExponentialDecay", step, steps, staircase));
}
double NaturalExpDecay::operator()(std::int64_t step) const {
  return base * std::exp(-decay * periods_done("NaturalExpDecay", step, steps, staircase));
}
double InverseTimeDecay::operator()(std::int64_t step) const {
  check_at_least("InverseTimeDecay", "decay", decay, 0);
  return base / (1 + decay * periods_done("InverseTimeDecay", step, steps, staircase));
}

double PolynomialDecay::operator()(std::int64_t step) const {
  check_steps("PolynomialDecay", step, steps);
  check_at_least("PolynomialDecay", "power", power, 0);
  const std::int64_t last = cycle ? steps * std::max<std::int64_t>(1, (step + steps - 1) / steps) : steps;
  const double left = 1 - static_cast<double>(std::min(step, last)) / static_cast<double>(last);
  return (base - end) * std::pow(left, power) + end;
}

double PiecewiseConstant::operator()(std::int64_t step) const {
  const char* op = "PiecewiseConstant";
  check<ValueError>(step >= 0, op, "step is {}; expected step >= 0", step);
  check<ValueError>(values.size() == boundaries.size() + 1, op, "there are {} values for {} boundaries; expected one value more", values.size(), boundaries.size());
  check<ValueError>(std::adjacent_find(boundaries.begin(), boundaries.end(), std::greater_equal<>()) == boundaries.end(), op, "the boundaries do not increase");
  return values[static_cast<std::size_t>(std::lower_bound(boundaries.begin(), boundaries.end(), step) - boundaries.begin())];
}

double CosineDecay::operator()(std::int64_t step) const {
  check_steps("CosineDecay", step, steps);
  const double share = static_cast<double>(std::min(step, steps)) / static_cast<double>(steps);
  return base * ((1 - alpha) * half_cosine(share) + alpha);
}

double CosineDecayRestarts::operator()(std::int64_t step) const {
  check_steps("CosineDecayRestarts", step, first_steps);
  check_at_least("CosineDecayRestarts", "t_mul", t_mul, 1);
  // Walked from decay to decay, so that the first step of each is exact; with a logarithm it could round to the one before.
  double at = static_cast<double>(step), length = static_cast<double>(first_steps), height = 1;
  if (t_mul == 1) {
    height = std::pow(m_mul, static_cast<double>(step / first_steps));
    at = static_cast<double>(step % first_steps);
  } else {
    for (; at >= length; length *= t_mul, height *= m_mul) at -= length;
  }
  return base * ((1 - alpha) * height * half_cosine(at / length) + alpha);
}

double LinearCosineDecay::operator()(std::int64_t step) const {
  check_steps("LinearCosineDecay", step, steps);
  return linear_cosine(base, static_cast<double>(std::min(step, steps)) / static_cast<double>(steps), periods, alpha, beta);
}

double NoisyLinearCosineDecay::operator()(std::int64_t step) const {
  check_steps("NoisyLinearCosineDecay", step, steps);
  check_at_least("NoisyLinearCosineDecay", "initial_variance", initial_variance, 0);
  const std::int64_t s = std::min(step, steps);
  const auto [w] = philox_block(seed, static_cast<std::uint64_t>(step), 0);
  double cosine, sine;
  fn::turn(w[2], w[3], cosine, sine);
  const double normal = fn::radius_of(fn::positive_uniform_of(w[0], w[1])) * cosine;
  const double noise = normal * std::sqrt(initial_variance / std::pow(1 + static_cast<double>(s), variance_decay));
  return linear_cosine(base, static_cast<double>(s) / static_cast<double>(steps), periods, alpha + noise, beta);
}

}  // namespace rill::optim
