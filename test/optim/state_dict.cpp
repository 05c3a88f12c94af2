// Optimizers in PyTorch's layout: files that PyTorch wrote (test/oracle/optimizer_states.py), and the faults of such files.
#include "test/optim/every.h"

#include <cstdlib>
#include <filesystem>

#include <nlohmann/json.hpp>

#include <rill/io/safetensors.h>
#include <rill/ops/elementwise.h>
#include <rill/optim/adagrad.h>
#include <rill/optim/adam.h>
#include <rill/optim/lbfgs.h>
#include <rill/optim/sgd.h>

#include "test/support/message.h"
#include "test/support/names.h"
#include "test/support/scratch.h"

using namespace rill;

namespace {

std::string state_file(const std::string& name) { return std::string(RILL_SOURCE_DIR) + "/test/optim/states/" + name + ".safetensors"; }
const std::vector<std::string> kFiles = {"sgd", "momentum", "dampened", "adam", "amsgrad", "adamw", "adamax", "nadam", "radam", "rmsprop", "adagrad", "adadelta", "rprop", "groups"};

/// Steps 11 to 20 of the oracle's problem.
void go_on(optim::Optimizer& opt, const Tensor& p, const Tensor& q) {
  const Tensor i = arange(0, 5, 1, {.dtype = p.dtype()}), j = arange(5, 8, 1, {.dtype = p.dtype()});
  for (int t = 11; t <= 20; ++t) {
    p.set_grad(p.detach() * 0.5 + sin(i * 0.7 + 0.9 * t));
    q.set_grad(t % 2 ? q.detach() * 0.5 + sin(j * 0.7 + 0.9 * t) : Tensor());
    opt.step();
  }
}
/// A new optimizer with other options and a state of its own, which loading has to replace.
std::unique_ptr<optim::Optimizer> fresh(const std::string& file, const std::string& name, const Tensor& p, const Tensor& q, const Tensor& r) {
  if (file == "groups") {
    auto adam = std::make_unique<optim::AdamW>(NamedTensors{{"r", r}});
    adam->add_group({{"p", p}, {"q", q}}, {.lr = 5, .amsgrad = true});
    return adam;
  }
  return make_optimizer(OptionLine(name + " lr=3 => 0"), {{"p", p}, {"q", q}, {"r", r}});
}

}  // namespace

TEST_CASE("PyTorch's saved optimizers are continued, and written the same", "[optim][state_dict][goldens]") {
  const ScratchFolder scratch;
  const char* const wanted = std::getenv("RILL_STATES");  // for the other half of the oracle, which loads what is written here
  for (const std::string& file : kFiles) {
    INFO(file);
    const auto saved = io::load_safetensors(state_file(file));
    const NamedTensors start = without_prefix("saved.", saved.tensors), later = without_prefix("later.", saved.tensors);
    const Tensor p = leaf(find(start, "p").clone()), q = leaf(find(start, "q").clone()), r = leaf(find(start, "r").clone());
    const auto opt = fresh(file, saved.metadata.at("name"), p, q, r);
    const optim::StateDict given{without_prefix("optimizer.", saved.tensors), saved.metadata.at("param_groups")};
    opt->load_state_dict(given);

    // What is written has the same options, and the same tensors with the same values; Sgd adds a counter.
    const std::string path = (wanted ? std::filesystem::path(wanted) : scratch.path) / (file + ".safetensors");
    io::save_safetensors(path, opt->state_dict().state, {{"param_groups", opt->state_dict().param_groups}});
    const auto written = io::load_safetensors(path);
    const auto theirs = nlohmann::json::parse(given.param_groups), ours = nlohmann::json::parse(written.metadata.at("param_groups"));
    REQUIRE(ours.size() == theirs.size());
    for (std::size_t g = 0; g < theirs.size(); ++g) {
      for (const auto& [option, value] : theirs[g].items())
        if (!value.is_null() && option != "capturable" && option != "differentiable") CHECK(ours[g].value(option, nlohmann::json()) == value);
      CHECK(ours[g]["param_names"].size() == ours[g]["params"].size());
    }
    for (const auto& [name, value] : given.state) {
      INFO(name);
      const Tensor mine = written.find(name);
      REQUIRE(mine.defined());
      CHECK(values(mine) == values(value));
      CHECK((mine.dtype() == value.dtype() || name.ends_with("mu_product")));
    }
    for (const auto& [name, value] : written.tensors) CHECK((find(given.state, name).defined() || name.ends_with(".step") || file == "momentum"));

    go_on(*opt, p, q);
    // PyTorch keeps NAdam's product of momenta in float32.
    check_near(p, values(find(later, "p")), file == "nadam" ? 1e-8 : 1e-10);
    check_near(q, values(find(later, "q")), file == "nadam" ? 1e-8 : 1e-10);
    CHECK(values(r) == std::vector<double>{1, 1});
  }
}

