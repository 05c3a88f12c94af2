// Names of recorded ops. Whole programs of scopes are compared with TensorFlow in test/nn/variable_store.cpp.
#include <rill/autograd/name_scope.h>

#include <thread>

#include <rill/autograd/anomaly.h>
#include <rill/autograd/grad_mode.h>
#include <rill/autograd/graph.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>

#include "test/support/catch.h"
#include "test/support/message.h"

using namespace rill;

TEST_CASE("names are unique without regard to case", "[autograd][name_scope]") {
  UniqueNames names;
  std::string all;
  for (const char* name : {"add", "add", "add", "Add", "add_1", "add_1", "add"}) all += names.take(name) + " ";
  CHECK(all == "add add_1 add_2 Add_3 add_1_1 add_1_2 add_4 ");  // as in TensorFlow
}

TEST_CASE("recorded ops and their results are named after the open scope", "[autograd][name_scope]") {
  const Tensor x = ones({2}).requires_grad_();
  const Tensor before = x * 2;
  Tensor y;
  {
    const NameScope layer("layer1");
    CHECK(layer.name() == "layer1");
    y = exp(x + before) + 1;
    const NameScope inner("inner");
    y = y * x;
    const Tensor given = y + 0;
    CHECK(given.name() == "layer1/inner/add");
    const NoGrad off;
    CHECK((y + 1).name().empty());  // nothing is recorded
  }
  const Tensor after = y - 1;
  CHECK(graph_text(after, {{"x", x}}) ==
        "n0 sub <- n1\nn1 mul layer1/inner/mul <- n2, n6\nn2 add layer1/add_1 <- n3\nn3 exp layer1/exp <- n4\nn4 add layer1/add <- n6, n5\nn5 mul <- n6\nn6 leaf float32 [2] x\n");
  CHECK(y.name() == "layer1/inner/mul");
  CHECK((before.name().empty() && after.name().empty()));
}

TEST_CASE("every step of a loop makes the same names, a graph keeps them apart", "[autograd][name_scope]") {
  const Tensor x = ones({2}).requires_grad_();
  const auto step = [&] {
    const NameScope layer("layer");
    return (x + 1).name();
  };
  CHECK(step() == "layer/add");
  CHECK(step() == "layer/add");
  {
    const NameGraph graph;
    CHECK(step() == "layer/add");
    CHECK(step() == "layer_1/add");
    const NameScope outer("outer");
    {
      const NameGraph other;  // the open scope does not reach into it
      CHECK(step() == "layer/add");
    }
    CHECK(step() == "outer/layer/add");
    const NameScope same("layer/");
    CHECK((x + 1).name() == "layer/add_1");
    const NameScope root("");
    CHECK((x + 1).name() == "add");
    CHECK((exp(x)).set_name("mine").name() == "mine");
  }
  CHECK(unique_name("add") == "add");
  CHECK(unique_name("add") == "add");  // nothing is open, nothing remembered
}

TEST_CASE("scopes belong to their thread and leave anomaly mode alone", "[autograd][name_scope]") {
  const Tensor x = ones({2}).requires_grad_();
  const NameScope scope("main");
  std::string name = "?";
  std::thread([&] { name = (x + 1).name(); }).join();
  CHECK(name.empty());
  {
    const AnomalyMode anomaly;
    const NameScope inner("inner");
    const Tensor y = log(x * -1);
    CHECK(y.name() == "main/inner/log");
    CHECK_THROWS_AS(sum(sqrt(y)).backward(), GradError);
  }
  CHECK((x + 1).name() == "main/add");
  const AnomalyMode anomaly(false);
  CHECK((x + 1).name() == "main/add_1");
}

TEST_CASE("illegal names are refused", "[autograd][name_scope]") {
  CHECK(MESSAGE(ValueError, NameScope("a b")) == "NameScope: \"a b\" is not a legal name; use letters, digits, _ . - and /, a letter, digit or . first");
  CHECK(MESSAGE(ValueError, NameScope("_a")) == "NameScope: \"_a\" is not a legal name; use letters, digits, _ . - and /, a letter, digit or . first");
  const NameScope scope(".a");
  const NameScope inner("_a");
  CHECK(inner.name() == ".a/_a");
  CHECK(MESSAGE(ValueError, NameScope("a+")) == "NameScope: \"a+\" is not a legal name; use letters, digits, _ . - and /");
}
