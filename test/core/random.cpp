// Golden values: test/oracle/random_values.py.
#include "test/support/catch.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <thread>

#include <rill/core/random.h>
#include <rill/core/threads.h>
#include <rill/ops/create.h>
#include <rill/ops/dropout.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/random.h>
#include <rill/ops/view.h>

#include "lib/core/philox.h"
#include "lib/core/tensorflow_random.h"
#include "test/support/message.h"

using namespace rill;

namespace {

constexpr int kAt[] = {0, 1, 15, 16, 17, 31, 32, 48, 63, 64, 65, 130};

/// A generator whose next call is number `call`.
Generator at_call(std::uint64_t seed, int call) {
  Generator g(seed);
  for (int i = 0; i < call; ++i) g.random64();
  return g;
}
void check_at(const Tensor& x, const std::vector<double>& expected, double tolerance) {
  const auto values = x.to_vector<double>();
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(std::abs(values[static_cast<std::size_t>(kAt[i])] - expected[i]) <= tolerance * std::max(1.0, std::abs(expected[i])));
}
void check_values(const Tensor& x, const std::vector<double>& expected, double tolerance = 0) {
  const auto values = x.to_vector<double>();
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(std::abs(values[i] - expected[i]) <= tolerance);
}
Generator torch() { return Generator::torch_compatible(1234); }

struct Moments { double mean, variance, skew, kurtosis; };
Moments moments(const Tensor& x) {
  const auto v = x.to_vector<double>();
  const double n = static_cast<double>(v.size());
  double m = 0, m2 = 0, m3 = 0, m4 = 0;
  for (double a : v) m += a / n;
  for (double a : v) m2 += (a - m) * (a - m) / n, m3 += std::pow(a - m, 3) / n, m4 += std::pow(a - m, 4) / n;
  return {m, m2, m3 / std::pow(m2, 1.5), m4 / (m2 * m2)};
}

}  // namespace

TEST_CASE("philox gives the published test vectors", "[core][random]") {
  // Salmon et al. 2011, known-answer tests of Random123: counter and key all zero, all ones, digits of pi
  const auto zero = philox_block(0, 0, 0), ones = philox_block(~0ull, ~0ull, ~0ull);
  const auto pi = philox_block(0x299f31d0a4093822ull, 0x85a308d3243f6a88ull, 0x0370734413198a2eull);
  const std::uint32_t z[] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, o[] = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}, p[] = {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};
  for (int i = 0; i < 4; ++i) {
    CHECK(zero.w[i] == z[i]);
    CHECK(ones.w[i] == o[i]);
    CHECK(pi.w[i] == p[i]);
  }
}

TEST_CASE("random values never change between releases", "[core][random]") {
  check_at(rand({131}, {}, at_call(42, 3)), {0.040308356285095215, 0.5221080183982849, 0.10200035572052002, 0.445625901222229, 0.11550432443618774, 0.994362473487854, 0.7230342626571655,
      0.5981499552726746, 0.6069380640983582, 0.7265819311141968, 0.2648458480834961, 0.24877721071243286}, 0);
  check_at(rand({131}, {.dtype = float64}, at_call(42, 3)), {0.44562593499205727, 0.11550436064650016, 0.9943624739772641, 0.5981500017743171, 0.24869197017114142, 0.6069380648307884, 0.026644298044634418,
      0.003757959522077692, 0.9833538607346912, 0.43188324910629083, 0.7980819871381316, 0.6891196879469046}, 0);
  check_at(randn({131}, {}, at_call(42, 3)), {-2.387778813991125, 0.8527862265200657, 2.135376238720029, 0.8490602020093115, 0.7566486363375449, -0.07567013764476199, -0.6570045117021975,
      -0.4657707065085038, -1.2216436319123414, 0.7880806674472712, -1.5882282877399485, 0.47887358226520244}, 3e-7);
  check_at(randn({131}, {.dtype = float64}, at_call(42, 3)), {-1.0372309467711558, 0.01707569225291281, -0.0832206346919646, -0.735324922992536, 2.077643475471603, -0.06619123552778522, 2.69189871922372,
      0.06357280916508116, -0.06286627517753776, -0.8666125524038931, -0.4561804888939435, 0.226620688758656}, 1e-15);
  check_values(randint(-7, 93, {8}, {}, at_call(42, 3)), {37, 52, 4, 17, 82, 54, 64, 29});
  // 16-bit uniforms are the upper bits of the same words
  const auto f = rand({131}, {}, at_call(42, 3)).to_vector<double>(), h = rand({131}, {.dtype = float16}, at_call(42, 3)).to_vector<double>(),
             b = rand({131}, {.dtype = bfloat16}, at_call(42, 3)).to_vector<double>();
  for (std::size_t i = 0; i < f.size(); ++i) {
    CHECK(h[i] == std::floor(f[i] * 2048) / 2048);
    CHECK(b[i] == std::floor(f[i] * 256) / 256);
  }
}

