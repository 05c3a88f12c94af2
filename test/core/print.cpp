#include "test/support/catch.h"

#include <rill/core/print.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/view.h>

#include <cmath>
#include <sstream>

using namespace rill;

namespace {
constexpr double nan = NAN, inf = INFINITY;
struct PrintGolden {
  PrintOptions options;
  Tensor (*make)();
  const char* text;
};
#include "test/core/print_goldens.h"
}  // namespace

TEST_CASE("tensors print like PyTorch's", "[core][print]") {
  for (const auto& g : kPrintGoldens) CHECK(to_string(g.make(), g.options) == g.text);
}

TEST_CASE("a print names the op that made a tensor and the tensor itself", "[core][print]") {
  const Tensor w = ones({2}).requires_grad_().set_name("w");
  CHECK(to_string(w) == "tensor([1., 1.], requires_grad=True, name=\"w\")");
  CHECK(to_string(w * 2) == "tensor([2., 2.], grad_fn=<mul>)");
  CHECK(to_string(Tensor()) == "tensor(undefined)");
  std::ostringstream stream;
  stream << w.detach() << ' ' << w.shape() << ' ' << w.dtype() << ' ' << w.device();
  CHECK(stream.str() == "tensor([1., 1.]) [2] float32 cpu");
}

TEST_CASE("a summary is one line", "[core][print]") {
  CHECK(summary(rill::tensor({{1., -2.5}, {4., 0.125}})) == "float32 [2, 2] min -2.5 max 4 mean 0.6562");
  CHECK(summary(rill::tensor({1., NAN, INFINITY, -INFINITY, 3.}).set_name("w")) == "w float32 [5] min 1 max 3 mean 2 1 nan 2 inf");
  CHECK(summary(arange(4)) == "int64 [4] min 0 max 3 mean 1.5");
  CHECK(summary(zeros({0, 3})) == "float32 [0, 3]");
  CHECK(summary(rill::tensor({NAN})) == "float32 [1] 1 nan");
  CHECK(summary(Tensor()) == "undefined");
}

TEST_CASE("print options are checked and hold for all threads", "[core][print]") {
  set_print_options({.precision = 1});
  CHECK(to_string(rill::tensor({0.25, 1.})) == "tensor([0.2, 1.0])");
  set_print_options({});
  CHECK(to_string(rill::tensor({0.25, 1.})) == "tensor([0.2500, 1.0000])");
  CHECK_THROWS_WITH(set_print_options({.precision = 101}), "set_print_options: precision is 101; use 0 to 100 digits");
  CHECK_THROWS_AS(set_print_options({.linewidth = 0}), ValueError);
  CHECK_THROWS_AS(set_print_options({.edgeitems = -1}), ValueError);
}
