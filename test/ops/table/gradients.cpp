// First and second derivatives of every row against central differences.
#include "test/support/catch.h"

#include "test/ops/table/catalogue.h"

namespace rill::optable {
namespace {

Args gradient_inputs(const Row& row) {
  Draw draw(11);
  Args args;
  for (const Input& in : row.inputs) {
    const Tensor t = make_input(in, row.elementwise ? Shape{2, 3} : in.shape, float64, draw);
    args.push_back(is_floating(t.dtype()) ? t.requires_grad_() : t);
  }
  return args;
}

}  // namespace

TEST_CASE("gradients agree with differences", "[table]") {
  for (const Row& row : rows()) {
    if (!row.differentiable || !(row.kinds & kFloats)) continue;
    INFO(row.name);
    const auto result = gradcheck(row.run, gradient_inputs(row), {.rtol = 1e-6, .atol = 1e-7});
    CHECK(result.message == "");
  }
}

TEST_CASE("second derivatives agree with differences", "[table]") {
  for (const Row& row : rows()) {
    if (!row.differentiable || !(row.kinds & kFloats)) continue;
    INFO(row.name);
    if (!row.twice) {
      CHECK_THROWS_AS(gradgradcheck(row.run, gradient_inputs(row)), GradError);
      continue;
    }
    const auto result = gradgradcheck(row.run, gradient_inputs(row), {.rtol = 1e-6, .atol = 1e-6});
    CHECK(result.message == "");
  }
}

TEST_CASE("rows without a derivative give none or refuse", "[table]") {
  for (const Row& row : rows()) {
    if (row.differentiable || !(row.kinds & kFloats)) continue;
    INFO(row.name);
    const Tensor out = row.run(gradient_inputs(row));
    if (out.requires_grad()) CHECK_THROWS_AS(out.sum().backward(), GradError);
  }
}

}  // namespace rill::optable