TEST_CASE("a draw depends on seed, stream and call only", "[core][random]") {
  const int before = num_threads();
  const Shape shape{300007};
  std::vector<std::vector<double>> first;
  for (int threads : {1, 2, 3, 7}) {
    set_num_threads(threads);
    Generator g(5);
    const std::vector<std::vector<double>> all{rand(shape, {}, g).to_vector<double>(), randn(shape, {.dtype = float64}, g).to_vector<double>(),
                                               randint(1000, shape, {}, g).to_vector<double>(), dropout(ones(shape), 0.3, true, g).to_vector<double>(),
                                               poisson(full(shape, 20.), g).to_vector<double>(), multinomial(ones({500, 40}), 7, {}, g).to_vector<double>()};
    if (first.empty()) first = all;
    CHECK(all == first);
  }
  set_num_threads(before);
  CHECK(rand({70}, {}, Generator(5)).to_vector<float>() == std::vector<float>(first[0].begin(), first[0].begin() + 70));  // a prefix
  CHECK(rand({4}, {}, Generator(5, 1)).to_vector<double>() != rand({4}, {}, Generator(5, 0)).to_vector<double>());
  Generator g(5);
  CHECK(rand({4}, {}, g).to_vector<double>() != rand({4}, {}, g).to_vector<double>());
  CHECK_THROWS_WITH(Generator(1, 65536), "Generator: stream 65536 is too large; streams are 0 to 65535");
}

TEST_CASE("strides do not change what is drawn", "[core][random]") {
  const Tensor plain = empty({6, 5}), turned = empty({5, 6}).t(), part = zeros({6, 10});
  uniform_(plain, -1, 1, Generator(3));
  uniform_(turned, -1, 1, Generator(3));
  uniform_(part.narrow(1, 5, 5), -1, 1, Generator(3));
  CHECK(turned.to_vector<float>() == plain.to_vector<float>());
  CHECK(part.narrow(1, 5, 5).to_vector<float>() == plain.to_vector<float>());
  CHECK(part.narrow(1, 0, 5).to_vector<float>() == std::vector<float>(30, 0));
  CHECK(rand({0, 3}).numel() == 0);
  CHECK(rand({}).dim() == 0);
}

