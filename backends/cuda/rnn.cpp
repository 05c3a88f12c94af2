// Whole LSTM and GRU layers by cuDNN.
#define RILL_GPU cuda
#include "backends/cuda/rnn.h"

#include "backends/cuda/rnn_descriptors.h"
#include "backends/cuda/rnn_layer.h"
#include "backends/cuda/runtime.h"
#include <rill/cuda/device.h>

namespace rill::cuda {
namespace {

class CudnnRnn {
 public:
  explicit CudnnRnn(const RnnLayerSpec& l) : d_(l, tf32_allowed()) {
    check_dnn(cudnnGetRNNWeightSpaceSize(handle_, d_.layer, &weights_), "the size of weights");
    std::size_t unused = 0;
    check_dnn(cudnnGetRNNTempSpaceSizes(handle_, d_.layer, CUDNN_FWD_MODE_TRAINING, d_.x, &training_work_, &reserve_), "the size of workspace");
    check_dnn(cudnnGetRNNTempSpaceSizes(handle_, d_.layer, CUDNN_FWD_MODE_INFERENCE, d_.x, &inference_work_, &unused), "the size of workspace");
  }
  std::int64_t weight_bytes() const { return static_cast<std::int64_t>(weights_); }
  std::int64_t reserve_bytes() const { return static_cast<std::int64_t>(reserve_); }
  void* matrix(void* weights, int id) const { return part(weights, id).first; }
  void* bias(void* weights, int id) const { return part(weights, id).second; }

  void forward(const RnnInputs& in, const RnnOutputs& out, void* weights, void* reserve) {
    const std::size_t size = reserve ? training_work_ : inference_work_;
    const Scratch work(static_cast<std::int64_t>(size));
    check_dnn(cudnnRNNForward(handle_, d_.layer, reserve ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE, nullptr, d_.x, in.x, d_.y, out.y, d_.h, in.h, out.h, d_.c, in.c, out.c, weights_, weights, size,
                              work.as<void>(), reserve ? reserve_ : 0, reserve),
              "the layer");
    launched();
  }
  void gradient(const RnnInputs& in, const void* y, const RnnOutputs& g, const RnnInputs& gradients, void* weights, void* weight_gradients, void* reserve) {
    const Scratch work(static_cast<std::int64_t>(training_work_));
    check_dnn(cudnnRNNBackwardData_v8(handle_, d_.layer, nullptr, d_.y, y, g.y, d_.x, gradients.x, d_.h, in.h, g.h, gradients.h, d_.c, in.c, g.c, gradients.c, weights_, weights, training_work_, work.as<void>(),
                                      reserve_, reserve),
              "the gradient of the layer");
    check_dnn(cudnnRNNBackwardWeights_v8(handle_, d_.layer, CUDNN_WGRAD_MODE_ADD, nullptr, d_.x, in.x, d_.h, in.h, d_.y, y, weights_, weight_gradients, training_work_, work.as<void>(), reserve_, reserve),
              "the gradient of the weights");
    launched();
  }

 private:
  /// Matrix and bias of a part.
  std::pair<void*, void*> part(void* weights, int id) const {
    const TensorDescriptor matrix, bias;
    std::pair<void*, void*> at;
    check_dnn(cudnnGetRNNWeightParams(handle_, d_.layer, 0, weights_, weights, id, matrix, &at.first, bias, &at.second), "the place of weights");
    return at;
  }

  DnnHandle handle_;
  RnnDescriptors d_;
  std::size_t weights_ = 0, reserve_ = 0, training_work_ = 0, inference_work_ = 0;
};

}  // namespace

void fill_whole_rnn(RnnKernels& k) { WholeLayers<CudnnRnn>::fill(k); }

}  // namespace rill::cuda
