// What to do with the running statistics of batch normalisation once the weights are final.
#pragma once

#include <concepts>
#include <functional>

#include <rill/nn/conv.h>
#include <rill/nn/linear.h>
#include <rill/nn/norm.h>

namespace rill::nn {

/// Computes the running statistics of all BatchNorm layers anew, as averages over the batches that `forward` runs through the model; for
/// weights that were not trained themselves, as averaged ones. The model runs in training mode, without recording; flags and momenta are as
/// before when it returns or throws. A model without such layers is not run.
void update_bn(Module& model, const std::function<void()>& forward);
/// With the inputs of a range of tensors.
template <class M, class Inputs> requires requires(const Inputs& inputs) { inputs.begin(); } void update_bn(M& model, const Inputs& inputs) {
  update_bn(model, std::function<void()>([&] {
    for (const Tensor& x : inputs) model(x);
  }));
}

/// One layer that does what the layer and the normalisation after it do in evaluation: with s = weight / sqrt(running_var + eps) per output,
/// its weight is s w and its bias s (b - running_mean) + bias. ShapeError when the numbers of channels differ; ValueError for a normalisation
/// without running statistics.
Linear fuse(Linear layer, const BatchNorm1d& norm);
Conv1d fuse(Conv1d layer, const BatchNorm1d& norm);
Conv2d fuse(Conv2d layer, const BatchNorm2d& norm);
Conv3d fuse(Conv3d layer, const BatchNorm3d& norm);
ConvTranspose1d fuse(ConvTranspose1d layer, const BatchNorm1d& norm);
ConvTranspose2d fuse(ConvTranspose2d layer, const BatchNorm2d& norm);
ConvTranspose3d fuse(ConvTranspose3d layer, const BatchNorm3d& norm);

}  // namespace rill::nn