TEST_CASE("the torch-compatible generator gives PyTorch's values", "[core][random]") {
  check_values(rand({4}, {}, torch()), {0.028979241847991943, 0.4018985629081726, 0.25984418392181396, 0.3666413426399231});
  check_values(rand({3}, {.dtype = float64}, torch()), {0.2318341720884639, 0.07875386135027063, 0.46640616040796923});
  Generator half = torch();
  const std::vector<double> halves = {0.0289764404296875, 0.40185546875, 0.259765625, 0.3671875, 0.058349609375, 0.69921875};
  check_values(rand({3}, {.dtype = float16}, half), {halves.begin(), halves.begin() + 3});
  check_values(rand({3}, {.dtype = bfloat16}, half), {halves.begin() + 3, halves.end()});
  check_values(randn({5}, {}, torch()), {0.0461304634809494, 0.4024028182029724, -1.0115290880203247, 0.2167382389307022, -0.612273097038269});
  check_values(randn({16}, {}, torch()), {-0.1117185652256012, -0.49659010767936707, 0.16307370364665985, -0.8816877603530884, 0.05390019342303276, 0.668373703956604, -0.05965760722756386,
      -0.46749794483184814, -0.21525293588638306, 0.8839616179466248, -0.7584168910980225, -0.3688679039478302, -0.3423936069011688, -1.4019718170166016,
      0.3206479847431183, -1.021857500076294}, 5e-7);
  check_values(randn({17}, {}, torch()), {-0.1117185652256012, -0.09228753298521042, -0.704919695854187, -1.6023621559143066, 0.2890971899032593, 0.4898708462715149, -0.38527461886405945,
      -0.7120345830917358, 0.6369126439094543, -1.459438681602478, 0.220659077167511, 0.24625207483768463, -1.3248119354248047, 0.6969805359840393,
      -0.6630538702011108, 1.215756893157959, -2.5273351669311523}, 5e-7);
  check_values(randn({10, 10}, {}, torch()), {-0.1117185652256012, -0.49659010767936707, 0.16307370364665985, -0.8816877603530884, 0.05390019342303276, 0.668373703956604, -0.05965760722756386,
      -0.46749794483184814, -0.21525293588638306, 0.8839616179466248, -0.7584168910980225, -0.3688679039478302, -0.3423936069011688, -1.4019718170166016,
      0.3206479847431183, -1.021857500076294, 0.7988325953483582, -0.09228753298521042, -0.704919695854187, -1.6023621559143066, 0.2890971899032593,
      0.4898708462715149, -0.38527461886405945, -0.7120345830917358, -0.17061349749565125, -1.459438681602478, 0.220659077167511, 0.24625207483768463,
      -1.3248119354248047, 0.6969805359840393, -0.6630538702011108, 1.215756893157959, -1.4948757886886597, 0.8809611201286316, -1.178647518157959,
      -0.9339950084686279, -0.567545473575592, -0.2772276699542999, -2.1833977699279785, 0.3668263554573059, 0.9380273818969727, 0.00781648512929678,
      -0.3138604760169983, -1.156704306602478, 1.8408576250076294, -1.0174322128295898, 1.2192405462265015, 0.16012676060199738, 1.5984976291656494,
      -0.04686056077480316, -1.5269923210144043, -2.014254570007324, -1.517266035079956, 0.38774266839027405, -1.1848554611206055, 0.689673900604248,
      1.3231912851333618, 1.81693696975708, 0.6807650923728943, 0.7243660092353821, 0.03231069818139076, -1.6592768430709839, -1.8773292303085327,
      0.7372459769248962, 0.9257423877716064, 0.9246960878372192, 0.18253564834594727, -0.0736977607011795, 0.31467846035957336, -1.0369007587432861,
      0.21004197001457214, 0.6144274473190308, 0.06279586255550385, -0.329674631357193, -1.7969683408737183, 0.8728177547454834, 0.7669646143913269,
      -0.11378122121095657, -0.9428192377090454, 0.7540221214294434, 0.14072845876216888, -0.6936872005462646, -0.6158936023712158, -0.72954922914505,
      1.320447325706482, 1.5996969938278198, -1.0792428255081177, -0.3396097421646118, -1.453809142112732, -2.674006700515747, 1.5983688831329346,
      0.8021378517150879, 0.5721772909164429, 0.06528875231742859, -0.023459021002054214, 0.8876056671142578, 1.4689033031463623, 1.2646983861923218,
      -0.2752739489078522, -0.1325375884771347}, 1e-6);
  check_values(randn({20}, {.dtype = float64}, torch()), {-0.0883100793877292, 0.34204875400356316, 0.41116805645419313, 1.005114995835244, 0.6002920138526922, -0.8768780416078871, 0.964895913336925,
      -0.1925576631186533, 0.11481509212436923, -0.19519943298065903, -0.5214548780935009, 0.8718474295522535, -0.5610347730799743, 0.1900124208030391,
      -0.165964817558905, 0.9106620907519217, -0.3660114751930042, 0.08526555321521527, 1.0005828096392164, -0.09616418484199843}, 1e-15);
  check_values(randint(-5, 100, {8}, {}, torch()), {85, 76, 16, 0, 51, 59, 22, 55});
  check_values(randint(0, std::int64_t{1} << 40, {3}, {}, torch()), {204000912083, 166721346613, 878802328948});
  check_values(randperm(10, {}, torch()), {5, 4, 8, 2, 6, 9, 1, 7, 0, 3});
  check_values(bernoulli_(empty({12}), 0.3, torch()), {1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0});
  check_values(bernoulli(full({12}, 0.3), torch()), {1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0});
  check_values(exponential_(empty({3}), 2.0, torch()), {0.13187482953071594, 0.041014011949300766, 0.31406015157699585});
  check_values(dropout(ones({8}), 0.7, true, torch()), {3.3333332538604736, 3.3333332538604736, 0.0, 0.0, 0.0, 3.3333332538604736, 3.3333332538604736, 3.3333332538604736});
  CHECK(random_(empty({3}, {.dtype = int64}), torch()).to_vector<std::int64_t>() == std::vector<std::int64_t>{3532910284440527571, 2252509165406510133, 8074651545468362100});
  check_values(multinomial(tensor({1., 2., 3., 4.}), 3, {}, torch()), {1, 3, 2});
  check_values(multinomial(tensor({1., 2., 3., 4.}), 8, {.replacement = true}, torch()), {1, 0, 2, 2, 2, 1, 1, 1});
  check_values(normal_(empty({4}), 2, 3, torch()), {2.1383914947509766, 3.2072083950042725, -1.0345872640609741, 2.650214672088623});
  Generator mixed = torch();
  const Tensor a = randn({3}, {}, mixed), u = rand({2}, {}, mixed), b = randn({2}, {}, mixed);
  const std::vector<double> m = {0.0461304634809494, 0.4024028182029724, -1.0115290880203247, 0.6738061308860779, 0.33146196603775024, 0.2167382389307022, -0.08205454796552658};  // the second normal of a pair waits in the generator
  check_values(a, {m.begin(), m.begin() + 3});
  check_values(u, {m.begin() + 3, m.begin() + 5});
  check_values(b, {m.begin() + 5, m.end()});
}

