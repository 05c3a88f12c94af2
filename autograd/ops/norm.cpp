// Layer, group, instance, RMS and batch normalisation. One fused pass forward and one backward; a backward pass that is recorded
// itself computes the same formula with public ops, statistics included.
#include <rill/ops/norm.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "autograd/autocast.h"
#include "autograd/elementwise.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

void check_input(const char* op, const Tensor& x) {
  check_defined(op, x);
  check<DtypeError>(is_floating(impl(x).dtype), op, "{} is not supported (expected a floating dtype); convert with .to(float32)", impl(x).dtype);
}
/// A parameter in the dtype that the kernel computes in; undefined stays undefined.
Tensor parameter(const char* op, const char* name, const Tensor& p, const Tensor& x, const Shape& shape) {
  if (!p.defined()) return p;
  check_same_device(op, x, p);
  const Dtype d = impl(x).dtype, compute = compute_dtype(d);
  check<DtypeError>(impl(p).dtype == d || impl(p).dtype == compute, op, "the {} is {}, the input {}; convert one with .to()", name, impl(p).dtype, d);
  check<ShapeError>(impl(p).shape == shape, op, "the {} has shape {}, expected {} for the input {}", name, impl(p).shape, shape, describe(x));
  return p.to(compute);
}
const void* pointer(const Tensor& t) { return t.defined() ? impl(t).data : nullptr; }
double* doubles(const Tensor& t) { return t.defined() ? reinterpret_cast<double*>(impl(t).data) : nullptr; }
Tensor dense(const Tensor& t) { return t.defined() ? t.detach().contiguous() : t; }
Tensor wide(std::int64_t n, const Tensor& x) { return make_tensor({n}, Dtype::float64, impl(x).device); }

// ---- rows -----------------------------------------------------------------------------------------------------------------------

/// The gradients of x, weight and bias with public ops. `weight` may be undefined.
std::vector<Tensor> rows_formula(const RowNorm& spec, const Tensor& g, const Tensor& x, const Tensor& weight, const Shape& parameter_shape, bool wants_parameters) {
  const Shape rows{spec.rows / spec.groups, spec.groups, spec.channels * spec.run}, split{spec.rows / spec.groups, spec.groups, spec.channels, spec.run};
  const Tensor in = reshape(x, rows), out = reshape(g, rows);
  const Tensor d = spec.centered ? in - mean(in, {-1}, true) : in;
  const Tensor r = rsqrt(mean(square(d), {-1}, true) + spec.eps), z = d * r;
  const Tensor h = weight.defined() ? reshape(reshape(g, split) * reshape(weight, {spec.groups, spec.channels, 1}), rows) : out;
  const Tensor along = h - z * mean(h * z, {-1}, true);
  const Tensor gx = reshape(r * (spec.centered ? along - mean(h, {-1}, true) : along), x.shape());
  if (!wants_parameters) return {gx, {}, {}};
  return {gx, reshape(sum(reshape(out * z, split), {0, 3}), parameter_shape), reshape(sum(reshape(g, split), {0, 3}), parameter_shape)};
}

struct Statistics { Tensor mean, rstd; };  // float64, constants

Tensor normalize_rows(const char* op, const Tensor& input, const RowNorm& spec, const Tensor& weight, const Tensor& bias, Statistics* statistics = nullptr) {
  const Dtype dtype = impl(input).dtype, compute = compute_dtype(dtype);
  const Tensor x = input.to(compute);
  const Shape parameter_shape = weight.defined() ? impl(weight).shape : bias.defined() ? impl(bias).shape : Shape{};
  const Tensor from = dense(x), w = dense(weight), b = dense(bias);
  Tensor out = make_tensor(impl(x).shape, compute, impl(x).device), mean = wide(spec.rows, x), rstd = wide(spec.rows, x);
  if (impl(out).numel) kernels(x).norm_rows(compute, spec, {.x = pointer(from), .weight = pointer(w), .bias = pointer(b), .y = impl(out).data, .mean = doubles(mean), .rstd = doubles(rstd)});
  if (statistics) *statistics = {mean, rstd};
  if (recording(x, weight, bias)) {
    auto formula = [spec, x = save(x), weight = save(weight), mean, rstd, parameter_shape](std::span<Tensor> gs, GradSink& sink) -> std::vector<Tensor> {
      const Tensor &g = gs[0], &in = x(), &w = weight();
      const bool wants_w = sink.wants(1), wants_b = sink.wants(2);
      if (recording(g, in, w)) return rows_formula(spec, g, in, w, parameter_shape, wants_w || wants_b);
      const Dtype d = impl(in).dtype;
      const Tensor from = dense(in), incoming = dense(g), scale = dense(w);
      Tensor gx, gw, gb;
      if (sink.wants(0)) gx = make_tensor(impl(in).shape, d, impl(in).device);
      const std::int64_t channels = spec.groups * spec.channels;
      if (wants_w) gw = zeros({channels}, {.dtype = Dtype::float64, .device = in.device()});
      if (wants_b) gb = zeros({channels}, {.dtype = Dtype::float64, .device = in.device()});
      if (impl(in).numel)
        kernels(in).norm_rows_grad(d, spec, {.x = pointer(from), .weight = pointer(scale), .g = pointer(incoming), .gx = gx.defined() ? impl(gx).data : nullptr,
                                             .mean = doubles(mean), .rstd = doubles(rstd), .gweight = doubles(gw), .gbias = doubles(gb)});
      auto finish = [&](const Tensor& t) { return t.defined() ? reshape(t.to(d), parameter_shape) : t; };
      return {gx, finish(gw), finish(gb)};
    };
    const Tensor inputs[] = {x, weight, bias};
    record_many(op, inputs, {&out, 1}, std::move(formula));
  }
  return out.to(dtype);
}

