#include <rill/optim/schedule.h>

#include "test/optim/every.h"

#include "test/support/message.h"

using namespace rill;

TEST_CASE("decays have TensorFlow's rates", "[optim][schedule][goldens]") {
  using namespace optim;
  const std::int64_t steps[] = {0, 1, 25, 50, 99, 100, 101, 150, 199, 200, 201, 250, 300, 699, 700, 1500};
  std::map<std::string, int> seen;
  for (const OptionLine& l : option_lines("tf_lr_goldens.txt")) {
    INFO(l.text);
    ++seen[l.name];
    l.used = 0;
    const double base = l.number("base", 0), alpha = l.number("alpha", 0);
    const auto n = static_cast<std::int64_t>(l.number("steps", 0)), first = static_cast<std::int64_t>(l.number("first_steps", 0));
    Schedule s;
    if (l.name == "ExponentialDecay") s = ExponentialDecay{base, n, l.number("decay", 0), l.flag("staircase")};
    if (l.name == "NaturalExpDecay") s = NaturalExpDecay{base, n, l.number("decay", 0), l.flag("staircase")};
    if (l.name == "InverseTimeDecay") s = InverseTimeDecay{base, n, l.number("decay", 0), l.flag("staircase")};
    if (l.name == "PolynomialDecay") s = PolynomialDecay{base, n, l.number("end", 1e-4), l.number("power", 1), l.flag("cycle")};
    if (l.name == "PiecewiseConstant") s = PiecewiseConstant{{100, 200}, {1, 0.5, 0.1}};
    if (l.name == "CosineDecay") s = CosineDecay{base, n, alpha};
    if (l.name == "CosineDecayRestarts") s = CosineDecayRestarts{base, first, l.number("t_mul", 2), l.number("m_mul", 1), alpha};
    if (l.name == "LinearCosineDecay") s = LinearCosineDecay{base, n, l.number("periods", 0.5), alpha, l.number("beta", 1e-3)};
    REQUIRE(s);
    CHECK(l.used == l.options.size());
    std::vector<double> rates;
    for (const auto step : steps) rates.push_back(s(step));
    check_near(tensor(rates), l.numbers, l.name == "PiecewiseConstant" ? 2e-9 : 4e-7);  // TensorFlow computes in float32
  }
  CHECK(seen.size() == 8);
}

TEST_CASE("decays have the course's rates", "[optim][schedule]") {
  using namespace optim;
  const auto check = [](const Schedule& s, const std::vector<std::pair<std::int64_t, double>>& expected) {
    for (const auto& [step, rate] : expected) CHECK(s(step) == Approx(rate).margin(5.1e-11));
  };
  check(ExponentialDecay{.base = 0.1, .steps = 100, .decay = 0.96}, {{0, 0.1}, {50, 0.0979795897}, {100, 0.096}, {150, 0.0940604061}});
  check(ExponentialDecay{.base = 0.1, .steps = 100, .decay = 0.96, .staircase = true}, {{50, 0.1}, {99, 0.1}, {100, 0.096}, {200, 0.09216}});
  check(ExponentialDecay{.base = 0.8, .steps = 550, .decay = 0.99, .staircase = true}, {{549, 0.8}, {550, 0.792}, {5000, 0.7308137980}, {29999, 0.4649331313}});
  check(NaturalExpDecay{.base = 0.1, .steps = 100, .decay = 0.5}, {{50, 0.0778800783}, {100, 0.0606530660}});
  check(InverseTimeDecay{.base = 0.1, .steps = 100, .decay = 0.5}, {{50, 0.08}, {100, 0.0666666667}});
  check(InverseTimeDecay{.base = 0.1, .steps = 100, .decay = 0.5, .staircase = true}, {{50, 0.1}, {100, 0.0666666667}, {150, 0.0666666667}});
  check(PolynomialDecay{.base = 0.1, .steps = 100, .end = 0.01, .power = 0.5}, {{50, 0.0736396103}, {100, 0.01}, {150, 0.01}});
  check(PolynomialDecay{.base = 0.1, .steps = 100, .end = 0.01, .power = 0.5, .cycle = true}, {{101, 0.0733206128}, {150, 0.055}, {200, 0.01}, {250, 0.0467423461}});
  check(PiecewiseConstant{{100, 200}, {1, 0.5, 0.1}}, {{0, 1}, {100, 1}, {101, 0.5}, {200, 0.5}, {201, 0.1}});
  check(CosineDecay{.base = 0.1, .steps = 100, .alpha = 0.1}, {{25, 0.0868198052}, {50, 0.055}, {100, 0.01}, {150, 0.01}});
  check(CosineDecayRestarts{.base = 0.1, .first_steps = 100, .m_mul = 0.5}, {{50, 0.05}, {99, 2.46719817e-5}, {100, 0.05}, {200, 0.025}, {300, 0.025}, {700, 0.0125}});
  check(LinearCosineDecay{.base = 0.1, .steps = 100}, {{0, 0.1001}, {50, 0.0251}, {100, 0.0001}});
}

