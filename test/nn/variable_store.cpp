// Variables by name: TensorFlow's rules one by one, and whole programs against TensorFlow (test/oracle/variable_scope_goldens.py).
#include <rill/nn/variable_store.h>

#include <deque>
#include <fstream>
#include <variant>

#include <rill/nn/linear.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/linalg.h>
#include <rill/ops/reduce.h>

#include "test/support/catch.h"
#include "test/support/message.h"
#include "test/support/text_tensors.h"

using namespace rill;
using nn::Reuse, nn::VariableStore;

namespace {

std::string or_dash(const std::string& s) { return s.empty() ? "-" : s; }

/// Runs a program of the golden file; the results joined with ";".
std::string run(const std::string& program) {
  const NameGraph graph;
  VariableStore store;
  std::deque<std::variant<std::unique_ptr<VariableStore::Open>, std::unique_ptr<NameScope>>> open;
  std::vector<nn::VariableScope> objects;
  std::string results;
  const auto enter = [&](VariableStore::Open* scope) {
    open.emplace_back(std::unique_ptr<VariableStore::Open>(scope));
    objects.push_back(*scope);
    return or_dash(scope->name()) + " " + or_dash(scope->original_name_scope());
  };
  const auto reuse = [](const std::string& r) { return r == "t" ? Reuse::reuse : r == "a" ? Reuse::automatic : Reuse::create; };
  const auto step = [&](const std::vector<std::string>& c) -> std::string {
    if (c[0] == "vs") return enter(new VariableStore::Open(store.scope(c[1] == "-" ? "" : c[1], {.reuse = reuse(c[2])})));
    if (c[0] == "default") return enter(new VariableStore::Open(store.default_scope(c[1], {.reuse = reuse(c[2])})));
    if (c[0] == "object") return enter(new VariableStore::Open(store.scope(objects.at(std::stoul(c[1])), {.reuse = reuse(c[2])})));
    if (c[0] == "op") return unique_name(c[1]);
    if (c[0] == "ns") {
      auto scope = std::make_unique<NameScope>(c[1] == "-" ? "" : c[1]);
      const std::string name = scope->name().empty() ? "-" : scope->name() + "/";
      open.emplace_back(std::move(scope));
      return name;
    }
    if (c[0] == "get") {
      const std::string full = (store.current_scope().name().empty() ? "" : store.current_scope().name() + "/") + c[1];
      const bool old = store.contains(full);
      const Tensor v = store.get(c[1], {std::stoll(c[2])}, {.dtype = c[3] == "d" ? float64 : float32});
      CHECK(v.name() == full);
      CHECK(find(store.state(), full).shares_storage(v));
      return v.name() + (old ? " old" : " new");
    }
    if (c[0] == "flip") store.current_scope().reuse_variables();
    else open.pop_back();
    return ".";
  };
  for (const std::string& command : text::split(program, ';')) {
    std::string r;
    try {
      r = step(text::split(command, ' '));
    } catch (const ShapeError&) {
      r = "!shape";
    } catch (const DtypeError&) {
      r = "!dtype";
    } catch (const ValueError& e) {
      const std::string_view what = e.what();
      r = what.find("already exists") != what.npos ? "!exists" : what.find("does not exist") != what.npos ? "!missing" : what.find("default name") != what.npos ? "!default" : what.data();
    }
    results += (results.empty() ? "" : ";") + r;
  }
  while (!open.empty()) open.pop_back();
  return results;
}

}  // namespace

TEST_CASE("scopes, variables and names of ops follow TensorFlow's rules", "[nn][variable_store]") {
  std::ifstream file(RILL_SOURCE_DIR "/test/nn/variable_scope_goldens.txt");
  int count = 0;
  for (std::string line; std::getline(file, line); ++count) {
    const auto arrow = line.find(" => ");
    INFO(line.substr(0, arrow));
    CHECK(run(line.substr(0, arrow)) == line.substr(arrow + 4));
  }
  CHECK(count > 100);
}

TEST_CASE("a function with a scope shares its weights between calls", "[nn][variable_store]") {
  VariableStore store;
  const auto net = [&](const Tensor& x) {
    const auto scope = store.scope("layer", {.reuse = Reuse::automatic});
    const Tensor weights = store.get("weights", {x.size(1), 3});
    return matmul(x, weights) + store.get("biases", {3}, {.initializer = [](const Tensor& b) { b.fill_(0.1); }});
  };
  const Tensor x = ones({2, 4});
  CHECK(equal(net(x), net(x)));
  CHECK(store.parameters().size() == 2);
  sum(net(x)).backward();
  CHECK(find(store.named_parameters(), "layer/weights").grad().defined());
  const VariableStore copy = store;
  CHECK(copy.state()[0].first == "layer/weights");
  CHECK_FALSE(copy.state()[0].second.shares_storage(store.state()[0].second));
  VariableStore other;
  other.get("layer/weights", {4, 3}), other.get("layer/biases", {3});
  other.load(store.state());
  CHECK(equal(other.state()[0].second, store.state()[0].second));
  nn::check_parts(store);
}

