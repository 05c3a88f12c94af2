// Whole trainings with published results: a course's notebooks on TensorFlow 1, whose recorded outputs are the numbers below.
#include "test/support/near.h"

#include <random>

#include <rill/ops/elementwise.h>
#include <rill/ops/linalg.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>
#include <rill/optim/adagrad.h>
#include <rill/optim/adam.h>
#include <rill/optim/proximal.h>
#include <rill/optim/rms_prop.h>
#include <rill/optim/schedule.h>
#include <rill/optim/sgd.h>

using namespace rill;

namespace {

/// NumPy's RandomState(1).rand().
class NumpyRandom {
 public:
  double operator()() {
    const double high = static_cast<double>(words_() >> 5), low = static_cast<double>(words_() >> 6);
    return (high * 67108864 + low) / 9007199254740992;
  }

 private:
  std::mt19937 words_{1};
};

/// 128 points of the unit square in row-major order.
std::vector<double> points(NumpyRandom& next) {
  std::vector<double> x;
  for (int i = 0; i < 256; ++i) x.push_back(next());
  return x;
}
Tensor column(const std::vector<double>& v) { return tensor(v).to(float32).reshape({-1, 1}); }
Tensor batch(const Tensor& all, int step) { return narrow(all, 0, step * 8 % 128, 8); }

// TensorFlow's random_normal with seed 1
Tensor w_start() { return tensor({{-0.8113182}, {1.4845988}}).to(float32); }

}  // namespace

TEST_CASE("the three-layer network learns as the course shows", "[optim][adam][course]") {
  NumpyRandom next;
  const auto x = points(next);
  CHECK(x[0] == 0.417022004702574);
  CHECK(x[1] == 0.7203244934421581);
  std::vector<double> labels;
  for (std::size_t i = 0; i < 128; ++i) labels.push_back(x[2 * i] + x[2 * i + 1] < 1);
  const Tensor images = tensor(x).to(float32).reshape({128, 2}), y = column(labels);
  CHECK(sum(y).item<float>() == 61);

  const Tensor w1 = leaf(tensor({{-0.8113182, 1.4845988, 0.06532937}, {-2.4427042, 0.0992484, 0.5912243}}).to(float32));
  const Tensor w2 = leaf(tensor({{-0.8113182}, {1.4845988}, {0.06532937}}).to(float32));
  const auto loss = [&](const Tensor& in, const Tensor& target) {
    const Tensor p = sigmoid(matmul(matmul(in, w1), w2));
    return -mean(target * log(clamp(p, 1e-10, 1.0)) + (1 - target) * log(clamp(1 - p, 1e-10, 1.0)));
  };
  optim::Adam adam({{"w1", w1}, {"w2", w2}}, {.lr = 0.001, .eps_hat = true});
  const std::vector<std::pair<int, double>> printed = {{1, 1.89805}, {1001, 0.655075}, {2001, 0.626172}, {3001, 0.615096}, {4001, 0.610309}};
  std::size_t next_print = 0;
  for (int i = 0; i < 5000; ++i) {
    adam.zero_grad();
    loss(batch(images, i), batch(y, i)).backward();
    adam.step();
    if (next_print < printed.size() && i + 1 == printed[next_print].first) {
      NoGrad off;
      CHECK(std::abs(loss(images, y).item<double>() - printed[next_print++].second) < 2e-5);
    }
  }
  CHECK(next_print == printed.size());
  check_near(w1, {0.024770, 0.569487, 1.692194, -2.197735, -0.236689, 1.114389}, 2e-5);
  check_near(w2, {-0.455447, 0.491109, -0.981103}, 2e-5);
}

