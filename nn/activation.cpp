#include <rill/nn/activation.h>

#include <rill/ops/create.h>
#include <rill/ops/index.h>
#include <rill/ops/random.h>
#include <rill/ops/reduce.h>
#include <rill/ops/softmax.h>

#include "nn/arguments.h"
#include "nn/place.h"
#include "nn/repr.h"

namespace rill::nn {
namespace {

std::string named(const char* name, double value) { return name + ("=" + repr::number(value)); }
std::string dim(std::int64_t axis) { return "dim=" + std::to_string(axis); }

}  // namespace

ReLU::ReLU() : Function(relu) {}
ReLU6::ReLU6() : Function(relu6) {}
SELU::SELU() : Function(selu) {}
SiLU::SiLU() : Function(silu) {}
Mish::Mish() : Function(mish) {}
Sigmoid::Sigmoid() : Function(sigmoid) {}
LogSigmoid::LogSigmoid() : Function(logsigmoid) {}
Hardsigmoid::Hardsigmoid() : Function(hardsigmoid) {}
Hardswish::Hardswish() : Function(hardswish) {}
Tanh::Tanh() : Function(tanh) {}
Tanhshrink::Tanhshrink() : Function(tanhshrink) {}
Softsign::Softsign() : Function(softsign) {}

ELU::ELU(double alpha) : Function([=](const Tensor& x) { return elu(x, alpha); }, named("alpha", alpha)) {}
CELU::CELU(double alpha) : Function([=](const Tensor& x) { return celu(x, alpha); }, named("alpha", alpha)) { check<ValueError>(alpha != 0, "CELU", "alpha is 0; it must be another number"); }
LeakyReLU::LeakyReLU(double slope) : Function([=](const Tensor& x) { return leaky_relu(x, slope); }, named("negative_slope", slope)) {}
Hardtanh::Hardtanh(double low, double high) : Function([=](const Tensor& x) { return hardtanh(x, low, high); }, named("min_val", low) + ", " + named("max_val", high)) {
  check<ValueError>(low < high, "Hardtanh", "the bounds are {} and {}; the lower one must be below the upper one", low, high);
}
Softplus::Softplus(double beta, double threshold) : Function([=](const Tensor& x) { return softplus(x, beta, threshold); }, named("beta", beta) + ", " + named("threshold", threshold)) {
  check_positive("Softplus", "beta", beta);
}
Softshrink::Softshrink(double lambda) : Function([=](const Tensor& x) { return softshrink(x, lambda); }, repr::number(lambda)) {
  check<ValueError>(lambda >= 0, "Softshrink", "lambda is {}; it must be 0 or more", lambda);
}
Hardshrink::Hardshrink(double lambda) : Function([=](const Tensor& x) { return hardshrink(x, lambda); }, repr::number(lambda)) {}
Threshold::Threshold(double limit, double value) : Function([=](const Tensor& x) { return threshold(x, limit, value); }, named("threshold", limit) + ", " + named("value", value)) {}
GELU::GELU(GeluOptions o) : Function([=](const Tensor& x) { return gelu(x, o); }, o.tanh_approximation ? "approximate='tanh'" : "approximate='none'") {}

GLU::GLU(std::int64_t axis) : Function([=](const Tensor& x) { return glu(x, axis); }, dim(axis)) {}
CReLU::CReLU(std::int64_t axis) : Function([=](const Tensor& x) { return crelu(x, axis); }, dim(axis)) {}
Softmax::Softmax(std::int64_t axis) : Function([=](const Tensor& x) { return softmax(x, axis); }, dim(axis)) {}
LogSoftmax::LogSoftmax(std::int64_t axis) : Function([=](const Tensor& x) { return log_softmax(x, axis); }, dim(axis)) {}
Softmin::Softmin(std::int64_t axis) : Function([=](const Tensor& x) { return softmin(x, axis); }, dim(axis)) {}
Softmax2d::Softmax2d()
    : Function([](const Tensor& x) {
        check<ShapeError>(x.dim() == 3 || x.dim() == 4, "Softmax2d", "takes x [N, C, H, W] or [C, H, W], got {}", x.shape());
        return softmax(x, -3);
      }) {}

PReLU::PReLU(std::int64_t slopes, const PReLUOptions& o) {
  check_size("PReLU", "the number of slopes", slopes);
  weight = Parameter(full({slopes}, o.init, {.dtype = o.tensor.dtype.value_or(default_dtype()), .device = o.tensor.device}));
}
Tensor PReLU::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return prelu(x, weight); });
}
std::string PReLU::describe() const { return fmt::format("{}(num_parameters={})", class_name(*this), weight.numel()); }

RReLU::RReLU(double lower, double upper) : lower(lower), upper(upper) {
  check<ValueError>(lower <= upper, "RReLU", "the slopes are from {} to {}; the lower one must not be above the upper one", lower, upper);
}
Tensor RReLU::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) {
    if (!training) return leaky_relu(x, (lower + upper) / 2);
    check<DtypeError>(x.is_floating_point(), "RReLU", "{} is not supported (expected a floating dtype)", x.dtype());
    // As PyTorch, one number is drawn for each element that is not positive, in row-major order.
    const Tensor negative = x.detach() <= 0, drawn = empty({count_nonzero(negative).item<std::int64_t>()}, {.dtype = float64, .device = x.device()});
    uniform_(drawn, lower, upper);
    return x * masked_scatter(ones_like(x.detach()), negative, drawn.to(x.dtype()));
  });
}
std::string RReLU::describe() const { return fmt::format("{}(lower={}, upper={})", class_name(*this), repr::number(lower), repr::number(upper)); }

}  // namespace rill::nn