TEST_CASE("what state_dict gives is continued bit for bit, by every optimizer", "[optim][state_dict][every]") {
  for (const OptionLine& line : every_optimizer()) {
    INFO(line.text);
    const auto start = [](int n) { return leaf(cos(arange(0, n, 1, {.dtype = float32}))); };
    const Tensor p = start(5), q = start(3), p2 = start(5), q2 = start(3);
    const auto first = make_optimizer(line, {{"p", p}, {"q", q}});
    const auto second = make_optimizer(OptionLine(line.name + " lr=3 => 0"), {{"other", p2}, {"name", q2}});
    go_on(*first, p, q);
    first->scale_lr(0.5);
    const optim::StateDict saved = first->state_dict();
    second->load_state_dict(saved);
    CHECK(second->lr() == first->lr());
    set_values(p2, p), set_values(q2, q);
    go_on(*first, p, q), go_on(*second, p2, q2);
    CHECK(values(p) == values(p2));
    CHECK(values(q) == values(q2));
    second->scale_lr(1);
    CHECK(second->lr() == line.number("lr", first->lr() / 0.5));
  }
}

TEST_CASE("a parameter without an update has no saved state, and starts afresh", "[optim][state_dict]") {
  const Tensor a = leaf(ones({2})), b = leaf(ones({3}));
  optim::Adam adam({{"a", a}, {"b", b}});
  CHECK(adam.state_dict().state.empty());
  CHECK(adam.state_dict().param_groups ==
        R"([{"lr": 0.001, "initial_lr": 0.001, "betas": [0.9,0.999], "eps": 1e-08, "weight_decay": 0.0, "amsgrad": false, "maximize": false, )"
        R"("decoupled_weight_decay": false, "eps_hat": false, "params": [0,1], "param_names": ["a","b"]}])");
  b.set_grad(ones({3}));
  adam.step();
  CHECK(names(adam.state_dict().state) == std::vector<std::string>{"1.exp_avg", "1.exp_avg_sq", "1.step"});
  CHECK(adam.state_dict().state[2].second.dtype() == float32);
  const auto saved = adam.state_dict();
  a.set_grad(ones({2})), adam.step();
  adam.load_state_dict(saved);
  CHECK(find(adam.state(), "a.step").item<double>() == 0);
  CHECK(values(find(adam.state(), "a.exp_avg")) == std::vector<double>{0, 0});
  CHECK(names(optim::Adagrad({{"a", a}}).state_dict().state) == std::vector<std::string>{"0.sum", "0.step"});  // PyTorch's has it from the start
}

