#include <rill/nn/norm.h>

#include <rill/ops/create.h>

#include "nn/arguments.h"
#include "nn/place.h"
#include "nn/repr.h"

namespace rill::nn {
namespace {

void check_eps(const char* layer, double eps) { check<ValueError>(eps >= 0, layer, "eps is {}; it must be 0 or more", eps); }
void check_momentum(const char* layer, double momentum) { check<ValueError>(momentum >= 0 && momentum <= 1, layer, "momentum is {}; it must be in [0, 1]", momentum); }
void check_normalized_shape(const char* layer, const Shape& shape) {
  check<ValueError>(!shape.empty(), layer, "the normalized shape is empty; give the sizes of the last axes, as {{512}}");
  for (const std::int64_t size : shape) check<ValueError>(size >= 1, layer, "the normalized shape {} has a size below 1", shape);
}

/// weight of ones and bias of zeros, where wanted; running statistics of 0 and 1.
template <class N, class O> void start_affine(N& norm, const Shape& shape, bool affine, const O& o) {
  if (affine) norm.weight = Parameter(ones(shape, o.tensor));
  if (affine && o.bias) norm.bias = Parameter(zeros(shape, o.tensor));
}
template <class N> void start_running(N& norm) {
  if (!norm.options.track_running_stats) return;
  norm.running_mean = Buffer(zeros({norm.channels}, norm.options.tensor));
  norm.running_var = Buffer(ones({norm.channels}, norm.options.tensor));
  norm.num_batches_tracked = Buffer(zeros({}, {.dtype = int64, .device = norm.options.tensor.device}));
}
template <class N> void list_parts(N& norm, Parts& p) {
  p("weight", norm.weight)("bias", norm.bias)("running_mean", norm.running_mean)("running_var", norm.running_var)("num_batches_tracked", norm.num_batches_tracked).mode(norm.training);
}
template <class N> std::string running_text(const N& norm, std::optional<double> momentum, bool relu = false) {
  return fmt::format("{}({}, eps={}, momentum={}, affine={}, bias={}, track_running_stats={}{})", class_name(norm), norm.channels, repr::number(norm.options.eps), momentum ? repr::number(*momentum) : "None",
                     repr::boolean(norm.weight.defined()), repr::boolean(norm.bias.defined()), repr::boolean(norm.running_mean.defined()), relu ? ", relu=True" : "");
}

}  // namespace

// ---- batch -----------------------------------------------------------------------------------------------------------------------

BatchNorm::BatchNorm(const char* layer, int least_rank, int most_rank, std::int64_t channels, const BatchNormOptions& o)
    : channels(channels), options(o), least_rank_(least_rank), most_rank_(most_rank) {
  check_size(layer, "the number of channels", channels);
  check_eps(layer, o.eps);
  if (o.momentum) check_momentum(layer, *o.momentum);
  start_affine(*this, {channels}, o.affine, o);
  start_running(*this);
}

void BatchNorm::parts(Parts& p) { list_parts(*this, p); }

void BatchNorm::reset_running_stats() {
  if (!running_mean.defined()) return;
  running_mean.zero_(), running_var.fill_(1), num_batches_tracked.zero_();
}

Tensor BatchNorm::operator()(const Tensor& input) const {
  return call(input, [&](const Tensor& x) {
    check_defined(class_name(*this), x, "x");
    check<ShapeError>(x.dim() >= least_rank_ && x.dim() <= most_rank_ && x.size(1) == channels, class_name(*this), "takes x [N, {}{}], got {}", channels,
                      most_rank_ == 5 ? ", D, H, W" : most_rank_ == 4 ? ", H, W" : "] or [N, C, L", x.shape());
    const bool track = running_mean.defined(), update = training && track;
    const double momentum = update && !options.momentum ? 1 / (num_batches_tracked.item<double>() + 1) : options.momentum.value_or(0);
    const Tensor y = batch_norm(x, running_mean, running_var, weight, bias, {.training = training || !track, .momentum = momentum, .eps = options.eps, .relu = options.relu});
    if (update) num_batches_tracked.add_(1);  // only now: a refused x changes nothing
    return y;
  });
}

std::string BatchNorm::describe() const { return running_text(*this, options.momentum, options.relu); }

// ---- instance --------------------------------------------------------------------------------------------------------------------

InstanceNorm::InstanceNorm(const char* layer, int rank, std::int64_t channels, const InstanceNormOptions& o) : channels(channels), options(o), rank_(rank) {
  check_size(layer, "the number of channels", channels);
  check_eps(layer, o.eps);
  check_momentum(layer, o.momentum);
  start_affine(*this, {channels}, o.affine, o);
  start_running(*this);
}

void InstanceNorm::parts(Parts& p) { list_parts(*this, p); }

Tensor InstanceNorm::operator()(const Tensor& input) const {
  return call(input, [&](const Tensor& x) {
    check_defined(class_name(*this), x, "x");
    const bool batch = x.dim() == rank_;
    check<ShapeError>((batch || x.dim() == rank_ - 1) && x.size(batch ? 1 : 0) == channels, class_name(*this), "takes x [N, C, spatial..] of rank {} or [C, spatial..] of rank {} with C = {}, got {}", rank_,
                      rank_ - 1, channels, x.shape());
    const Tensor y = instance_norm(batch ? x : x.unsqueeze(0), running_mean, running_var, weight, bias,
                                   {.use_input_stats = training || !running_mean.defined(), .momentum = options.momentum, .eps = options.eps});
    return batch ? y : y.squeeze(0);
  });
}

std::string InstanceNorm::describe() const { return running_text(*this, options.momentum); }

// ---- layer, root mean square -------------------------------------------------------------------------------------------------------

LayerNorm::LayerNorm(const Shape& shape, const LayerNormOptions& o) : normalized_shape(shape), eps(o.eps) {
  check_normalized_shape("LayerNorm", shape);
  check_eps("LayerNorm", eps);
  start_affine(*this, shape, o.elementwise_affine, o);
}
Tensor LayerNorm::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return layer_norm(x, normalized_shape, weight, bias, eps); });
}
std::string LayerNorm::describe() const {
  return fmt::format("{}({}, eps={}, elementwise_affine={}, bias={})", class_name(*this), repr::tuple(normalized_shape), repr::number(eps), repr::boolean(weight.defined()), repr::boolean(bias.defined()));
}

