// Whole LSTM and GRU layers by cuDNN.
#define RILL_GPU cuda
#include "backends/cuda/rnn.h"

#include <map>
#include <mutex>

#include "backends/cuda/rnn_descriptors.h"
#include "backends/cuda/rnn_layer.h"
#include "backends/cuda/runtime.h"
#include <rill/cuda/device.h>

namespace rill::cuda {
namespace {

/// The handle of the current device, which serves one call at a time.
std::mutex g_mutex;
cudnnHandle_t current_handle() {
  static auto* all = new std::map<int, cudnnHandle_t>;  // never destroyed: the driver may be gone when static destructors run
  cudnnHandle_t& h = (*all)[current_device()];
  if (!h) check_rnn(cudnnCreate(&h), "the start");
  check_rnn(cudnnSetStream(h, static_cast<cudaStream_t>(stream())), "the choice of a stream");
  return h;
}

class CudnnRnn {
 public:
  explicit CudnnRnn(const RnnLayerSpec& l) : lock_(g_mutex), handle_(current_handle()), d_(l, tf32_allowed()) {
    check_rnn(cudnnGetRNNWeightSpaceSize(handle_, d_.layer, &weights_), "the size of weights");
    std::size_t unused = 0;
    check_rnn(cudnnGetRNNTempSpaceSizes(handle_, d_.layer, CUDNN_FWD_MODE_TRAINING, d_.x, &training_work_, &reserve_), "the size of workspace");
    check_rnn(cudnnGetRNNTempSpaceSizes(handle_, d_.layer, CUDNN_FWD_MODE_INFERENCE, d_.x, &inference_work_, &unused), "the size of workspace");
  }
  std::int64_t weight_bytes() const { return static_cast<std::int64_t>(weights_); }
  std::int64_t reserve_bytes() const { return static_cast<std::int64_t>(reserve_); }
  void* matrix(void* weights, int id) const { return part(weights, id).first; }
  void* bias(void* weights, int id) const { return part(weights, id).second; }

  void forward(const RnnInputs& in, const RnnOutputs& out, void* weights, void* reserve) {
    const std::size_t size = reserve ? training_work_ : inference_work_;
    const Scratch work(static_cast<std::int64_t>(size));
    check_rnn(cudnnRNNForward(handle_, d_.layer, reserve ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE, nullptr, d_.x, in.x, d_.y, out.y, d_.h, in.h, out.h, d_.c, in.c, out.c, weights_, weights, size,
                              work.as<void>(), reserve ? reserve_ : 0, reserve),
              "the layer");
    launched();
  }
  void gradient(const RnnInputs& in, const void* y, const RnnOutputs& g, const RnnInputs& gradients, void* weights, void* weight_gradients, void* reserve) {
    const Scratch work(static_cast<std::int64_t>(training_work_));
    check_rnn(cudnnRNNBackwardData_v8(handle_, d_.layer, nullptr, d_.y, y, g.y, d_.x, gradients.x, d_.h, in.h, g.h, gradients.h, d_.c, in.c, g.c, gradients.c, weights_, weights, training_work_, work.as<void>(),
                                      reserve_, reserve),
              "the gradient of the layer");
    check_rnn(cudnnRNNBackwardWeights_v8(handle_, d_.layer, CUDNN_WGRAD_MODE_ADD, nullptr, d_.x, in.x, d_.h, in.h, d_.y, y, weights_, weight_gradients, training_work_, work.as<void>(), reserve_, reserve),
              "the gradient of the weights");
    launched();
  }

 private:
  /// Matrix and bias of a part.
  std::pair<void*, void*> part(void* weights, int id) const {
    const TensorDescriptor matrix, bias;
    std::pair<void*, void*> at;
    check_rnn(cudnnGetRNNWeightParams(handle_, d_.layer, 0, weights_, weights, id, matrix, &at.first, bias, &at.second), "the place of weights");
    return at;
  }

  std::lock_guard<std::mutex> lock_;
  cudnnHandle_t handle_;
  RnnDescriptors d_;
  std::size_t weights_ = 0, reserve_ = 0, training_work_ = 0, inference_work_ = 0;
};

}  // namespace

void fill_whole_rnn(RnnKernels& k) { WholeLayers<CudnnRnn>::fill(k); }

}  // namespace rill::cuda
