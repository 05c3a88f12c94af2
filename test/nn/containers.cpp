#include "test/support/catch.h"

#include <rill/nn/activation.h>
#include <rill/nn/containers.h>
#include <rill/nn/linear.h>
#include <rill/nn/pool.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>

#include "test/support/message.h"
#include "test/support/names.h"

using namespace rill;

namespace {

/// Takes two tensors, so it is no layer.
struct Sum : nn::Module {
  nn::Parameter bias{ones({1})};
  Tensor operator()(const Tensor& a, const Tensor& b) const { return a + b + bias; }
  void parts(nn::Parts& p) override { p("bias", bias); }
};
struct Heads : nn::Module {
  std::vector<std::pair<std::string, nn::Linear>> heads{{"age", nn::Linear(2, 1)}, {"name", nn::Linear(2, 3)}};
  std::vector<std::pair<std::string, nn::Parameter>> scales{{"a", nn::Parameter(ones({1}))}};
  void parts(nn::Parts& p) override { p("heads", heads)("scales", scales); }
};

}  // namespace

TEST_CASE("Sequential runs modules and plain functions in order and numbers all of them", "[nn][containers]") {
  nn::Sequential net{nn::Linear(3, 4), relu, [](const Tensor& x) { return x * 2; }, nn::Linear(4, 2, {.bias = false})};
  CHECK(net.size() == 4);
  CHECK(names(net.state()) == std::vector<std::string>{"0.weight", "0.bias", "3.weight"});
  const Tensor x = ones({2, 3});
  const Tensor want = net[3].as<nn::Linear>()(relu(net[0].as<nn::Linear>()(x)) * 2);
  CHECK(net(x).to_vector<float>() == want.to_vector<float>());
  net.push_back(nn::Linear(2, 1));
  net.push_back("last", nn::ReLU());
  CHECK(net.names() == std::vector<std::string>{"0", "1", "2", "3", "4", "last"});
  CHECK(net(x).shape() == Shape{2, 1});
  int count = 0;
  for (nn::AnyModule& m : net) count += !m.module().describe().empty();
  CHECK(count == 6);
  CHECK(nn::Sequential()(x).is_same(x));
  nn::check_parts(net);
}

TEST_CASE("Sequential takes names and nests", "[nn][containers]") {
  nn::Sequential net{{"hidden", nn::Sequential(nn::Linear(3, 4), relu)}, {"act", relu}, {"out", nn::Linear(4, 2)}};
  CHECK(names(net.state()) == std::vector<std::string>{"hidden.0.weight", "hidden.0.bias", "out.weight", "out.bias"});
  CHECK(net.named_modules()[3].first == "hidden.1");
  CHECK(MESSAGE(ShapeError, net(ones({1, 2}))).ends_with("(in hidden.0)"));
  CHECK(MESSAGE(ValueError, net.push_back("act", relu)) == "push_back: there is a module \"act\" already; names must differ");
  CHECK(MESSAGE(ValueError, net.push_back("a.b", relu)) == "push_back: \"a.b\" is no name for a module; use one that is not empty and has no dot");
  CHECK(MESSAGE(ValueError, net[2].as<nn::ReLU>()) == "as: the module is Linear, not ReLU");
  CHECK(MESSAGE(IndexError, net[3]) == "Sequential: index 3 is outside of 3 modules");
}

TEST_CASE("a copy of a container is a snapshot; assigning it back writes into the tensors that others hold", "[nn][containers]") {
  nn::Sequential net{nn::Linear(2, 2), relu};
  const Tensor held = net.parameters()[0];
  const auto before = held.to_vector<float>();
  const nn::Sequential best = net;
  held.detach().fill_(7);
  CHECK(best.parameters()[0].to_vector<float>() == before);
  net = best;
  CHECK(held.to_vector<float>() == before);
  CHECK(net.parameters()[0].is_same(held));
  nn::Sequential moved = std::move(net);
  CHECK(moved.parameters()[0].is_same(held));
  moved[0] = nn::Linear(2, 5);  // a new head
  CHECK(moved(ones({1, 2})).shape() == Shape{1, 5});
  nn::Sequential other{nn::MaxPool1d(2), relu};
  moved = other;  // members of other types are replaced
  CHECK(moved.parameters().empty());
  CHECK(moved(ones({1, 2})).shape() == Shape{1, 1});
}

TEST_CASE("ModuleList and ModuleDict hold any module", "[nn][containers]") {
  nn::ModuleList list{nn::Linear(2, 2), Sum()};
  list.push_back(nn::ReLU());
  CHECK(names(list.state()) == std::vector<std::string>{"0.weight", "0.bias", "1.bias"});
  CHECK(list[1].as<Sum>()(ones({1}), ones({1})).item<float>() == 3);
  CHECK(MESSAGE(FailedPrecondition, list[1](ones({1}))) == "AnyModule: Sum does not turn one tensor into one tensor; call it as .as<...>()(...)");
  const nn::ModuleList copy = list;
  CHECK_FALSE(copy.parameters()[0].shares_storage(list.parameters()[0]));
  nn::check_parts(list);

  nn::ModuleDict dict{{"b", nn::Linear(1, 1)}, {"a", relu}};
  dict.insert("c", Sum());
  CHECK(names(dict.state()) == std::vector<std::string>{"b.weight", "b.bias", "c.bias"});
  CHECK(dict.contains("a"));
  CHECK_FALSE(dict.contains("d"));
  CHECK(dict["b"](ones({1, 1})).shape() == Shape{1, 1});
  CHECK(dict.size() == 3);
  std::string order;
  for (const auto& [name, module] : dict) order += name;
  CHECK(order == "bac");
  CHECK(MESSAGE(ValueError, dict["d"]) == "ModuleDict: there is no module \"d\"; there are: b, a, c");
  CHECK(MESSAGE(ValueError, dict.insert("a", relu)) == "insert: there is a module \"a\" already; names must differ");
  nn::check_parts(dict);
}

TEST_CASE("pairs of names and parts stand for dictionaries of modules and parameters", "[nn][containers]") {
  const Heads heads;
  CHECK(names(heads.state()) == std::vector<std::string>{"heads.age.weight", "heads.age.bias", "heads.name.weight", "heads.name.bias", "scales.a"});
  nn::check_parts(heads);
}