TEST_CASE("initializers, dtypes and trainable flags come from the call, the scope, or the default", "[nn][variable_store]") {
  VariableStore store;
  const auto filled = [](double v) { return nn::Initializer([v](const Tensor& w) { w.fill_(v); }); };
  const auto first = [](const Tensor& t) { return t.to(float64).to_vector<double>()[0]; };
  {
    const auto outer = store.scope("outer", {.initializer = filled(2), .dtype = float64, .trainable = false});
    CHECK(first(store.get("a", {2})) == 2);
    CHECK(first(store.get("b", {2}, {.initializer = filled(3)})) == 3);
    const auto inner = store.scope("inner");
    CHECK(first(store.get("c", {2})) == 2);
    CHECK(store.get("d", {2}).dtype() == float64);
    CHECK(store.get("e", {2}, {.dtype = float32}).dtype() == float32);
    CHECK_FALSE(store.get("f", {2}).requires_grad());
    CHECK(store.get("g", {2}, {.trainable = true}).requires_grad());
    const auto own = store.scope("own", {.initializer = filled(5), .trainable = true});
    CHECK(first(store.get("h", {2})) == 5);
  }
  const Tensor w = store.get("w", {50, 30}), n = store.get("n", {2}, {.dtype = int64});
  CHECK(w.dtype() == float32);
  CHECK((amax(abs(w)).item<double>() <= std::sqrt(6.0 / 80) && amax(abs(w)).item<double>() > 0.9 * std::sqrt(6.0 / 80)));  // glorot_uniform
  CHECK((n.to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 0} && !n.requires_grad()));
  CHECK(store.named_parameters().size() == 3);
  CHECK(store.state().size() == 10);
  const Tensor value = store.get("value", tensor({1., 2.}));
  CHECK(value.to_vector<float>() == std::vector<float>{1, 2});
  const auto again = store.scope("", {.reuse = Reuse::reuse});
  CHECK(store.get("value", {2}).is_same(store.get("value", tensor({7., 7.}))));
}

TEST_CASE("regularizers are noted once, when a variable is made", "[nn][variable_store]") {
  VariableStore store;
  int calls = 0;
  const auto l2 = [&calls](double scale) { return nn::Regularizer([&calls, scale](const Tensor& w) { return ++calls, sum(w * w) * (scale / 2); }); };
  {
    const auto scope = store.scope("net", {.initializer = [](const Tensor& w) { w.fill_(2); }, .regularizer = l2(0.5)});
    store.get("w", {3});
    store.get("free", {3}, {.regularizer = [](const Tensor&) { return Tensor(); }});  // none: the scope's cannot be left out otherwise
    const auto inner = store.scope("inner");
    store.get("w", {2}, {.regularizer = l2(1)});
  }
  {
    const auto scope = store.scope("net", {.reuse = Reuse::reuse});
    store.get("w", {3}, {.regularizer = l2(100)});
  }
  CHECK(calls == 0);
  const auto losses = store.losses();
  REQUIRE(losses.size() == 2);
  CHECK(losses[0].item<double>() == 3);
  CHECK(losses[1].item<double>() == 4);
  (losses[0] + losses[1]).backward();
  CHECK(find(store.named_parameters(), "net/w").grad().to_vector<float>() == std::vector<float>(3, 1));
}

TEST_CASE("the four errors name the variable, both shapes or dtypes, and the place", "[nn][variable_store]") {
  VariableStore store;
  {
    const auto scope = store.scope("foo");
    store.get("v", {2}, {}, "model.cpp", 12);
    CHECK(MESSAGE(ValueError, store.get("v", {2})) ==
          "VariableStore::get: variable foo/v already exists, made at model.cpp:12; to use it again open its scope with Reuse::reuse or Reuse::automatic");
  }
  const auto scope = store.scope("foo", {.reuse = Reuse::reuse});
  CHECK(MESSAGE(ValueError, store.get("w", {2})) == "VariableStore::get: variable foo/w does not exist, and its scope reuses; make it in a scope with Reuse::create or Reuse::automatic");
  CHECK(MESSAGE(ShapeError, store.get("v", {3})) == "VariableStore::get: variable foo/v has shape [2], asked for with [3]; it was made at model.cpp:12");
  CHECK(MESSAGE(DtypeError, store.get("v", {2}, {.dtype = float64})) == "VariableStore::get: variable foo/v is float32, asked for as float64; it was made at model.cpp:12");
  CHECK(MESSAGE(ValueError, store.get("", {2})) == "VariableStore::get: the name is empty; pass one, as \"weights\"");
  CHECK(MESSAGE(ValueError, store.get("v", Tensor())) == "VariableStore::get: the value is undefined; pass a tensor with values");
  CHECK(MESSAGE(ValueError, store.get("v", ones({2}), {.dtype = float64})) == "VariableStore::get: the value of v is given, so it has a dtype and needs no initializer; leave them out");
  CHECK(MESSAGE(ValueError, store.default_scope("Conv", {.reuse = Reuse::reuse})) ==
        "default_scope: a default name is new each time, so nothing can be reused in \"Conv\"; use scope() with a name");
  CHECK(MESSAGE(ValueError, store.default_scope("")) == "default_scope: the name is empty; pass one, as \"Conv\"");
  CHECK(MESSAGE(ValueError, store.scope("a b")) == "NameScope: \"a b\" is not a legal name; use letters, digits, _ . - and /");
}