TEST_CASE("the default weights of a linear layer are PyTorch's", "[core][random]") {
  // kaiming_uniform(a = sqrt 5) of a [3, 4] weight is uniform in +-1/sqrt(4); the bias has the same bound
  Generator g = torch();
  const Tensor weight = uniform_(empty({3, 4}), -0.5, 0.5, g), bias = uniform_(empty({3}), -0.5, 0.5, g);
  const std::vector<double> all = {-0.47102075815200806, -0.09810143709182739, -0.24015581607818604, -0.1333586573600769, -0.4416992664337158, 0.20064473152160645,
      -0.44820261001586914, -0.03186076879501343, 0.17380613088607788, -0.16853803396224976, 0.28370803594589233, 0.06306320428848267, 0.2748504877090454,
      0.32080256938934326, -0.2207234501838684};
  check_values(weight, {all.begin(), all.begin() + 12}, 3e-8);
  check_values(bias, {all.begin() + 12, all.end()}, 3e-8);
}

TEST_CASE("distributions have their moments", "[core][random]") {
  Generator g(2024);
  const Shape shape{1000, 1000};
  for (Dtype d : {float32, float64}) {
    const Options o{.dtype = d};
    const Moments u = moments(rand(shape, o, g)), n = moments(normal(2, 3, shape, o, g)), e = moments(exponential_(empty(shape, o), 2, g));
    CHECK(u.mean == Approx(0.5).margin(1.5e-3));
    CHECK(u.variance == Approx(1.0 / 12).margin(4e-4));
    CHECK(n.mean == Approx(2).margin(0.015));
    CHECK(n.variance == Approx(9).margin(0.06));
    CHECK(n.skew == Approx(0).margin(0.012));
    CHECK(n.kurtosis == Approx(3).margin(0.03));
    CHECK(e.mean == Approx(0.5).margin(2.5e-3));
    CHECK(e.variance == Approx(0.25).margin(4e-3));
  }
  CHECK(moments(bernoulli_(empty(shape), 0.3, g)).mean == Approx(0.3).margin(2e-3));
  CHECK(moments(bernoulli(full(shape, 0.85), g)).mean == Approx(0.85).margin(2e-3));
  const Moments low = moments(poisson(full(shape, 3.5, {.dtype = float64}), g)), high = moments(poisson(full(shape, 50., {.dtype = float64}), g));
  CHECK(low.mean == Approx(3.5).margin(0.01));
  CHECK(low.variance == Approx(3.5).margin(0.03));
  CHECK(high.mean == Approx(50).margin(0.04));
  CHECK(high.variance == Approx(50).margin(0.4));
  CHECK(high.skew == Approx(1 / std::sqrt(50.0)).margin(0.012));
  CHECK(moments(geometric_(empty(shape), 0.25, g)).mean == Approx(4).margin(0.02));
  CHECK(moments(gumbel_(empty(shape), g)).mean == Approx(0.5772157).margin(6e-3));
  CHECK(moments(log(log_normal_(empty(shape, {.dtype = float64}), 1, 0.5, g))).variance == Approx(0.25).margin(2e-3));
  const Moments t = moments(trunc_normal_(empty(shape), 0, 1, -2, 2, g));
  CHECK(t.mean == Approx(0).margin(4e-3));
  CHECK(t.variance == Approx(0.773741).margin(4e-3));  // 1 - 4 phi(2) / (2 Phi(2) - 1)
  const auto c = cauchy_(empty({100001}), 3, 2, g).to_vector<double>();
  std::vector<double> sorted = c;
  std::sort(sorted.begin(), sorted.end());
  CHECK(sorted[50000] == Approx(3).margin(0.05));
  CHECK(sorted[75000] == Approx(5).margin(0.1));
}