TEST_CASE("restarts begin exactly where the decay before ends", "[optim][schedule]") {
  const optim::CosineDecayRestarts s{.base = 1, .first_steps = 7, .t_mul = 3};
  std::int64_t start = 0, length = 7;
  for (int k = 0; k < 30; ++k, start += length, length *= 3) {
    CHECK(s(start) == 1);
    CHECK(s(start + length - 1) < 0.06);
  }
}

TEST_CASE("the noise of a schedule is a function of seed and step with the stated variance", "[optim][schedule]") {
  optim::NoisyLinearCosineDecay s{.base = 1, .steps = 100, .seed = 5};
  CHECK(s(3) == s(3));
  CHECK(s(3) != s(4));
  CHECK(s(100) == 1e-3);  // the factor of the noise is 0
  CHECK(s(250) == 1e-3);
  s.initial_variance = 0;
  for (const std::int64_t step : {0, 10, 60, 100}) CHECK(s(step) == optim::LinearCosineDecay{.base = 1, .steps = 100}(step));
  for (const auto& [step, variance] : {std::pair<std::int64_t, double>{0, 1}, {9, 0.2818382931}, {31, 0.1486508894}}) {
    const int n = 20000;
    const double share = static_cast<double>(step) / 100, factor = (1 + std::cos(3.14159265358979323846 * share)) / 2;
    double sum = 0, squares = 0;
    for (int k = 0; k < n; ++k) {
      const optim::NoisyLinearCosineDecay noisy{.base = 1, .steps = 100, .seed = static_cast<std::uint64_t>(k)};
      const double noise = (noisy(step) - 1e-3) / factor - (1 - share);
      sum += noise, squares += noise * noise;
    }
    CHECK(std::abs(sum / n) < 4 * std::sqrt(variance / n));
    CHECK(squares / n == Approx(variance).epsilon(0.04));  // four standard deviations
  }
}

TEST_CASE("decays refuse numbers that make no sense", "[optim][schedule]") {
  using namespace optim;
  CHECK(MESSAGE(ValueError, (ExponentialDecay{.base = 1, .steps = 0, .decay = 1}(0))) == "ExponentialDecay: step is 0 and steps 0; expected step >= 0 and steps >= 1");
  CHECK(MESSAGE(ValueError, (ExponentialDecay{.base = 1, .steps = 1, .decay = -1}(0))) == "ExponentialDecay: decay is -1; expected a finite number >= 0");
  CHECK(MESSAGE(ValueError, (NaturalExpDecay{.base = 1, .steps = 1, .decay = 1}(-1))) == "NaturalExpDecay: step is -1 and steps 1; expected step >= 0 and steps >= 1");
  CHECK(MESSAGE(ValueError, (InverseTimeDecay{.base = 1, .steps = 0, .decay = 1}(1))) == "InverseTimeDecay: step is 1 and steps 0; expected step >= 0 and steps >= 1");
  CHECK(MESSAGE(ValueError, (InverseTimeDecay{.base = 1, .steps = 1, .decay = -1}(1))) == "InverseTimeDecay: decay is -1; expected a finite number >= 0");
  CHECK(MESSAGE(ValueError, (PolynomialDecay{.base = 1, .steps = 0}(1))) == "PolynomialDecay: step is 1 and steps 0; expected step >= 0 and steps >= 1");
  CHECK(MESSAGE(ValueError, (PolynomialDecay{.base = 1, .steps = 1, .power = -1}(1))) == "PolynomialDecay: power is -1; expected a finite number >= 0");
  CHECK(MESSAGE(ValueError, (PiecewiseConstant{{1}, {1}}(0))) == "PiecewiseConstant: there are 1 values for 1 boundaries; expected one value more");
  CHECK(MESSAGE(ValueError, (PiecewiseConstant{{2, 2}, {1, 2, 3}}(0))) == "PiecewiseConstant: the boundaries do not increase");
  CHECK(MESSAGE(ValueError, (PiecewiseConstant{{}, {1}}(-1))) == "PiecewiseConstant: step is -1; expected step >= 0");
  CHECK(MESSAGE(ValueError, (CosineDecay{.base = 1, .steps = -1}(0))) == "CosineDecay: step is 0 and steps -1; expected step >= 0 and steps >= 1");
  CHECK(MESSAGE(ValueError, (CosineDecayRestarts{.base = 1, .first_steps = 0}(0))) == "CosineDecayRestarts: step is 0 and steps 0; expected step >= 0 and steps >= 1");
  CHECK(MESSAGE(ValueError, (CosineDecayRestarts{.base = 1, .first_steps = 1, .t_mul = 0.5}(0))) == "CosineDecayRestarts: t_mul is 0.5; expected a finite number >= 1");
  CHECK(MESSAGE(ValueError, (LinearCosineDecay{.base = 1, .steps = 0}(0))) == "LinearCosineDecay: step is 0 and steps 0; expected step >= 0 and steps >= 1");
  CHECK(MESSAGE(ValueError, (NoisyLinearCosineDecay{.base = 1, .steps = 0}(0))) == "NoisyLinearCosineDecay: step is 0 and steps 0; expected step >= 0 and steps >= 1");
  CHECK(MESSAGE(ValueError, (NoisyLinearCosineDecay{.base = 1, .steps = 1, .initial_variance = -1}(0))) == "NoisyLinearCosineDecay: initial_variance is -1; expected a finite number >= 0");
}
