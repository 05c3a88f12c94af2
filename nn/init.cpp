#include <rill/nn/init.h>

#include <cmath>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/linalg.h>
#include <rill/ops/random.h>
#include <rill/ops/view.h>

#include "lib/core/check.h"

namespace rill::nn::init {

Fan fan(const Tensor& w, Layout layout) {
  check_defined("fan", w, "the weight");
  const auto rank = static_cast<int>(w.dim());
  if (layout == Layout::in_out && rank < 2) return {w.numel(), w.numel()};
  check<ShapeError>(rank >= 2, "fan", "a weight of shape {} has no fan; it needs [out, in, kernel...]", w.shape());
  const int out = layout == Layout::out_in ? 0 : rank - 1, in = layout == Layout::out_in ? 1 : rank - 2;
  std::int64_t kernel = 1;
  for (int i = 0; i < rank; ++i)
    if (i != in && i != out) kernel *= w.size(i);
  return {w.size(in) * kernel, w.size(out) * kernel};
}

double gain(std::string_view f, double slope) {
  if (f == "linear" || f == "sigmoid" || f == "conv" || f == "conv1d" || f == "conv2d" || f == "conv3d" || f == "conv_transpose1d" || f == "conv_transpose2d" || f == "conv_transpose3d") return 1;
  if (f == "tanh") return 5.0 / 3;
  if (f == "relu") return std::sqrt(2.0);
  if (f == "leaky_relu") return std::sqrt(2 / (1 + slope * slope));
  if (f == "selu") return 0.75;
  fail<ValueError>("gain", "\"{}\" is not a known nonlinearity; use linear, conv, conv_transpose1d (2d, 3d), sigmoid, tanh, relu, leaky_relu or selu", f);
}

// ---- single values ------------------------------------------------------------------------------------------------------------------

const Tensor& constant_(const Tensor& w, double value) {
  const NoGrad off;
  return w.fill_(value);
}
const Tensor& constant_(const Tensor& w, const std::vector<double>& values) {
  check_defined("constant_", w);
  check<ValueError>(!values.empty() && static_cast<std::int64_t>(values.size()) <= w.numel(), "constant_", "{} values for a tensor of {} elements; give at least one and at most one for each", values.size(),
                    w.numel());
  std::vector<double> all = values;
  all.resize(static_cast<std::size_t>(w.numel()), values.back());
  const NoGrad off;
  return w.copy_(tensor(all).reshape(w.shape()));
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
  return rill::trunc_normal_(w, o.mean, o.std, o.mean + o.low * o.std, o.mean + o.high * o.std);
}
const Tensor& trunc_normal_(const Tensor& w, TruncNormal o) {
  const NoGrad off;
  return rill::trunc_normal_(w, o.mean, o.std, o.low, o.high);
}

// ---- scaled by the fans --------------------------------------------------------------------------------------------------------------

namespace {

/// The deviation of a normal truncated at two deviations, in units of those.
constexpr double kTruncatedDeviation = 0.87962566103423978;

double size(const Fan& f, Mode mode) {
  if (mode == Mode::fan_avg) return static_cast<double>(f.in + f.out) / 2;
  return static_cast<double>(mode == Mode::fan_in ? f.in : f.out);
}
double deviation(const Tensor& w, const Kaiming& o) { return gain(o.nonlinearity, o.slope) / std::sqrt(size(fan(w), o.mode)); }
const Tensor& symmetric_(const Tensor& w, double bound) { return init::uniform_(w, -bound, bound); }
const Tensor& scaled_(const Tensor& w, double scale, Mode mode, Distribution distribution, Layout layout) {
  return variance_scaling_(w, {.scale = scale, .mode = mode, .distribution = distribution, .layout = layout});
}

}  // namespace

const Tensor& xavier_uniform_(const Tensor& w, double gain) {
  const Fan f = fan(w);
  return symmetric_(w, gain * std::sqrt(6.0 / static_cast<double>(f.in + f.out)));
}
const Tensor& xavier_normal_(const Tensor& w, double gain) {
  const Fan f = fan(w);
  return init::normal_(w, 0, gain * std::sqrt(2.0 / static_cast<double>(f.in + f.out)));
}
const Tensor& kaiming_uniform_(const Tensor& w, Kaiming o) { return symmetric_(w, std::sqrt(3.0) * deviation(w, o)); }
const Tensor& kaiming_normal_(const Tensor& w, Kaiming o) { return init::normal_(w, 0, deviation(w, o)); }

const Tensor& variance_scaling_(const Tensor& w, VarianceScaling o) {
  check<ValueError>(o.scale > 0, "variance_scaling_", "scale is {}; it must be above 0", o.scale);
  const double variance = o.scale / std::max(1.0, size(fan(w, o.layout), o.mode));
  if (o.distribution == Distribution::uniform) return symmetric_(w, std::sqrt(3 * variance));
  if (o.distribution == Distribution::untruncated_normal) return init::normal_(w, 0, std::sqrt(variance));
  return truncated_normal_(w, {.std = std::sqrt(variance) / kTruncatedDeviation});
}
const Tensor& glorot_uniform_(const Tensor& w, Layout layout) { return scaled_(w, 1, Mode::fan_avg, Distribution::uniform, layout); }
const Tensor& glorot_normal_(const Tensor& w, Layout layout) { return scaled_(w, 1, Mode::fan_avg, Distribution::truncated_normal, layout); }
const Tensor& he_uniform_(const Tensor& w, Layout layout) { return scaled_(w, 2, Mode::fan_in, Distribution::uniform, layout); }
const Tensor& he_normal_(const Tensor& w, Layout layout) { return scaled_(w, 2, Mode::fan_in, Distribution::truncated_normal, layout); }
const Tensor& lecun_uniform_(const Tensor& w, Layout layout) { return scaled_(w, 1, Mode::fan_in, Distribution::uniform, layout); }
const Tensor& lecun_normal_(const Tensor& w, Layout layout) { return scaled_(w, 1, Mode::fan_in, Distribution::truncated_normal, layout); }

const Tensor& slim_variance_scaling_(const Tensor& w, SlimScaling o) {
  check<ValueError>(o.factor > 0, "slim_variance_scaling_", "factor is {}; it must be above 0", o.factor);
  const double n = size(fan(w, o.layout), o.mode);
  if (o.uniform) return symmetric_(w, std::sqrt(3 * o.factor / n));
  return truncated_normal_(w, {.std = std::sqrt(1.3 * o.factor / n)});
}
const Tensor& uniform_unit_scaling_(const Tensor& w, double factor, Layout layout) {
  check_defined("uniform_unit_scaling_", w);
  const std::int64_t outputs = w.dim() == 0 ? 1 : w.size(layout == Layout::out_in ? 0 : -1);
  return symmetric_(w, factor * std::sqrt(3 / std::max(1.0, static_cast<double>(w.numel()) / static_cast<double>(std::max<std::int64_t>(1, outputs)))));
}

// ---- structured ----------------------------------------------------------------------------------------------------------------------

const Tensor& orthogonal_(const Tensor& w, double gain, Layout layout) {
  check_defined("orthogonal_", w);
  check<ShapeError>(w.dim() >= 2, "orthogonal_", "takes a weight of rank 2 or more, got {}", w.shape());
  if (w.numel() == 0) return w;
  const NoGrad off;
  const std::int64_t kept = w.size(layout == Layout::out_in ? 0 : -1), rest = w.numel() / kept;
  const std::int64_t rows = layout == Layout::out_in ? kept : rest, columns = layout == Layout::out_in ? rest : kept;
  const bool wide = rows < columns;
  // PyTorch draws [rows, columns] and turns that, TensorFlow draws the tall matrix at once
  Tensor tall = empty(wide && layout == Layout::in_out ? Shape{columns, rows} : Shape{rows, columns}, {.dtype = w.dtype(), .device = w.device()});
  rill::normal_(tall);
  if (wide && layout == Layout::out_in) tall = tall.t();
  const Qr f = qr(tall);
  const Tensor q = f.q * sign(diagonal(f.r));
  return w.copy_((wide ? q.t() : q).reshape(w.shape()) * gain);
}

const Tensor& eye_(const Tensor& w, double gain) {
  check_defined("eye_", w);
  check<ShapeError>(w.dim() == 2, "eye_", "takes a matrix, got {}", w.shape());
  const NoGrad off;
  w.zero_();
  diagonal(w).fill_(gain);
  return w;
}

const Tensor& dirac_(const Tensor& w, std::int64_t groups) {
  check_defined("dirac_", w);
  check<ShapeError>(w.dim() >= 3 && w.dim() <= 5, "dirac_", "takes a convolution's weight [out, in, kernel..] of rank 3 to 5, got {}", w.shape());
  check<ValueError>(groups >= 1 && w.size(0) % groups == 0, "dirac_", "{} groups do not divide the {} outputs", groups, w.size(0));
  const NoGrad off;
  w.zero_();
  const std::int64_t per_group = w.size(0) / groups;
  for (std::int64_t out = 0; out < w.size(0); ++out) {
    if (out % per_group >= w.size(1)) continue;
    Tensor place = w.select(0, out).select(0, out % per_group);
    while (place.dim()) place = place.select(0, place.size(0) / 2);
    place.fill_(1);
  }
  return w;
}

const Tensor& sparse_(const Tensor& w, double sparsity, double std) {
  check_defined("sparse_", w);
  check<ShapeError>(w.dim() == 2, "sparse_", "takes a matrix, got {}", w.shape());
  check<ValueError>(sparsity >= 0 && sparsity <= 1, "sparse_", "the sparsity {} is outside [0, 1]", sparsity);
  const NoGrad off;
  const auto zeros = static_cast<std::int64_t>(std::ceil(sparsity * static_cast<double>(w.size(0))));
  rill::normal_(w, 0, std);
  for (std::int64_t column = 0; column < w.size(1); ++column) index_fill_(w.select(1, column), 0, randperm(w.size(0), {.device = w.device()}).narrow(0, 0, zeros), 0);
  return w;
}

}  // namespace rill::nn::init