TEST_CASE("bounds are half open", "[core][random]") {
  Generator g(1);
  const double end = 1 + 0x1p-21;  // four floats
  int outside = 0;
  for (float v : uniform_(empty({200000}), 1, end, g).to_vector<float>()) outside += v < 1.0f || v >= static_cast<float>(end);
  CHECK(outside == 0);
  std::set<int> seen;
  for (int v : randint(-2, 3, {1000}, {.dtype = int32}, g).to_vector<int>()) seen.insert(v);
  CHECK(seen == std::set<int>{-2, -1, 0, 1, 2});
  CHECK(bernoulli_(empty({1000}), 1, g).to_vector<float>() == std::vector<float>(1000, 1));
  CHECK(bernoulli_(empty({1000}), 0, g).to_vector<float>() == std::vector<float>(1000, 0));
  CHECK(bernoulli(ones({1000}, {.dtype = float64}), g).to_vector<float>() == std::vector<float>(1000, 1));
  CHECK_THROWS_WITH(randint(3, 3, {2}), "randint: there is no integer in [3, 3); low must be below high");
  CHECK_THROWS_WITH(randint(0, 300, {2}, {.dtype = uint8}), "randint: [0, 300) does not fit in uint8, which holds 0 to 255");
  CHECK_THROWS_AS(rand({2}, {.dtype = int64}), DtypeError);
  CHECK_THROWS_WITH(bernoulli_(empty({2}), 1.5), "bernoulli_: the probability 1.5 is outside [0, 1]");
  CHECK_THROWS_AS(bernoulli(tensor({0.5, 1.5})), ValueError);
  CHECK_THROWS_AS(normal(0, -1, {2}), ValueError);
}

TEST_CASE("a permutation holds every number once, in every order equally often", "[core][random]") {
  auto p = randperm(1000, {}, Generator(3)).to_vector<int>();
  std::sort(p.begin(), p.end());
  std::vector<int> all(1000);
  std::iota(all.begin(), all.end(), 0);
  CHECK(p == all);
  int count[6] = {};
  Generator g(4);
  for (int i = 0; i < 60000; ++i) {
    const auto q = randperm(3, {}, g).to_vector<int>();
    ++count[q[0] * 2 + (q[1] > q[2])];
  }
  for (int c : count) CHECK(std::abs(c - 10000) < 500);
}