/// Rows over the last axes.
Tensor last_axes(const char* op, const Tensor& x, const Shape& normalized, const Tensor& weight, const Tensor& bias, double eps, bool centered) {
  check_input(op, x);
  const Shape& shape = impl(x).shape;
  const int rank = shape.rank(), count = normalized.rank();
  bool fits = count >= 1 && count <= rank;
  for (int i = 0; fits && i < count; ++i) fits = shape[rank - count + i] == normalized[i];
  check<ShapeError>(fits, op, "the input {} does not end with the normalized shape {}; these must be its last sizes", describe(x), normalized);
  const Tensor w = parameter(op, "weight", weight, x, normalized), b = parameter(op, "bias", bias, x, normalized);
  std::int64_t n = 1, rows = 1;
  for (int i = 0; i < rank; ++i) (i < rank - count ? rows : n) *= shape[i];
  return normalize_rows(op, x, {rows, 1, n, 1, eps, centered}, w, b);
}

// ---- channels -------------------------------------------------------------------------------------------------------------------

/// How a tensor [N, C, ...] lies in memory for the channel kernels: planes, or channels last where it is that way already.
struct ChannelLayout {
  MemoryFormat format = MemoryFormat::contiguous;
  ChannelNorm spec;
  ChannelLayout(const Tensor& x, double eps, bool batch, bool relu = false) : spec{x.size(0), x.size(1), 1, eps, batch, relu} {
    for (int a = 2; a < x.dim(); ++a) spec.inner *= x.size(a);
    if (impl(x).contiguous || x.dim() < 3 || x.dim() > 5 || !x.is_contiguous(MemoryFormat::channels_last)) return;
    format = MemoryFormat::channels_last;
    spec.outer *= spec.inner, spec.inner = 1;
  }
};

/// From one outer index of g to the next, where g lies as the layout wants it but for this distance: a part of a concatenation does.
std::optional<std::int64_t> outer_step(const Tensor& g, const ChannelLayout& layout) {
  const Shape& shape = impl(g).shape;
  const bool last = layout.format == MemoryFormat::channels_last;
  const int rank = shape.rank();
  std::int64_t step = 0, expected = 1;  // the stride of the next axis
  for (int place = 0; place < rank; ++place) {  // from the innermost axis
    const int axis = !last ? rank - 1 - place : place == 0 ? 1 : place == rank - 1 ? 0 : rank - place;
    if (shape[axis] == 1) continue;
    const std::int64_t stride = impl(g).strides[axis];
    const bool outer = axis == 0 || (last && axis != 1);
    if (outer && step == 0) step = expected = std::max(stride, expected);
    if (stride != expected) return std::nullopt;
    expected *= shape[axis];
  }
  return step ? step : expected;
}

std::vector<Tensor> channels_formula(const ChannelNorm& spec, const Tensor& incoming, const Tensor& x, const Tensor& weight, const Tensor& bias, const Statistics& given) {
  Dims axes{0};
  Shape spread(x.dim(), 1);
  spread[1] = spec.channels;
  for (int a = 2; a < x.dim(); ++a) axes.push_back(a);
  const Tensor centre = spec.batch ? mean(x, axes, true) : reshape(given.mean.to(x.dtype()), spread), d = x - centre;
  const Tensor r = spec.batch ? rsqrt(mean(square(d), axes, true) + spec.eps) : reshape(given.rstd.to(x.dtype()), spread), z = d * r;
  const auto scaled = [&](const Tensor& t) { return weight.defined() ? t * reshape(weight, spread) : t; };
  const auto open = [&] {
    const Tensor y = scaled(z).detach();
    return (bias.defined() ? y + reshape(bias.detach(), spread) : y) > 0;
  };
  const Tensor g = spec.relu ? incoming * open().to(x.dtype()) : incoming, h = scaled(g);
  const Tensor gx = r * (spec.batch ? h - mean(h, axes, true) - z * mean(h * z, axes, true) : h);
  return {gx, sum(g * z, axes), sum(g, axes)};
}

