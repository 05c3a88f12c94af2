#include "backends/cuda/conv_graph.h"

namespace rill::cuda {
namespace {

/// How the attributes of the three operations are called.
struct ConvNames {
  cudnnBackendDescriptorType_t operation;
  cudnnBackendAttributeName_t conv, x, w, y, alpha, beta;
};
const ConvNames& names_of(ConvDirection direction) {
  static constexpr ConvNames names[] = {
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
       CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
       CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA}};
  return names[static_cast<int>(direction)];
}
std::vector<std::int64_t> wide(const std::vector<int>& v) { return {v.begin(), v.end()}; }

}  // namespace

std::vector<DnnDescriptor> conv_operations(ConvDirection direction, const ConvPlan& p, Dtype dtype, int alignment, bool bias) {
  const bool is_double = dtype == Dtype::float64;
  const cudnnDataType_t compute = dnn_compute_type(dtype);
  DnnDescriptor conv(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
  conv.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, compute);
  conv.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, &mode);
  conv.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, static_cast<std::int64_t>(p.axes));
  conv.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, wide(p.dilation));
  conv.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, wide(p.stride));
  conv.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, wide(p.pad));
  conv.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, wide(p.pad));
  check_dnn(conv.finish(), "the description of a convolution");

  const auto tensor = [&](ConvOperand id, const std::vector<int>& sizes) { return dnn_tensor(id, dnn_type(dtype), wide(sizes), p.strides<std::int64_t>(sizes), alignment); };
  const DnnDescriptor y = tensor(kConvY, p.y), sum = dnn_tensor(kConvSum, compute, wide(p.y), p.strides<std::int64_t>(p.y), alignment, false);
  const ConvNames& names = names_of(direction);
  DnnDescriptor operation(names.operation);
  operation.set(names.conv, conv);
  operation.set(names.x, tensor(kConvX, p.x));
  operation.set(names.w, tensor(kConvW, p.w));
  operation.set(names.y, bias ? sum : y);
  const float one = 1, zero = 0;
  const double wide_one = 1, wide_zero = 0;
  operation.set(names.alpha, is_double ? CUDNN_TYPE_DOUBLE : CUDNN_TYPE_FLOAT, is_double ? static_cast<const void*>(&wide_one) : &one);
  operation.set(names.beta, is_double ? CUDNN_TYPE_DOUBLE : CUDNN_TYPE_FLOAT, is_double ? static_cast<const void*>(&wide_zero) : &zero);
  check_dnn(operation.finish(), "the description of a convolution");
  std::vector<DnnDescriptor> all;
  all.push_back(std::move(operation));
  if (!bias) return all;

  DnnDescriptor pointwise(CUDNN_BACKEND_POINTWISE_DESCRIPTOR), addition(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  const cudnnPointwiseMode_t add = CUDNN_POINTWISE_ADD;
  pointwise.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, &add);
  pointwise.set(CUDNN_ATTR_POINTWISE_MATH_PREC, compute);
  check_dnn(pointwise.finish(), "the description of an addition");
  std::vector<int> channels(p.y.size(), 1);
  channels[1] = p.y[1];
  addition.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, pointwise);
  addition.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, sum);
  addition.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, tensor(kConvB, channels));
  addition.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
  check_dnn(addition.finish(), "the description of an addition");
  all.push_back(std::move(addition));
  return all;
}

}  // namespace rill::cuda
