// Elementwise functions of one operand against PyTorch: test/oracle/pointwise_goldens.py.
#include "test/support/derivative_goldens.h"

using namespace rill;

namespace {

#define RILL_ONE(op) {#op, [](auto&, auto& x) -> List { return {rill::op(x[0])}; }}
/// The op with its k-th argument, or without where PyTorch got none (the last argument marks the inputs that want a gradient).
template <class Plain, class With> RunGolden maybe(Plain plain, With with) {
  return [=](const Golden& g, const List& x) -> List { return {g.arguments.size() > 1 ? with(g, x[0]) : plain(x[0])}; };
}
std::optional<Scalar> bound(const Golden& g, std::size_t k) {
  const std::string& text = g.arguments[k];
  if (text == "-") return {};
  return text.find('.') != std::string::npos ? Scalar(g.number(k)) : Scalar(g.integer(k));
}

const std::map<std::string, RunGolden> kOps = {
    RILL_ONE(abs), RILL_ONE(neg), RILL_ONE(square), RILL_ONE(sign), RILL_ONE(sqrt), RILL_ONE(rsqrt), RILL_ONE(reciprocal), RILL_ONE(floor), RILL_ONE(ceil),
    RILL_ONE(round), RILL_ONE(trunc), RILL_ONE(frac), RILL_ONE(exp), RILL_ONE(exp2), RILL_ONE(expm1), RILL_ONE(log), RILL_ONE(log1p), RILL_ONE(log2),
    RILL_ONE(log10), RILL_ONE(sin), RILL_ONE(cos), RILL_ONE(tan), RILL_ONE(asin), RILL_ONE(acos), RILL_ONE(atan), RILL_ONE(sinh), RILL_ONE(cosh),
    RILL_ONE(tanh), RILL_ONE(asinh), RILL_ONE(acosh), RILL_ONE(atanh), RILL_ONE(erf), RILL_ONE(erfc), RILL_ONE(erfinv), RILL_ONE(lgamma),
    RILL_ONE(digamma), RILL_ONE(trigamma), RILL_ONE(sinc), RILL_ONE(deg2rad), RILL_ONE(rad2deg), RILL_ONE(relu), RILL_ONE(relu6), RILL_ONE(selu),
    RILL_ONE(sigmoid), RILL_ONE(logsigmoid), RILL_ONE(softsign), RILL_ONE(silu), RILL_ONE(mish), RILL_ONE(hardswish), RILL_ONE(hardsigmoid),
    RILL_ONE(tanhshrink), RILL_ONE(logical_not), RILL_ONE(isnan), RILL_ONE(isinf), RILL_ONE(isfinite), RILL_ONE(bitwise_not),
    {"clamp", [](auto& g, auto& x) -> List { return {clamp(x[0], bound(g, 0), bound(g, 1))}; }},
    {"nan_to_num", maybe([](auto& x) { return nan_to_num(x); }, [](auto& g, auto& x) { return nan_to_num(x, g.number(0), g.number(1), g.number(2)); })},
    {"logit", maybe([](auto& x) { return logit(x); }, [](auto& g, auto& x) { return logit(x, g.number(0)); })},
    {"crelu", [](auto& g, auto& x) -> List { return {crelu(x[0], g.integer(0))}; }},
    {"elu", maybe([](auto& x) { return elu(x); }, [](auto& g, auto& x) { return elu(x, g.number(0)); })},
    {"celu", maybe([](auto& x) { return celu(x); }, [](auto& g, auto& x) { return celu(x, g.number(0)); })},
    {"leaky_relu", maybe([](auto& x) { return leaky_relu(x); }, [](auto& g, auto& x) { return leaky_relu(x, g.number(0)); })},
    {"prelu", [](auto&, auto& x) -> List { return {prelu(x[0], x[1])}; }},
    {"softplus", maybe([](auto& x) { return softplus(x); }, [](auto& g, auto& x) { return softplus(x, g.number(0), g.number(1)); })},
    {"gelu", [](auto& g, auto& x) -> List { return {gelu(x[0], {.tanh_approximation = g.arguments[0] == "tanh"})}; }},
    {"hardtanh", maybe([](auto& x) { return hardtanh(x); }, [](auto& g, auto& x) { return hardtanh(x, g.number(0), g.number(1)); })},
    {"softshrink", maybe([](auto& x) { return softshrink(x); }, [](auto& g, auto& x) { return softshrink(x, g.number(0)); })},
    {"hardshrink", maybe([](auto& x) { return hardshrink(x); }, [](auto& g, auto& x) { return hardshrink(x, g.number(0)); })},
    {"threshold", [](auto& g, auto& x) -> List { return {threshold(x[0], g.number(0), g.number(1))}; }},
    {"glu", [](auto& g, auto& x) -> List { return {glu(x[0], g.integer(0))}; }},
};

/// A few units of the last place, next to 0 of the smallest numbers. Zeros keep their sign where nothing underflows.
Within values(const Golden& g) {
  const bool root = g.op == "digamma" || g.op == "tanhshrink";  // they cancel near their roots
  const bool zeros = g.op != "sinc" && g.op != "softshrink";  // there PyTorch's signs follow its rounding
  switch (g.sections.at("")[0].dtype()) {
    case bfloat16: return {0x1p-8, 0x1p-133};
    case float16: return {0x1p-11, 0x1p-24};
    case float32: return {4 * 0x1p-23, root ? 0x1p-23 : 0x1p-148, zeros};
    default: return {8 * 0x1p-52, root ? 4 * 0x1p-52 : 0x1p-1073, zeros};
  }
}
/// PyTorch's trigamma has ten digits; its derivative of gelu cancels on the left.
Within derivatives(const Golden& g) { return {g.op == "lgamma" || g.op == "digamma" ? 1e-9 : g.op == "gelu" ? 1e-11 : 1e-12}; }

}  // namespace

TEST_CASE("elementwise functions of one operand agree with PyTorch up to the second derivative", "[ops][golden]") {
  check_goldens(RILL_SOURCE_DIR "/test/ops/unary_goldens.txt", kOps, {.outputs = values, .derivatives = derivatives});
}

TEST_CASE("where the derivative at a kink is not PyTorch's", "[ops][golden]") {
  // PyTorch 2 gave 1 at the bounds of clamp (as TensorFlow's clip_by_value does) and later changed to 0
  const Tensor x = tensor({-1., -0.5, 2., 3.}).requires_grad_();
  CHECK(grad({sum(clamp(x, -1, 2))}, {x})[0].to_vector<double>() == std::vector<double>{1, 1, 1, 0});
}
