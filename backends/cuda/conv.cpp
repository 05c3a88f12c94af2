// Convolutions by cuDNN. Only deterministic algorithms are chosen; descriptors and the choice are kept for each shape. Operands that are not
// row-major are copied.
#define RILL_GPU cuda
#include "backends/cuda/conv.h"

#include <cudnn.h>

#include <map>
#include <memory>
#include <mutex>

#include "backends/cuda/conv_plan.h"
#include "backends/cuda/kernels/dense.h"
#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/window.h"
#include "backends/cuda/runtime.h"
#include "lib/core/check.h"
#include "lib/core/op_range.h"
#include <rill/cuda/device.h>

namespace rill::cuda {
namespace {

constexpr std::size_t kMostWorkspace = std::size_t{1} << 30, kMostPlans = 4096;
enum class Direction { forward, input, weight };

void check_dnn(cudnnStatus_t status, const char* what) {
  if (status == CUDNN_STATUS_SUCCESS) [[likely]] return;
  const char* op = profiler::current_op();
  fail<Error>(*op ? op : "conv", "{} of cuDNN failed: {}", what, cudnnGetErrorString(status));
}
std::vector<int> row_major(const std::vector<int>& sizes) {
  std::vector<int> strides(sizes.size());
  int step = 1;
  for (std::size_t a = sizes.size(); a-- > 0;) strides[a] = step, step *= sizes[a];
  return strides;
}

struct Convolution {
  cudnnTensorDescriptor_t x = nullptr, y = nullptr;
  cudnnFilterDescriptor_t w = nullptr;
  cudnnConvolutionDescriptor_t conv = nullptr;
  int algorithm = 0;
  std::size_t workspace = 0;
  Convolution(const ConvPlan& p, Dtype dtype, bool tf32) {
    const cudnnDataType_t type = dtype == Dtype::float64 ? CUDNN_DATA_DOUBLE : CUDNN_DATA_FLOAT;
    check_dnn(cudnnCreateTensorDescriptor(&x), "a descriptor");
    check_dnn(cudnnCreateTensorDescriptor(&y), "a descriptor");
    check_dnn(cudnnCreateFilterDescriptor(&w), "a descriptor");
    check_dnn(cudnnCreateConvolutionDescriptor(&conv), "a descriptor");
    const int rank = p.axes + 2;
    check_dnn(cudnnSetTensorNdDescriptor(x, type, rank, p.x.data(), row_major(p.x).data()), "the input's descriptor");
    check_dnn(cudnnSetTensorNdDescriptor(y, type, rank, p.y.data(), row_major(p.y).data()), "the output's descriptor");
    check_dnn(cudnnSetFilterNdDescriptor(w, type, CUDNN_TENSOR_NCHW, rank, p.w.data()), "the weight's descriptor");
    check_dnn(cudnnSetConvolutionNdDescriptor(conv, p.axes, p.pad.data(), p.stride.data(), p.dilation.data(), CUDNN_CROSS_CORRELATION, type), "the convolution's descriptor");
    check_dnn(cudnnSetConvolutionGroupCount(conv, p.groups), "the convolution's descriptor");
    check_dnn(cudnnSetConvolutionMathType(conv, tf32 ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH), "the convolution's descriptor");
  }
  Convolution(const Convolution&) = delete;
  Convolution& operator=(const Convolution&) = delete;
  ~Convolution() {
    if (x) (void)cudnnDestroyTensorDescriptor(x);
    if (y) (void)cudnnDestroyTensorDescriptor(y);
    if (w) (void)cudnnDestroyFilterDescriptor(w);
    if (conv) (void)cudnnDestroyConvolutionDescriptor(conv);
  }
};

/// The first algorithm that cuDNN recommends and that is deterministic and content with the workspace.
template <class Performance> void choose(Convolution& c, const Performance* list, int count) {
  for (int i = 0; i < count; ++i)
    if (list[i].status == CUDNN_STATUS_SUCCESS && list[i].determinism == CUDNN_DETERMINISTIC && list[i].memory <= kMostWorkspace) {
      check_dnn(cudnnSetConvolutionMathType(c.conv, list[i].mathType), "the convolution's descriptor");
      c.algorithm = static_cast<int>(list[i].algo), c.workspace = list[i].memory;
      return;
    }
  const char* op = profiler::current_op();
  fail<Unimplemented>(*op ? op : "conv", "cuDNN has no deterministic algorithm for this convolution on cuda; move the operands with .to(Device::cpu())");
}

/// Handles and plans of all devices. A handle serves one call at a time.
class Cudnn {
 public:
  template <class F> void run(Direction direction, const ConvPlan& p, Dtype dtype, const F& f) {
    const int device = current_device();
    const bool tf32 = tf32_allowed();
    std::vector<int> key = {static_cast<int>(direction), static_cast<int>(dtype), device, tf32, p.groups};
    for (const auto* list : {&p.x, &p.w, &p.y, &p.pad, &p.stride, &p.dilation}) key.insert(key.end(), list->begin(), list->end());
    const std::lock_guard lock(mutex_);
    cudnnHandle_t& handle = handles_[device];
    if (!handle) check_dnn(cudnnCreate(&handle), "the start");
    check_dnn(cudnnSetStream(handle, static_cast<cudaStream_t>(stream())), "the choice of a stream");
    if (plans_.size() >= kMostPlans) plans_.clear();
    auto& plan = plans_[key];
    if (!plan) {
      auto made = std::make_unique<Convolution>(p, dtype, tf32);
      find(handle, direction, *made);
      plan = std::move(made);
    }
    const Scratch workspace(static_cast<std::int64_t>(plan->workspace));
    f(handle, *plan, workspace.as<void>());
    launched();
  }

