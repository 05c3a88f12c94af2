// Convolutions as operations of cuDNN's graph interface. Describing one needs no device.
#pragma once

#include "backends/cuda/conv_plan.h"
#include "backends/cuda/dnn.h"

namespace rill::cuda {

enum class ConvDirection { forward, input, weight };
enum ConvOperand : std::int64_t { kConvX = 'x', kConvW = 'w', kConvY = 'y', kConvB = 'b', kConvSum = 's' };  // ids; gradients have those of their tensors

/// `alignment`: of all addresses, in bytes. With `bias`, forward only, a second operation adds one to each channel. Throws where cuDNN does not
/// support an operation.
std::vector<DnnDescriptor> conv_operations(ConvDirection direction, const ConvPlan& p, Dtype dtype, int alignment, bool bias = false);

}  // namespace rill::cuda
