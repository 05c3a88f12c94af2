// Averages against PyTorch (test/oracle/average_goldens.py).
#include "test/optim/every.h"

#include <rill/ops/elementwise.h>
#include <rill/optim/moving_average.h>
#include <rill/optim/swa.h>

#include "test/support/names.h"

using namespace rill;

namespace {

const Options kDouble{.dtype = float64};
const optim::ShadowNames kNames{.prefix = "module.", .suffix = ""};

/// Parameter and buffer of the averaged model after each update.
template <class A> std::vector<double> run(A& average, const Tensor& p, const Tensor& b) {
  const Tensor i = arange(0, 3, 1, kDouble);
  std::vector<double> seen;
  for (int t = 1; t <= 6; ++t) {
    set_values(p, cos(i) + t);
    set_values(b, sin(i) * t);
    average.update();
    const auto scope = average.swap_in();
    for (const Tensor& x : {p, b})
      for (const double v : values(x)) seen.push_back(v);
  }
  CHECK(names(average.state()).at(0) == "module.p");
  return seen;
}

}  // namespace

TEST_CASE("averages are those of PyTorch's AveragedModel", "[optim][average][goldens]") {
  int cases = 0;
  for (const OptionLine& line : option_lines("average_goldens.txt")) {
    ++cases;
    INFO(line.text);
    const Tensor p = leaf(full({3}, 100., kDouble)), b = full({3}, 100., kDouble);
    NamedTensors tensors{{"p", p}};
    if (line.flag("use_buffers")) tensors.emplace_back("b", b);
    if (line.name == "SwaAverage") {
      optim::SwaAverage average(tensors, kNames);
      check_near(tensor(run(average, p, b)), line.numbers, 1e-6);  // PyTorch rounds 1 / (n + 1) to float32
    } else {
      optim::MovingAverage average(tensors, {.decay = line.number("decay", 0), .warmup = false, .copy_first = true, .names = kNames});
      check_near(tensor(run(average, p, b)), line.numbers, 1e-13);
    }
  }
  CHECK(cases == 6);
}