 private:
  static void find(cudnnHandle_t handle, Direction direction, Convolution& c) {
    int count = 0;
    if (direction == Direction::forward) {
      cudnnConvolutionFwdAlgoPerf_t list[CUDNN_CONVOLUTION_FWD_ALGO_COUNT];
      check_dnn(cudnnGetConvolutionForwardAlgorithm_v7(handle, c.x, c.w, c.conv, c.y, CUDNN_CONVOLUTION_FWD_ALGO_COUNT, &count, list), "the choice of an algorithm");
      choose(c, list, count);
    } else if (direction == Direction::input) {
      cudnnConvolutionBwdDataAlgoPerf_t list[CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT];
      check_dnn(cudnnGetConvolutionBackwardDataAlgorithm_v7(handle, c.w, c.y, c.conv, c.x, CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT, &count, list), "the choice of an algorithm");
      choose(c, list, count);
    } else {
      cudnnConvolutionBwdFilterAlgoPerf_t list[CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT];
      check_dnn(cudnnGetConvolutionBackwardFilterAlgorithm_v7(handle, c.x, c.y, c.conv, c.w, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT, &count, list), "the choice of an algorithm");
      choose(c, list, count);
    }
  }
  std::mutex mutex_;
  std::map<int, cudnnHandle_t> handles_;
  std::map<std::vector<int>, std::unique_ptr<Convolution>> plans_;
};
Cudnn& cudnn() {
  static auto* c = new Cudnn;  // never destroyed: the driver may be gone when static destructors run
  return *c;
}

struct Scale {
  double wide;
  float narrow;
  explicit Scale(double v) : wide(v), narrow(static_cast<float>(v)) {}
  const void* of(Dtype d) const { return d == Dtype::float64 ? static_cast<const void*>(&wide) : &narrow; }
};

/// The input of a convolution as cuDNN shall read it.
View input_of(const ConvPlan& p, const View& x, Dense& memory) {
  if (!p.padded) return x.contiguous ? x : memory.copy_of(x);
  const View large = memory.make(x.dtype, p.shape.data(), x.rank);
  clear(large.data, large.numel * static_cast<std::int64_t>(size_of(x.dtype)));
  p.with_common_part(large, x, [](const View& to, const View& from) { copies().copy(from, to); });
  return large;
}

void conv(const View& x, const View& w, const View& b, const View& y, const WindowGeometry& g) {
  if (!is_floating(x.dtype)) return conv_by_definition(x, w, b, y, g);
  const ConvPlan p(x, w, y, g);
  Dense memory_x, memory_y;
  const View in = input_of(p, x, memory_x), out = y.contiguous ? y : memory_y.make(y.dtype, y.sizes, y.rank);
  if (b.data) {  // the sum begins with the bias
    std::int64_t sizes[5] = {1, b.sizes[0], 1, 1, 1}, strides[5] = {0, b.strides[0], 0, 0, 0};
    copies().copy({b.data, b.dtype, y.rank, sizes, strides, b.numel, false}, out);
  }
  cudnn().run(Direction::forward, p, x.dtype, [&](cudnnHandle_t handle, const Convolution& c, void* workspace) {
    const Scale one(1), beta(b.data ? 1 : 0);
    check_dnn(cudnnConvolutionForward(handle, one.of(x.dtype), c.x, in.data, c.w, w.data, c.conv, static_cast<cudnnConvolutionFwdAlgo_t>(c.algorithm), workspace, c.workspace, beta.of(x.dtype), c.y, out.data),
              "the convolution");
  });
  if (!y.contiguous) copies().copy(out, y);
}
void conv_input_gradient(const View& g, const View& w, const View& dx, const WindowGeometry& geometry) {
  if (!is_floating(g.dtype)) return conv_input_by_definition(g, w, dx, geometry);
  const ConvPlan p(dx, w, g, geometry);
  Dense memory_g, memory_x;
  const View from = g.contiguous ? g : memory_g.copy_of(g);
  const View out = p.padded ? memory_x.make(dx.dtype, p.shape.data(), dx.rank) : dx.contiguous ? dx : memory_x.make(dx.dtype, dx.sizes, dx.rank);
  cudnn().run(Direction::input, p, g.dtype, [&](cudnnHandle_t handle, const Convolution& c, void* workspace) {
    const Scale one(1), zero(0);
    check_dnn(cudnnConvolutionBackwardData(handle, one.of(g.dtype), c.w, w.data, c.y, from.data, c.conv, static_cast<cudnnConvolutionBwdDataAlgo_t>(c.algorithm), workspace, c.workspace, zero.of(g.dtype), c.x, out.data),
              "the gradient of a convolution");
  });
  if (p.padded) {  // what lies beyond the windows gets 0
    const std::int64_t none[1] = {0};
    copies().fill(none, dx);
    p.with_common_part(out, dx, [](const View& large, const View& part) { copies().copy(large, part); });
  } else if (!dx.contiguous) {
    copies().copy(out, dx);
  }
}
void conv_weight_gradient(const View& g, const View& x, const View& dw, const WindowGeometry& geometry) {
  if (!is_floating(g.dtype)) return conv_weight_by_definition(g, x, dw, geometry);
  const ConvPlan p(x, dw, g, geometry);
  Dense memory_g, memory_x;
  const View from = g.contiguous ? g : memory_g.copy_of(g), in = input_of(p, x, memory_x);
  cudnn().run(Direction::weight, p, g.dtype, [&](cudnnHandle_t handle, const Convolution& c, void* workspace) {
    const Scale one(1), zero(0);
    check_dnn(cudnnConvolutionBackwardFilter(handle, one.of(g.dtype), c.x, in.data, c.y, from.data, c.conv, static_cast<cudnnConvolutionBwdFilterAlgo_t>(c.algorithm), workspace, c.workspace, zero.of(g.dtype), c.w, dw.data),
              "the gradient of a convolution");
  });
}

}  // namespace

void fill_conv(ConvKernels& k) {
  k.conv = &conv;
  k.conv_input_gradient = &conv_input_gradient;
  k.conv_weight_gradient = &conv_weight_gradient;
}

}  // namespace rill::cuda
