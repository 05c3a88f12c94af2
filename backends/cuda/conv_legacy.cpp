#include "backends/cuda/conv_legacy.h"

#include "lib/core/check.h"
#include "lib/core/op_range.h"

namespace rill::cuda {

LegacyConv::LegacyConv(cudnnHandle_t handle, ConvDirection direction, const ConvPlan& p, Dtype dtype, const DnnRules& rules, std::size_t most_workspace)
    : direction_(direction), wide_(dtype == Dtype::float64) {
  const cudnnDataType_t type = dnn_type(dtype);
  const int rank = p.axes + 2;
  check_dnn(cudnnSetTensorNdDescriptor(x_, type, rank, p.x.data(), p.strides<int>(p.x).data()), "the description of the input");
  check_dnn(cudnnSetTensorNdDescriptor(y_, type, rank, p.y.data(), p.strides<int>(p.y).data()), "the description of the output");
  check_dnn(cudnnSetFilterNdDescriptor(w_, type, p.last ? CUDNN_TENSOR_NHWC : CUDNN_TENSOR_NCHW, rank, p.w.data()), "the description of the weight");
  check_dnn(cudnnSetConvolutionNdDescriptor(conv_, p.axes, p.pad.data(), p.stride.data(), p.dilation.data(), CUDNN_CROSS_CORRELATION, dnn_compute_type(dtype)),
            "the description of a convolution");
  check_dnn(cudnnSetConvolutionGroupCount(conv_, p.groups), "the description of a convolution");
  check_dnn(cudnnSetConvolutionMathType(conv_, rules.tensor_cores ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH), "the description of a convolution");
  int count = 0;
  if (direction == ConvDirection::forward) {
    cudnnConvolutionFwdAlgoPerf_t list[CUDNN_CONVOLUTION_FWD_ALGO_COUNT];
    check_dnn(cudnnGetConvolutionForwardAlgorithm_v7(handle, x_, w_, conv_, y_, CUDNN_CONVOLUTION_FWD_ALGO_COUNT, &count, list), "the choice of an algorithm");
    choose(list, count, rules, most_workspace);
  } else if (direction == ConvDirection::input) {
    cudnnConvolutionBwdDataAlgoPerf_t list[CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT];
    check_dnn(cudnnGetConvolutionBackwardDataAlgorithm_v7(handle, w_, y_, conv_, x_, CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT, &count, list), "the choice of an algorithm");
    choose(list, count, rules, most_workspace);
  } else {
    cudnnConvolutionBwdFilterAlgoPerf_t list[CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT];
    check_dnn(cudnnGetConvolutionBackwardFilterAlgorithm_v7(handle, x_, y_, conv_, w_, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT, &count, list), "the choice of an algorithm");
    choose(list, count, rules, most_workspace);
  }
}

template <class Performance> void LegacyConv::choose(const Performance* list, int count, const DnnRules& rules, std::size_t most_workspace) {
  for (int i = 0; i < count; ++i)
    if (list[i].status == CUDNN_STATUS_SUCCESS && (rules.nondeterministic || list[i].determinism == CUDNN_DETERMINISTIC) && list[i].memory <= most_workspace) {
      check_dnn(cudnnSetConvolutionMathType(conv_, list[i].mathType), "the description of a convolution");
      algorithm_ = static_cast<int>(list[i].algo), workspace = list[i].memory;
      return;
    }
  const char* op = profiler::current_op();
  fail<Unimplemented>(*op ? op : "conv", "cuDNN has no deterministic algorithm for this convolution on cuda; try cuda::allow_nondeterministic(true), or move the operands with .to(Device::cpu())");
}

void LegacyConv::run(cudnnHandle_t handle, void* x, void* w, void* y, void* memory) const {
  const float narrow[] = {1, 0};
  const double wide[] = {1, 0};
  const void *one = wide_ ? static_cast<const void*>(&wide[0]) : &narrow[0], *zero = wide_ ? static_cast<const void*>(&wide[1]) : &narrow[1];
  if (direction_ == ConvDirection::forward)
    check_dnn(cudnnConvolutionForward(handle, one, x_, x, w_, w, conv_, static_cast<cudnnConvolutionFwdAlgo_t>(algorithm_), memory, workspace, zero, y_, y), "the convolution");
  else if (direction_ == ConvDirection::input)
    check_dnn(cudnnConvolutionBackwardData(handle, one, w_, w, y_, y, conv_, static_cast<cudnnConvolutionBwdDataAlgo_t>(algorithm_), memory, workspace, zero, x_, x),
              "the gradient of a convolution");
  else
    check_dnn(cudnnConvolutionBackwardFilter(handle, one, x_, x, y_, y, conv_, static_cast<cudnnConvolutionBwdFilterAlgo_t>(algorithm_), memory, workspace, zero, w_, w),
              "the gradient of a convolution");
}

}  // namespace rill::cuda