/// `statistics` is written with spec.batch, else read.
Tensor normalize_channels(const char* op, const Tensor& x, const ChannelLayout& layout, const Tensor& weight, const Tensor& bias, Statistics& statistics) {
  const Tensor from = x.detach().contiguous(layout.format), w = dense(weight), b = dense(bias);
  Tensor out = make_like(from);
  const ChannelNorm& spec = layout.spec;
  if (spec.batch) statistics = {wide(spec.channels, x), wide(spec.channels, x)};
  if (impl(out).numel)
    kernels(x).norm_channels(impl(x).dtype, spec, {.x = pointer(from), .weight = pointer(w), .bias = pointer(b), .y = impl(out).data, .mean = doubles(statistics.mean), .rstd = doubles(statistics.rstd)});
  if (recording(x, weight, bias)) {
    auto formula = [layout, x = save(x), weight = save(weight), bias = save(layout.spec.relu ? bias : Tensor()), statistics](std::span<Tensor> gs, GradSink& sink) -> std::vector<Tensor> {
      const Tensor &g = gs[0], &in = x(), &w = weight(), &b = bias();
      const ChannelNorm& spec = layout.spec;
      const Dtype d = impl(in).dtype, compute = compute_dtype(d);
      if (recording(g, in, w)) {
        std::vector<Tensor> all = channels_formula(spec, g.to(compute), in.to(compute), w, b, statistics);
        all[0] = all[0].to(d);
        return all;
      }
      const Tensor from = in.detach().contiguous(layout.format), scale = dense(w), shift = dense(b);
      const auto step = outer_step(g, layout);
      const Tensor incoming = step ? g.detach() : g.detach().contiguous(layout.format);
      Tensor gx, gw, gb;
      if (sink.wants(0)) gx = make_like(from);
      if (sink.wants(1)) gw = zeros({spec.channels}, {.dtype = Dtype::float64, .device = in.device()});
      if (sink.wants(2)) gb = zeros({spec.channels}, {.dtype = Dtype::float64, .device = in.device()});
      if (impl(in).numel)
        kernels(in).norm_channels_grad(d, spec, {.x = pointer(from), .weight = pointer(scale), .bias = pointer(shift), .g = pointer(incoming), .gx = gx.defined() ? impl(gx).data : nullptr,
                                                 .mean = doubles(statistics.mean), .rstd = doubles(statistics.rstd), .gweight = doubles(gw), .gbias = doubles(gb), .g_step = step.value_or(spec.channels * spec.inner)});
      return {gx, gw.defined() ? gw.to(compute) : gw, gb.defined() ? gb.to(compute) : gb};
    };
    const Tensor inputs[] = {x, weight, bias};
    record_many(op, inputs, {&out, 1}, std::move(formula));
  }
  return out;
}

/// running = (1 - momentum) running + momentum new. `count` values met in one variance.
void update_running(const Tensor& running_mean, const Tensor& running_var, const Tensor& mean, const Tensor& var, double count, double momentum) {
  NoGrad off;
  if (running_mean.defined()) running_mean.mul_(1 - momentum).add_(mean.to(running_mean.dtype()), momentum);
  if (running_var.defined()) running_var.mul_(1 - momentum).add_((var * (count / (count - 1))).to(running_var.dtype()), momentum);
}
Tensor biased_variance(const Tensor& rstd, double eps) { return 1 / square(rstd) - eps; }

const Tensor& check_channels(const char* op, const Tensor& x, int rank) {
  check_input(op, x);
  check<ShapeError>(impl(x).shape.rank() >= rank, op, "the input {} has rank {}; expected [N, C{}, ...]", describe(x), impl(x).shape.rank(), rank > 2 ? ", L" : "");
  return x;
}
std::int64_t pixels(const Tensor& x) {
  std::int64_t n = 1;
  for (int a = 2; a < x.dim(); ++a) n *= x.size(a);
  return n;
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight, const Tensor& bias, double eps) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&layer_norm, x, normalized_shape, weight, bias, eps);
  const OpRange here("layer_norm", x, weight, bias);
  return last_axes("layer_norm", x, normalized_shape, weight, bias, eps, true);
}

