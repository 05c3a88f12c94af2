// Elementwise functions of two and three operands against PyTorch: test/oracle/pointwise_goldens.py.
#include "test/support/derivative_goldens.h"

using namespace rill;

namespace {

#define RILL_TWO(op) {#op, [](auto&, auto& x) -> List { return {rill::op(x[0], x[1])}; }}

Closeness closeness(const Golden& g) { return {.rtol = g.number(0), .atol = g.number(1), .equal_nan = g.integer(2) != 0}; }
/// alpha as PyTorch got it: an integer for integers. Without arguments (but the marks) there is none.
template <class F> RunGolden scaled(F f) {
  return [f](const Golden& g, const List& x) -> List { return {g.arguments.size() == 1 ? f(x[0], x[1], Scalar(1)) : f(x[0], x[1], is_floating(x[0].dtype()) ? Scalar(g.number(0)) : Scalar(g.integer(0)))}; };
}

const std::map<std::string, RunGolden> kOps = {
    RILL_TWO(mul), RILL_TWO(div), RILL_TWO(floor_divide), RILL_TWO(trunc_divide), RILL_TWO(remainder), RILL_TWO(fmod), RILL_TWO(pow), RILL_TWO(maximum),
    RILL_TWO(minimum), RILL_TWO(fmax), RILL_TWO(fmin), RILL_TWO(atan2), RILL_TWO(hypot), RILL_TWO(copysign), RILL_TWO(logaddexp), RILL_TWO(logaddexp2), RILL_TWO(float_power), RILL_TWO(ldexp), RILL_TWO(xlogy),
    RILL_TWO(heaviside), RILL_TWO(bitwise_and), RILL_TWO(bitwise_or), RILL_TWO(bitwise_xor), RILL_TWO(bitwise_left_shift), RILL_TWO(bitwise_right_shift),
    RILL_TWO(gcd), RILL_TWO(lcm), RILL_TWO(eq), RILL_TWO(ne), RILL_TWO(lt), RILL_TWO(le), RILL_TWO(gt), RILL_TWO(ge), RILL_TWO(logical_and),
    RILL_TWO(logical_or), RILL_TWO(logical_xor),
    {"add", scaled([](const auto&... x) { return add(x...); })},
    {"sub", scaled([](const auto&... x) { return sub(x...); })},
    {"isclose", [](auto& g, auto& x) -> List { return {isclose(x[0], x[1], closeness(g))}; }},
    {"allclose", [](auto& g, auto& x) -> List { return {tensor(allclose(x[0], x[1], g.number(0), g.number(1), g.integer(2) != 0))}; }},
    {"equal", [](auto&, auto& x) -> List { return {tensor(equal(x[0], x[1]))}; }},
    {"where", [](auto&, auto& x) -> List { return {where(x[0], x[1], x[2])}; }},
    {"lerp", [](auto&, auto& x) -> List { return {lerp(x[0], x[1], x[2])}; }},
    {"lerp_number", [](auto& g, auto& x) -> List { return {lerp(x[0], x[1], g.number(0))}; }},
    {"addcmul", [](auto& g, auto& x) -> List { return {addcmul(x[0], x[1], x[2], g.number(0))}; }},
    {"addcdiv", [](auto& g, auto& x) -> List { return {addcdiv(x[0], x[1], x[2], g.number(0))}; }},
    {"clamp", [](auto&, auto& x) -> List { return {clamp(x[0], x[1], x[2])}; }},
};

Within values(const Golden& g) {
  const bool zeros = g.op != "maximum" && g.op != "minimum";  // which of -0 and 0 is the larger one depends on their order
  switch (g.sections.at("")[0].dtype()) {
    case bfloat16: return {0x1p-8, 0x1p-133};
    case float16: return {0x1p-11, 0x1p-24};
    case float32: return {4 * 0x1p-23, 0x1p-148, zeros};
    default: return {4 * 0x1p-52, 0x1p-1073, zeros};
  }
}

}  // namespace

TEST_CASE("elementwise functions of two and three operands agree with PyTorch up to the second derivative", "[ops][golden]") {
  check_goldens(RILL_SOURCE_DIR "/test/ops/binary_goldens.txt", kOps, {.outputs = values, .derivatives = [](auto&) { return Within{1e-12}; }});
}

TEST_CASE("where a function of two operands is not PyTorch's", "[ops][golden]") {
  // PyTorch's heaviside makes 0 of NaN; NumPy's and ours let it pass
  CHECK(isnan(heaviside(tensor({NAN, 1.}), tensor({0.5, 0.5}))).to_vector<bool>() == std::vector<bool>{true, false});
}