TEST_CASE("indices are those of the file, in any order", "[optim][state_dict]") {
  const Tensor a = leaf(ones({2})), b = leaf(ones({3}));
  optim::Sgd sgd({{"a", a}, {"b", b}});
  sgd.load_state_dict({{{"7.momentum_buffer", full({2}, 7.0)}, {"3.momentum_buffer", full({3}, 3.0, {.dtype = float64})}},
                       R"([{"lr": 1, "momentum": 0.5, "foreach": null, "fused": true, "params": [7, 3]}])"});
  CHECK(values(find(sgd.state(), "a.momentum_buffer")) == std::vector<double>{7, 7});
  CHECK(find(sgd.state(), "b.momentum_buffer").dtype() == float32);
  CHECK(sgd.options().momentum == 0.5);
  CHECK(sgd.lr() == 1);
}

TEST_CASE("faults of a saved optimizer are named together, and nothing is changed", "[optim][state_dict]") {
  const Tensor a = leaf(ones({2})), b = leaf(ones({3}));
  optim::Adam adam({{"a", a}, {"b", b}});
  a.set_grad(ones({2})), b.set_grad(ones({3})), adam.step();
  const auto good = adam.state_dict();
  const auto refused = [&](const NamedTensors& state, const std::string& groups) { return message<ValueError>([&] { adam.load_state_dict({state, groups}); }); };
  const auto broken = [&](const std::string& groups) { return message<DataLoss>([&] { adam.load_state_dict({good.state, groups}); }); };

  CHECK(refused(good.state, R"([{"betas": [0.9], "eps": "small", "amsgrad": 1, "nesterov": true, "momentum": 0, "params": [0, 1]}])") ==
        "load_state_dict: group 0: lr is missing, group 0: betas is [0.9]; expected two numbers, group 0: eps is \"small\"; expected a number, "
        "group 0: amsgrad is 1; expected true or false, group 0: Adam has no option nesterov (it is true); nothing was changed");
  CHECK(refused(good.state, R"([{"lr": -1, "params": [0, 1]}])") == "Adam: lr is -1; expected a finite number >= 0");
  CHECK(refused(good.state, R"([{"lr": 1, "betas": [0.9, 1], "params": [0, 1]}])") == "Adam: betas[1] is 1; expected a number in [0, 1)");
  CHECK(refused(good.state, R"([{"lr": 1, "params": [0]}])") == "load_state_dict: group 0 has 1 parameters in the saved state and 2 in Adam");
  CHECK(refused(good.state, "[]") == "load_state_dict: there are 0 parameter groups in the saved state and 1 in Adam");
  CHECK(broken("[{") == "load_state_dict: param_groups is no JSON list; expected what json.dumps(state_dict[\"param_groups\"]) gives in Python");
  CHECK(broken("[3]") == "load_state_dict: param_groups[0] is no JSON object with a list \"params\"");
  CHECK(broken(R"([{"params": [0, -1]}])") == "load_state_dict: param_groups[0][\"params\"] holds -1; expected indices of parameters");
  CHECK(broken(R"([{"params": [0, 0]}])") == "load_state_dict: parameter 0 appears twice in param_groups");

  NamedTensors bad = good.state;
  bad[0].second = zeros({4});
  bad[1].first = "0.square";
  bad[3].first = "5.exp_avg";
  CHECK(refused(bad, R"([{"lr": 1, "params": [0, 1]}])") ==
        "load_state_dict: 2 tensors missing (a.exp_avg_sq, b.exp_avg), 2 unexpected (a.square, state[\"5.exp_avg\"]), "
        "1 with another shape or dtype (a.exp_avg: float32 [2] expected, float32 [4] found); nothing was changed");
  bad = good.state;
  bad[2].second = full({}, 1.5);
  CHECK(refused(bad, good.param_groups) == "load_state_dict: a.step is 1.5; expected a number of updates");
  CHECK(adam.lr() == 1e-3);
  CHECK(adam.options().betas[1] == 0.999);
  CHECK(values(find(adam.state(), "a.step")) == std::vector<double>{1});

  CHECK(message<Unimplemented>([&] { static_cast<void>(optim::Lbfgs(NamedTensors{{"a", a}}).state_dict()); }) ==
        "state_dict: PyTorch keeps the history of Lbfgs as a list, which has no place among named tensors; save state()");
}