Tensor rms_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight, std::optional<double> eps) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&rms_norm, x, normalized_shape, weight, eps);
  const OpRange here("rms_norm", x, weight);
  check_input("rms_norm", x);
  const double machine = impl(x).dtype == Dtype::float64 ? std::numeric_limits<double>::epsilon() : static_cast<double>(std::numeric_limits<float>::epsilon());
  return last_axes("rms_norm", x, normalized_shape, weight, {}, eps.value_or(machine), false);
}

Tensor group_norm(const Tensor& x, std::int64_t groups, const Tensor& weight, const Tensor& bias, double eps) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&group_norm, x, groups, weight, bias, eps);
  const OpRange here("group_norm", x, weight, bias);
  constexpr const char* op = "group_norm";
  check_channels(op, x, 2);
  const std::int64_t channels = x.size(1);
  check<ShapeError>(groups > 0 && channels % groups == 0, op, "{} channels cannot be split into {} groups; use a divisor of the channels", channels, groups);
  const Tensor w = parameter(op, "weight", weight, x, {channels}), b = parameter(op, "bias", bias, x, {channels});
  return normalize_rows(op, x, {x.size(0) * groups, groups, channels / groups, pixels(x), eps, true}, w, b);
}

Tensor instance_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight, const Tensor& bias, const InstanceNormOptions& options) {
  const OpRange here("instance_norm", x, running_mean, running_var, weight, bias);
  constexpr const char* op = "instance_norm";
  check_channels(op, x, 3);
  if (!options.use_input_stats) return batch_norm(x, running_mean, running_var, weight, bias, {.training = false, .eps = options.eps});
  const std::int64_t samples = x.size(0), channels = x.size(1), n = pixels(x);
  check<ValueError>(n != 1, op, "the input {} has one value per sample and channel, which has no variance", describe(x));
  const Tensor w = parameter(op, "weight", weight, x, {channels}), b = parameter(op, "bias", bias, x, {channels});
  parameter(op, "running mean", running_mean, x, {channels}), parameter(op, "running variance", running_var, x, {channels});
  Statistics s;
  const Tensor out = normalize_rows(op, x, {samples * channels, channels, 1, n, options.eps, true}, w, b, &s);
  if ((running_mean.defined() || running_var.defined()) && x.numel()) {
    auto average = [&](const Tensor& t) { return mean(reshape(t, {samples, channels}), {0}); };
    update_running(running_mean, running_var, average(s.mean), average(biased_variance(s.rstd, options.eps)), static_cast<double>(n), options.momentum);
  }
  return out;
}

Tensor batch_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight, const Tensor& bias, const BatchNormOptions& options) {
  const OpRange here("batch_norm", x, running_mean, running_var, weight, bias);
  constexpr const char* op = "batch_norm";
  check_channels(op, x, 2);
  const Shape channels{x.size(1)};
  const Tensor w = parameter(op, "weight", weight, x, channels), b = parameter(op, "bias", bias, x, channels);
  const Tensor m = parameter(op, "running mean", running_mean, x, channels), v = parameter(op, "running variance", running_var, x, channels);
  const ChannelLayout layout(x, options.eps, options.training, options.relu);
  Statistics s;
  if (!options.training) {
    check<ValueError>(m.defined() && v.defined(), op, "the running statistics are undefined; pass them or use .training = true");
    s = {m.detach().to(Dtype::float64).clone(MemoryFormat::contiguous), rsqrt(v.detach().to(Dtype::float64) + options.eps).contiguous()};
    return normalize_channels(op, x, layout, w, b, s);
  }
  const std::int64_t count = layout.spec.outer * layout.spec.inner;
  check<ValueError>(count != 1, op, "the input {} has one value per channel, which has no variance; training needs more", describe(x));
  const Tensor out = normalize_channels(op, x, layout, w, b, s);
  if (x.numel()) update_running(running_mean, running_var, s.mean, biased_variance(s.rstd, options.eps), static_cast<double>(count), options.momentum);
  return out;
}

Tensor local_response_norm(const Tensor& x, std::int64_t size, double alpha, double beta, double k) {
  const OpRange here("local_response_norm", x);
  constexpr const char* op = "local_response_norm";
  check_channels(op, x, 3);
  check<ValueError>(size >= 1, op, "the window has size {}; use 1 or more", size);
  if (x.numel() == 0) return x.clone();
  Shape before = x.shape(), after = x.shape();
  before[1] = size / 2, after[1] = (size - 1) / 2;
  const Options like{.dtype = x.dtype(), .device = x.device()};
  const Tensor padded = cat({zeros(before, like), square(x), zeros(after, like)}, 1);
  return x / pow(mean(unfold(padded, 1, size, 1), {-1}) * alpha + k, beta);
}

}  // namespace rill