RMSNorm::RMSNorm(const Shape& shape, const RMSNormOptions& o) : normalized_shape(shape), eps(o.eps) {
  check_normalized_shape("RMSNorm", shape);
  if (eps) check_eps("RMSNorm", *eps);
  if (o.elementwise_affine) weight = Parameter(ones(shape, o.tensor));
}
Tensor RMSNorm::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return rms_norm(x, normalized_shape, weight, eps); });
}
std::string RMSNorm::describe() const {
  return fmt::format("{}({}, eps={}, elementwise_affine={})", class_name(*this), repr::tuple(normalized_shape), eps ? repr::number(*eps) : "None", repr::boolean(weight.defined()));
}

// ---- group, local response -----------------------------------------------------------------------------------------------------------

GroupNorm::GroupNorm(std::int64_t groups, std::int64_t channels, const GroupNormOptions& o) : groups(groups), channels(channels), eps(o.eps) {
  check_size("GroupNorm", "the number of groups", groups);
  check_size("GroupNorm", "the number of channels", channels);
  check<ValueError>(channels % groups == 0, "GroupNorm", "{} channels cannot be split into {} groups; use a divisor of the channels", channels, groups);
  check_eps("GroupNorm", eps);
  start_affine(*this, {channels}, o.affine, o);
}
Tensor GroupNorm::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return group_norm(x, groups, weight, bias, eps); });
}
std::string GroupNorm::describe() const {
  return fmt::format("{}({}, {}, eps={}, affine={}, bias={})", class_name(*this), groups, channels, repr::number(eps), repr::boolean(weight.defined()), repr::boolean(bias.defined()));
}

LocalResponseNorm::LocalResponseNorm(std::int64_t size, const LocalResponseNormOptions& o) : size(size), options(o) { check_size("LocalResponseNorm", "the number of neighbouring channels", size); }
Tensor LocalResponseNorm::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return local_response_norm(x, size, options.alpha, options.beta, options.k); });
}
std::string LocalResponseNorm::describe() const {
  return fmt::format("{}({}, alpha={}, beta={}, k={})", class_name(*this), size, repr::number(options.alpha), repr::number(options.beta), repr::number(options.k));
}

}  // namespace rill::nn