TEST_CASE("multinomial follows its weights", "[core][random]") {
  Generator g(8);
  const Tensor w = tensor({{1., 2., 0., 5.}, {4., 0., 4., 0.}});
  std::vector<int> count(8);
  const auto v = multinomial(w, 80000, {.replacement = true}, g).to_vector<int>();
  for (std::size_t i = 0; i < v.size(); ++i) ++count[i / 80000 * 4 + static_cast<std::size_t>(v[i])];
  const int expected[] = {10000, 20000, 0, 50000, 40000, 0, 40000, 0};
  for (int i = 0; i < 8; ++i) CHECK(std::abs(count[static_cast<std::size_t>(i)] - expected[i]) <= (expected[i] ? 700 : 0));
  // the first of two without replacement follows the weights; the pair (3, 1) has 5/8 * 2/3
  int first = 0, pair = 0;
  const auto two = multinomial(w.narrow(0, 0, 1).expand({80000, 4}), 2, {}, g).to_vector<int>();
  for (std::size_t i = 0; i < two.size(); i += 2) first += two[i] == 3, pair += two[i] == 3 && two[i + 1] == 1;
  CHECK(std::abs(first - 50000) < 700);
  CHECK(std::abs(pair - 33333) < 700);
  CHECK_THROWS_WITH(multinomial(w, 3), "multinomial: 3 samples without replacement, but row 1 has 2 positive weights");
  CHECK_THROWS_WITH(multinomial(tensor({1., -2.}), 1), "multinomial: weight 1 of row 0 is -2; weights must be finite and not negative");
}

TEST_CASE("a saved state continues where it was saved", "[core][random]") {
  for (Generator g : {Generator(77, 3), Generator::torch_compatible(77)}) {
    randn({5}, {}, g);  // leaves a spare normal
    const Tensor state = g.state();
    const auto draw = [&](const Generator& from) {
      auto v = randn({5}, {}, from).to_vector<double>();
      for (double u : rand({700}, {}, from).to_vector<double>()) v.push_back(u);
      return v;
    };
    const Generator copy = g.clone();
    const auto expected = draw(g);
    CHECK(draw(copy) == expected);
    Generator other(1);
    other.set_state(state);
    CHECK(draw(other) == expected);
    CHECK(other.is_torch_compatible() == g.is_torch_compatible());
    CHECK(other.initial_seed() == 77);
    g.manual_seed(77);
    randn({5}, {}, g);
    CHECK(draw(g) == expected);
    Tensor broken = state.clone();
    broken[0].fill_(0);
    CHECK_THROWS_AS(other.set_state(broken), ValueError);
    CHECK_THROWS_AS(other.set_state(state.narrow(0, 0, 20)), ValueError);
    CHECK_THROWS_AS(other.set_state(zeros({8})), ValueError);
  }
}

TEST_CASE("the default generator can be seeded, replaced and scoped", "[core][random]") {
  const Generator before = default_generator();
  manual_seed(9);
  const auto a = rand({3}).to_vector<float>();
  CHECK(a == rand({3}, {}, Generator(9)).to_vector<float>());
  {
    GeneratorScope scope(Generator(10));
    CHECK(rand({3}).to_vector<float>() == rand({3}, {}, Generator(10)).to_vector<float>());
    std::vector<float> other;
    std::thread([&] { manual_seed(9), other = rand({3}).to_vector<float>(); }).join();  // scopes belong to their thread
    CHECK(other == a);
  }
  set_default_generator(Generator::torch_compatible());
  manual_seed(1234);
  check_values(rand({4}), {0.028979241847991943, 0.4018985629081726, 0.25984418392181396, 0.3666413426399231});
  set_default_generator(before);
}

