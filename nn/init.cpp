#include <rill/nn/init.h>

#include <cmath>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/random.h>

#include "lib/core/check.h"

namespace rill::nn::init {

Fan fan(const Tensor& w) {
  check_defined("fan", w, "the weight");
  check<ShapeError>(w.dim() >= 2, "fan", "a weight of shape {} has no fan; it needs [out, in, kernel...]", w.shape());
  std::int64_t kernel = 1;
  for (int i = 2; i < w.dim(); ++i) kernel *= w.size(i);
  return {w.size(1) * kernel, w.size(0) * kernel};
}

double gain(std::string_view f, double slope) {
  if (f == "linear" || f == "sigmoid" || f == "conv" || f == "conv1d" || f == "conv2d" || f == "conv3d") return 1;
  if (f == "tanh") return 5.0 / 3;
  if (f == "relu") return std::sqrt(2.0);
  if (f == "leaky_relu") return std::sqrt(2 / (1 + slope * slope));
  if (f == "selu") return 0.75;
  fail<ValueError>("gain", "\"{}\" is not a known nonlinearity; use linear, conv, sigmoid, tanh, relu, leaky_relu or selu", f);
}

const Tensor& constant_(const Tensor& w, double value) {
  const NoGrad off;
  return w.fill_(value);
}
const Tensor& zeros_(const Tensor& w) { return constant_(w, 0); }
const Tensor& ones_(const Tensor& w) { return constant_(w, 1); }
const Tensor& uniform_(const Tensor& w, double low, double high) {
  const NoGrad off;
  return rill::uniform_(w, low, high);
}
const Tensor& normal_(const Tensor& w, double mean, double std) {
  const NoGrad off;
  return rill::normal_(w, mean, std);
}
const Tensor& truncated_normal_(const Tensor& w, TruncatedNormal o) {
  check<ValueError>(o.std > 0 && o.low < o.high, "truncated_normal_", "std is {}, bounds are {} and {} deviations; expected std > 0 and low < high", o.std, o.low, o.high);
  const NoGrad off;
  return trunc_normal_(w, o.mean, o.std, o.mean + o.low * o.std, o.mean + o.high * o.std);
}

const Tensor& xavier_uniform_(const Tensor& w, double gain) {
  const Fan f = fan(w);
  const double bound = gain * std::sqrt(6.0 / static_cast<double>(f.in + f.out));
  return init::uniform_(w, -bound, bound);
}
const Tensor& xavier_normal_(const Tensor& w, double gain) {
  const Fan f = fan(w);
  return init::normal_(w, 0, gain * std::sqrt(2.0 / static_cast<double>(f.in + f.out)));
}

const Tensor& glorot_uniform_(const Tensor& w) {
  check_defined("glorot_uniform_", w, "the weight");
  double in = 1, out = 1;
  if (w.dim() == 1) in = out = static_cast<double>(w.size(0));
  for (int i = 0; w.dim() > 1 && i < w.dim(); ++i) {
    if (i != w.dim() - 1) in *= static_cast<double>(w.size(i));
    if (i != w.dim() - 2) out *= static_cast<double>(w.size(i));
  }
  const double bound = std::sqrt(6 / std::max(in + out, 1.0));
  return init::uniform_(w, -bound, bound);
}

namespace {
double deviation(const Tensor& w, const Kaiming& o) {
  const Fan f = fan(w);
  return gain(o.nonlinearity, o.slope) / std::sqrt(static_cast<double>(o.mode == Mode::fan_in ? f.in : f.out));
}
}  // namespace
const Tensor& kaiming_uniform_(const Tensor& w, Kaiming o) {
  const double bound = std::sqrt(3.0) * deviation(w, o);
  return init::uniform_(w, -bound, bound);
}
const Tensor& kaiming_normal_(const Tensor& w, Kaiming o) { return init::normal_(w, 0, deviation(w, o)); }

}  // namespace rill::nn::init
