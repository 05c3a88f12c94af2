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

TEST_CASE("gradients of numbers, empty and broadcast operands agree with differences", "[table]") {
  for (const Row& row : rows()) {
    if (!row.differentiable || !(row.kinds & kFloats) || !row.elementwise) continue;
    std::vector<std::vector<Shape>> cases;
    for (const Shape& s : {Shape{}, Shape{0, 2}, Shape{1}}) cases.emplace_back(row.inputs.size(), s);
    if (row.inputs.size() > 1)
      for (const auto& [a, b] : {std::pair<Shape, Shape>{{3, 1}, {2}}, {{}, {3}}, {{2, 3}, {}}, {{0, 2}, {1, 2}}, {{2, 1, 2}, {3, 1}}}) {
        cases.emplace_back(row.inputs.size(), a);
        cases.back()[1] = b;
      }
    for (const auto& shapes : cases) {
      Draw draw(13);
      Args args;
      for (std::size_t k = 0; k < shapes.size(); ++k) {
        const Tensor t = make_input(row.inputs[k], shapes[k], float64, draw);
        args.push_back(is_floating(t.dtype()) ? t.requires_grad_() : t);
      }
      INFO(row.name << " of " << to_string(shapes[0]) << " and " << to_string(shapes.back()));
      CHECK(gradcheck(row.run, args, {.rtol = 1e-6, .atol = 1e-7}).message == "");
    }
  }
}

TEST_CASE("an expanded incoming gradient gives what a contiguous one gives", "[table]") {
  for (const Row& row : rows()) {
    if (!row.differentiable || !(row.kinds & kFloats)) continue;
    INFO(row.name);
    const Args args = gradient_inputs(row);
    Args leaves;
    for (const Tensor& a : args)
      if (a.requires_grad()) leaves.push_back(a);
    const Tensor out = row.run(args), one = full({}, 0.75, {.dtype = out.dtype()}).expand(out.shape());
    const Args want = grad({out}, leaves, {one.clone(MemoryFormat::contiguous)}, {.retain_graph = true, .allow_unused = true}), have = grad({out}, leaves, {one}, {.allow_unused = true});
    for (std::size_t k = 0; k < leaves.size(); ++k) {
      REQUIRE(have[k].defined() == want[k].defined());
      if (want[k].defined()) CHECK(allclose(have[k], want[k], 1e-12, 1e-12, true));
    }
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