TEST_CASE("threads may share one generator", "[core][random]") {
  Generator g(6);
  std::vector<std::vector<double>> drawn(4);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : drawn) threads.emplace_back([&g, &mine] { for (int i = 0; i < 250; ++i) mine.push_back(g.uniform()); });
  }
  std::vector<double> all;
  for (auto& v : drawn) all.insert(all.end(), v.begin(), v.end());
  std::sort(all.begin(), all.end());
  Generator alone(6);
  std::vector<double> expected;
  for (int i = 0; i < 1000; ++i) expected.push_back(alone.uniform());
  std::sort(expected.begin(), expected.end());
  CHECK(all == expected);
}

TEST_CASE("dropout zeroes, scales and repeats its mask in backward", "[core][random]") {
  for (Generator g : {Generator(12), Generator::torch_compatible(12)}) {
    for (Dtype d : {float32, float64, float16, bfloat16}) {
      const Tensor x = ones({100, 100}, {.dtype = d}).requires_grad_();
      const Tensor y = dropout(x, 0.25, true, g);
      double kept = 0;
      int wrong = 0;
      for (double v : y.to_vector<double>()) wrong += v != 0 && std::abs(v - 4.0 / 3) > 0.01, kept += v != 0;
      CHECK(wrong == 0);
      CHECK(kept / 10000 == Approx(0.75).margin(0.02));
      y.backward(ones({100, 100}, {.dtype = d}));
      CHECK(x.grad().to_vector<double>() == y.to_vector<double>());
    }
    const Tensor x = ones({4, 3, 2, 2});
    CHECK(dropout(x, 0.5, false, g).is_same(x));
    CHECK(dropout(x, 1, true, g).to_vector<float>() == std::vector<float>(48, 0));
    const auto f = dropout2d(x, 0.5, true, g).to_vector<float>();
    for (std::size_t i = 0; i < f.size(); ++i) CHECK(f[i] == f[i / 4 * 4]);
    const Moments m = moments(alpha_dropout(randn({300, 300}, {}, g), 0.3, true, g));
    CHECK(m.mean == Approx(0).margin(0.02));
    CHECK(m.variance == Approx(1).margin(0.03));
  }
  CHECK_THROWS_WITH(dropout(ones({2}), 1.5), "dropout: the probability 1.5 is outside [0, 1]");
  CHECK_THROWS_WITH(dropout(ones({2}, {.dtype = int64})), "dropout: int64 is not supported (expected a floating dtype)");
  CHECK_THROWS_WITH(feature_dropout(ones({2})), "feature_dropout: float32 [2] has rank 1; expected at least [N, C]");
}

TEST_CASE("masks compare the words of their elements with the probability", "[core][random]") {
  for (double p : {0.0, 1e-10, 0.1, 0.5, 0.75, 1.0}) {
    const Draw draw{42, 0};
    std::vector<float> expected32, expected64, dropped;
    for (std::uint64_t i = 0; i < 300; ++i) {
      const double word = philox_block(draw.seed, 16 * (i / 64) + i % 16, draw.call).w[i % 64 / 16], high = philox_block(draw.seed, 16 * (i / 32) + i % 16, draw.call).w[i % 32 / 16 * 2 + 1];
      expected32.push_back(word < p * 4294967296.0);
      expected64.push_back(high < p * 4294967296.0);
      dropped.push_back(word < p * 4294967296.0 ? static_cast<float>(i) * static_cast<float>(1 / p) : 0.0f);
    }
    CHECK(bernoulli_(empty({300}), p, Generator(42)).to_vector<float>() == expected32);
    CHECK(bernoulli(full({300}, p, {.dtype = float64}), Generator(42)).to_vector<float>() == expected64);
    CHECK(bernoulli_(empty({300}, {.dtype = float64}), p, Generator(42)).to_vector<float>() == expected64);
    if (p > 0.01) CHECK(dropout(arange(300.), 1 - p, true, Generator(42)).to_vector<float>() == dropped);
  }
}