TEST_CASE("a loss that weighs errors by their sign moves the weights to the cheaper side", "[optim][adam][course]") {
  struct Case {
    const char* name;
    std::function<Tensor(const Tensor& y, const Tensor& target)> loss;
    std::vector<double> first, later, last;
    double tolerance;  // the kinked losses end in a cycle 2.2e-3 wide, and rounding decides where in it step 5000 is
  };
  const auto by_sign = [](double more, double less) {
    return [=](const Tensor& y, const Tensor& target) { return sum(where(y > target, (y - target) * more, (target - y) * less)); };
  };
  const Case cases[] = {
      {"less 10, more 1", by_sign(1, 10), {-0.8103182, 1.4855988}, {0.01247, 2.13854}, {1.0193, 1.0428}, 1.2e-3},
      {"less 1, more 10", by_sign(10, 1), {-0.8123182, 1.4835988}, {0.18643, 1.07393}, {0.9553, 0.9813}, 1.2e-3},
      {"mean square", [](const Tensor& y, const Tensor& target) { return mean(square(target - y)); }, {-0.8103182, 1.4855988}, {-0.13338, 1.81309}, {0.974376, 1.024334}, 2e-5},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    NumpyRandom next;
    const auto x = points(next);
    std::vector<double> targets;
    for (std::size_t i = 0; i < 128; ++i) targets.push_back(x[2 * i] + x[2 * i + 1] + (next() / 10 - 0.05));
    const Tensor in = tensor(x).to(float32).reshape({128, 2}), target = column(targets), w = leaf(w_start());
    optim::Adam adam({{"w", w}}, {.lr = 0.001, .eps_hat = true});
    for (int i = 0; i < 5000; ++i) {
      adam.zero_grad();
      c.loss(matmul(batch(in, i), w), batch(target, i)).backward();
      adam.step();
      if (i == 0) check_near(w, c.first, 1e-6);
      if (i == 1000) check_near(w, c.later, 2e-5);
    }
    check_near(w, c.last, c.tolerance);
  }
}

TEST_CASE("gradient descent on x^2 from 5 swings, creeps or arrives with the rate", "[optim][sgd][course]") {
  const auto descend = [](const optim::Schedule& rate, const std::vector<std::pair<int, double>>& expected) {
    const Tensor x = leaf(tensor(5.0).to(float32));
    optim::Sgd sgd({{"x", x}});
    std::size_t k = 0;
    for (int i = 0; k < expected.size(); ++i) {
      sgd.zero_grad();
      square(x).backward();
      sgd.set_lr(rate(i));
      sgd.step();
      if (i + 1 == expected[k].first) check_near(x, {expected[k++].second}, 5e-6);
    }
  };
  descend([](std::int64_t) { return 1.0; }, {{1, -5}, {2, 5}, {3, -5}, {4, 5}});
  descend([](std::int64_t) { return 0.001; }, {{1, 4.990000}, {101, 4.084646}, {901, 0.823355}});
  const optim::ExponentialDecay falling{.base = 0.1, .steps = 1, .decay = 0.96, .staircase = true};
  descend(falling, {{1, 4.000000}, {11, 0.690561}, {21, 0.222583}, {31, 0.106405}, {41, 0.065548}, {51, 0.047625}, {91, 0.028727}});
  CHECK(falling(1) == Approx(0.096).epsilon(1e-6));  // printed after steps 1, 11, 91
  CHECK(falling(11) == Approx(0.063824).epsilon(1e-5));
  CHECK(falling(91) == Approx(0.002436).epsilon(3e-4));
}

namespace {
template <class T> auto maker(auto options) {
  return [options](const Tensor& w) -> std::unique_ptr<optim::Optimizer> { return std::make_unique<T>(NamedTensors{{"w", w}}, options); };
}
}  // namespace

