#include <rill/nn/batch_statistics.h>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/view.h>

#include "lib/core/check.h"
#include "nn/mode_scope.h"

namespace rill::nn {
namespace {

/// Resets the statistics and averages plainly; gives the momenta back.
class Averaging {
 public:
  explicit Averaging(Module& model) {
    for (const auto& [path, module] : model.named_modules())
      if (auto* norm = dynamic_cast<BatchNorm*>(module); norm && norm->running_mean.defined()) norms_.emplace_back(norm, norm->options.momentum);
    for (const auto& [norm, momentum] : norms_) {
      norm->reset_running_stats();
      norm->options.momentum.reset();
    }
  }
  ~Averaging() {
    for (const auto& [norm, momentum] : norms_) norm->options.momentum = momentum;
  }
  Averaging(const Averaging&) = delete;
  Averaging& operator=(const Averaging&) = delete;
  bool empty() const { return norms_.empty(); }

 private:
  std::vector<std::pair<BatchNorm*, std::optional<double>>> norms_;
};

/// `outputs`: the shape in which one number per output multiplies the weight, which is seen in the shape `seen`.
template <class L> L fused(L layer, const BatchNorm& norm, const Shape& seen, const Shape& outputs) {
  std::int64_t count = 1;
  for (const std::int64_t size : outputs) count *= size;
  check<ShapeError>(count == norm.channels, "fuse", "the layer has {} outputs, the normalisation {} channels", count, norm.channels);
  check<ValueError>(!norm.options.relu, "fuse", "the normalisation ends in a rectifier, which the layer cannot take; build it without .relu and call relu() behind the fused layer");
  check<ValueError>(norm.running_mean.defined(), "fuse", "the normalisation has no running statistics");
  const NoGrad off;
  const bool trained = layer.weight.requires_grad();
  Tensor scale = rsqrt(norm.running_var.detach() + norm.options.eps), bias = -norm.running_mean.detach();
  if (norm.weight.defined()) scale = scale * norm.weight.detach();
  if (layer.bias.defined()) bias = bias + layer.bias.detach();
  bias = bias * scale;
  if (norm.bias.defined()) bias = bias + norm.bias.detach();
  const Tensor weight = (layer.weight.detach().reshape(seen) * scale.reshape(outputs)).reshape(layer.weight.shape());
  layer.weight = Parameter(weight);
  layer.bias = Parameter(bias);
  layer.weight.Tensor::requires_grad_(trained), layer.bias.Tensor::requires_grad_(trained);
  if constexpr (requires { layer.options.bias; }) layer.options.bias = true;
  return layer;
}

/// weight [out, ...].
template <class L> L fuse_outputs_first(L layer, const BatchNorm& norm) {
  Shape outputs(static_cast<std::int64_t>(layer.weight.dim()), 1);
  outputs[0] = layer.weight.size(0);
  const Shape seen = layer.weight.shape();
  return fused(std::move(layer), norm, seen, outputs);
}
/// weight [in, out / groups, kernel..]: group g has the g-th part of the inputs and of the outputs.
template <class L> L fuse_transposed(L layer, const BatchNorm& norm) {
  const std::int64_t groups = layer.options.groups, in = layer.weight.size(0), per_group = layer.weight.size(1);
  return fused(std::move(layer), norm, {groups, in / groups, per_group, -1}, {groups, 1, per_group, 1});
}

}  // namespace

void update_bn(Module& model, const std::function<void()>& forward) {
  const Averaging averaging(model);
  if (averaging.empty()) return;
  const ModeScope training(model, true);
  const NoGrad off;
  forward();
}

Linear fuse(Linear layer, const BatchNorm1d& norm) { return fuse_outputs_first(std::move(layer), norm); }
Conv1d fuse(Conv1d layer, const BatchNorm1d& norm) { return fuse_outputs_first(std::move(layer), norm); }
Conv2d fuse(Conv2d layer, const BatchNorm2d& norm) { return fuse_outputs_first(std::move(layer), norm); }
Conv3d fuse(Conv3d layer, const BatchNorm3d& norm) { return fuse_outputs_first(std::move(layer), norm); }
ConvTranspose1d fuse(ConvTranspose1d layer, const BatchNorm1d& norm) { return fuse_transposed(std::move(layer), norm); }
ConvTranspose2d fuse(ConvTranspose2d layer, const BatchNorm2d& norm) { return fuse_transposed(std::move(layer), norm); }
ConvTranspose3d fuse(ConvTranspose3d layer, const BatchNorm3d& norm) { return fuse_transposed(std::move(layer), norm); }

}  // namespace rill::nn
