// Convolutions as operations of cuDNN's graph interface. Describing one needs no device.
#pragma once

#include "backends/cuda/conv_plan.h"
#include "backends/cuda/dnn.h"

namespace rill::cuda {

enum class ConvDirection { forward, input, weight };
enum ConvOperand : std::int64_t { kConvX = 'x', kConvW = 'w', kConvY = 'y' };  // the ids of the tensors; gradients have those of their tensors

cudnnDataType_t dnn_type(Dtype d);
/// `alignment`: of all addresses, in bytes. Throws where cuDNN does not support the operation.
DnnDescriptor conv_operation(ConvDirection direction, const ConvPlan& p, Dtype dtype, int alignment);

}  // namespace rill::cuda