TEST_CASE("constant gradients give the published steps", "[optim][course]") {
  using namespace optim;
  struct Case {
    const char* name;
    std::function<std::unique_ptr<Optimizer>(const Tensor&)> make;
    std::vector<std::vector<double>> after;
  };
  const auto tf_rms = [](RmsPropOptions o) {
    o.lr = 0.1, o.alpha = 0.9, o.initial_mean_square = 1, o.eps_inside_root = true, o.lr_in_buffer = true;
    return o;
  };
  const Case cases[] = {
      {"Sgd", maker<Sgd>(SgdOptions{.lr = 0.1}), {{0.99, -1.96}, {0.98, -1.92}, {0.97, -1.88}}},
      {"momentum", maker<Sgd>(SgdOptions{.lr = 0.1, .momentum = 0.9}), {{0.99, -1.96}, {0.971, -1.884}, {0.9439, -1.7756}}},
      {"nesterov", maker<Sgd>(SgdOptions{.lr = 0.1, .momentum = 0.9, .nesterov = true}), {{0.981, -1.924}, {0.9539, -1.8156}, {0.91951, -1.67804}}},
      {"Adam", maker<Adam>(AdamOptions{.lr = 0.1, .eps_hat = true}), {{0.9000003162, -1.9000000791}, {0.8000005399, -1.800000135}, {0.7000007226, -1.7000001806}}},
      {"Adam, eps 0.1, TensorFlow", maker<Adam>(AdamOptions{.lr = 0.1, .eps = 0.1, .eps_hat = true}),
       {{0.996934657, -1.988771229}, {0.9926549841, -1.9736003319}, {0.9874646416, -1.9556361668}}},
      {"Adam, eps 0.1", maker<Adam>(AdamOptions{.lr = 0.1, .eps = 0.1}), {{0.95, -1.92}, {0.9, -1.84}, {0.85, -1.76}}},
      {"Adagrad", maker<Adagrad>(AdagradOptions{.lr = 0.1, .initial_accumulator_value = 0.1, .eps = 0}),
       {{0.9698488655, -1.9215535459}, {0.9409813521, -1.859832206}, {0.9132463423, -1.8073096328}}},
      {"Adadelta", maker<Adadelta>(AdadeltaOptions{.lr = 1, .rho = 0.95, .eps = 1e-8}),
       {{0.9995527909, -1.9995527867}, {0.9990998847, -1.9990998762}, {0.9986431247, -1.9986431118}}},
      {"RMSProp", maker<RmsProp>(tf_rms({.eps = 1e-10})), {{0.9894649257, -1.958206162}, {0.9783668232, -1.9145729716}, {0.9666763927, -1.8690584372}}},
      {"RMSProp, momentum", maker<RmsProp>(tf_rms({.eps = 1e-10, .momentum = 0.9})),
       {{0.9894649257, -1.958206162}, {0.9688852563, -1.8769585175}, {0.9386731234, -1.7583211029}}},
      {"RMSProp, centered", maker<RmsProp>(tf_rms({.eps = 1e-10, .momentum = 0.9, .centered = true})),
       {{0.989464341, -1.958169613}, {0.9688816773, -1.8767383532}, {0.9386609783, -1.7575854583}}},
      {"RMSProp, eps 1", maker<RmsProp>(tf_rms({.eps = 1, .momentum = 0.9})), {{0.9927471459, -1.9711023691}, {0.9787905339, -1.9156093149}, {0.9586304787, -1.8356197488}}},
      {"Ftrl", maker<Ftrl>(FtrlOptions{.lr = 0.5}), {{-0.1042182615, -0.3674203838}, {-0.2485558288, -0.0588136839}, {-0.3872308779, 0.2037991818}}},
      {"Ftrl, l1, l2", maker<Ftrl>(FtrlOptions{.lr = 0.5, .l1 = 0.05, .l2 = 0.1}), {{-0.0221591809, -0.2661876558}, {-0.1341637998, 0}, {-0.2427284363, 0.1751112931}}},
      {"Ftrl, shrinkage", maker<Ftrl>(FtrlOptions{.lr = 0.5, .l1 = 0.05, .l2 = 0.1, .l2_shrinkage = 0.01}),
       {{-0.0453254289, -0.2333954997}, {-0.1563147162, 0}, {-0.2614853027, 0.2062923797}}},
      {"ProximalSgd", maker<ProximalSgd>(ProximalSgdOptions{.lr = 0.1, .l1 = 0.5, .l2 = 0.1}),
       {{0.9306930693, -1.8910891089}, {0.8620723458, -1.7832565435}, {0.7941310355, -1.6764916272}}},
      {"ProximalAdagrad", maker<ProximalAdagrad>(ProximalAdagradOptions{.lr = 0.1, .l1 = 0.5, .l2 = 0.1}),
       {{0.7951194401, -1.7884216443}, {0.604464959, -1.6244823229}, {0.426233315, -1.4867841016}}},
      {"AdagradDa", maker<AdagradDa>(AdagradDaOptions{.lr = 0.1}), {{-0.0301511345, 0.0784464541}, {-0.0577350269, 0.12344268}, {-0.0832050294, 0.1575677194}}},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    const Tensor w = leaf(tensor({1., -2.}, {.dtype = float64}));
    const auto opt = c.make(w);
    for (const auto& expected : c.after) {
      w.set_grad(tensor({0.1, -0.4}, {.dtype = float64}));
      opt->step();
      check_near(w, expected, 6e-11);
    }
  }
}
