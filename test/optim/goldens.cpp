// Every optimizer against PyTorch and TensorFlow and the packages of newer methods (test/oracle/optim_goldens.py,
// tf_optim_vectors.py, research_optim_goldens.py).
#include "test/optim/every.h"

#include <set>

#include <rill/autograd/backward.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/optim/lbfgs.h>

using namespace rill;

namespace {

Tensor ramp(int from, int to) { return arange(from, to, 1, {.dtype = float64}); }

}  // namespace

TEST_CASE("every optimizer takes the steps of the oracle", "[optim][goldens]") {
  std::set<std::string> names;
  for (const OptionLine& line : every_optimizer()) {
    INFO(line.text);
    names.insert(line.name);
    const Tensor i = ramp(0, 5), j = ramp(5, 8), p = leaf(cos(i)), q = leaf(cos(j));
    const auto opt = make_optimizer(line, {{"p", p}, {"q", q}});
    std::vector<double> seen;
    for (int t = 1; t <= 20; ++t) {
      if (t == 11) opt->set_lr(opt->lr() * 0.5);
      p.set_grad(p.detach() * 0.5 + sin(i * 0.7 + 0.9 * t));
      q.set_grad(t % 2 ? q.detach() * 0.5 + sin(j * 0.7 + 0.9 * t) : Tensor());
      opt->step();
      if (t <= 3 || t == 5 || t == 10 || t == 20)
        for (const Tensor& x : {p, q})
          for (const double v : values(x)) seen.push_back(v);
    }
    check_near(tensor(seen), line.numbers, 1e-10);

    // The state has PyTorch's names and values. What rill does not need is not kept; Sgd has a counter where PyTorch has no buffer yet.
    if (line.sections.empty()) continue;
    std::map<std::string, std::vector<double>> slots;
    for (const auto& [slot, v] : line.sections) slots[(slots.contains("p." + slot) ? "q." : "p.") + slot] = v;
    for (const auto& [name, value] : opt->state()) {
      INFO(name);
      if (line.name == "Sgd" && name.ends_with(".step")) continue;
      REQUIRE(slots.contains(name));
      check_near(value, slots.at(name), 1e-10);
    }
  }
  CHECK(names.size() == 20);
}

TEST_CASE("L-BFGS takes the steps of the oracle", "[optim][lbfgs][goldens]") {
  int cases = 0;
  for (const OptionLine& line : option_lines("optim_goldens.txt")) {
    if (line.name != "Lbfgs") continue;
    ++cases;
    INFO(line.text);
    optim::LbfgsOptions o;
    o.lr = line.number("lr", o.lr);
    o.max_iter = static_cast<std::int64_t>(line.number("max_iter", 20));
    o.max_eval = static_cast<std::int64_t>(line.number("max_eval", 0));
    o.history_size = static_cast<std::int64_t>(line.number("history_size", 100));
    if (line.word("line_search_fn") == "strong_wolfe") o.line_search = optim::LineSearch::strong_wolfe;
    o.maximize = line.flag("maximize");
    const Tensor i = ramp(0, 5), p = leaf(cos(i * 3));
    optim::Lbfgs opt(NamedTensors{{"p", p}}, o);
    std::vector<double> seen, losses;
    for (int t = 0; t < 3; ++t) {
      const Tensor loss = opt.step([&] {
        opt.zero_grad();
        const Tensor f = (sum((i + 1) * square(p - sin(i))) + sum(square(square(p))) / 4) * (o.maximize ? -1 : 1);
        f.backward();
        return f;
      });
      losses.push_back(loss.item<double>());
      for (const double v : values(p)) seen.push_back(v);
    }
    check_near(tensor(seen), line.numbers, 1e-8);
    check_near(tensor(losses), line.sections.at(0).second, 1e-8);
    CHECK(find(opt.state(), "lbfgs.n_iter").item<double>() == line.sections.at(1).second.at(0));
    CHECK(find(opt.state(), "lbfgs.func_evals").item<double>() == line.sections.at(1).second.at(1));
  }
  CHECK(cases == 8);
}