TEST_CASE("random fills obey the rules of writes", "[core][random]") {
  const Tensor leaf = ones({3}).requires_grad_();
  CHECK_THROWS_AS(leaf.uniform_(), GradError);
  const Tensor y = leaf * 2;
  const auto version = y.version();
  y.normal_();
  CHECK(y.version() == version + 1);
  CHECK_FALSE(y.requires_grad());
  CHECK_THROWS_AS(ones({1}).expand({3}).uniform_(), ValueError);
}

TEST_CASE("the TensorFlow-compatible generator gives the values of TensorFlow 1.15's CPU kernels", "[core][random]") {
  // the key (87654321, op seed 1): what an op with seed=1 has in a graph without a seed
  const auto seeded = [] { return Generator::tensorflow_compatible(1); };
  const TensorFlowRandom stream(87654321, 1);
  const std::uint32_t first[] = {0xab1e98c7, 0xcdf5cfa7, 0xf1867731, 0x4c3f748e}, second[] = {0x00eaf265, 0xc4836362, 0xa50b474a, 0x8f3a73d9};
  for (int i = 0; i < 4; ++i) {
    CHECK(stream.words(0).w[i] == first[i]);
    CHECK(stream.words(1).w[i] == second[i]);
  }
  check_values(rand({6}, {}, seeded()), {0.23903739, 0.92039955, 0.05051243, 0.49574447, 0.83552229, 0.02647042}, 5e-9);
  check_values(randn({8}, {}, seeded()), {-0.8113182, 1.4845988, 0.06532937, -2.4427042, 0.0992484, 0.5912243, 0.592823, -2.1229296}, 3e-7);
  Tensor x = empty({12});
  trunc_normal_(x, 0, 1, -2, 2, seeded());
  check_values(x, {-0.8113182, 1.4845988, 0.06532937, 0.0992484, 0.6396971, 1.6108713, 0.1635356, -1.5157056, 1.3587774, 0.5417413, -0.8600988, -0.0040246}, 3e-7);
  check_values(randn({4}, {}, Generator::tensorflow_compatible(2, 1)), {-1.0467793, 0.8397046, 1.2358364, 2.0637853}, 3e-7);  // set_random_seed(1), seed=2
  check_values(normal(3, 2, {2}, {}, seeded()), {3 + 2 * -0.8113182, 3 + 2 * 1.4845988}, 1e-6);

  const Generator g = seeded();  // the second run of the same op goes on in its stream
  check_values(randn({2}, {}, g), {-0.8113182, 1.4845988}, 3e-7);
  const Tensor saved = g.state();
  const Generator twin = g.clone(), loaded;
  loaded.set_state(saved);
  for (const Generator& next : {g, twin, loaded}) check_values(randn({2}, {}, next), {1.3587774, 0.5417413}, 3e-7);
  g.manual_seed(87654321);
  check_values(randn({2}, {}, g), {-0.8113182, 1.4845988}, 3e-7);

  const TensorFlowRandom reduced(2147483647, 2147483650), zero(0, 2147483647);
  CHECK((reduced.seed == 0 && reduced.op_seed == 3));
  CHECK((zero.seed == 0 && zero.op_seed == 2147483647));
}

TEST_CASE("what TensorFlow's stream has no values for is refused", "[core][random]") {
  const Generator g = Generator::tensorflow_compatible(1);
  CHECK(MESSAGE(DtypeError, rand({2}, {.dtype = float64}, g)) == "uniform_: a TensorFlow-compatible generator makes float32 values, not float64");
  const std::string other = "Generator: a TensorFlow-compatible generator makes uniform, normal and truncated normal values only; use another generator here";
  CHECK(MESSAGE(ValueError, randperm(3, {}, g)) == other);
  CHECK(MESSAGE(ValueError, dropout(ones({2}), 0.5, true, g)) == other);
  CHECK(MESSAGE(ValueError, g.random64()) == other);
  CHECK(MESSAGE(ValueError, trunc_normal_(empty({2}), 0, 1, -1, 1, g)) == "trunc_normal_: a TensorFlow-compatible generator cuts at two deviations, -2 to 2, not at -1 and 1");
}
