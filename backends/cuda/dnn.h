// cuDNN as the backend uses it: a handle for each device, descriptors of its graph interface, and the choice of an engine for an operation.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "backends/cuda/libraries.h"
#include <rill/core/dtype.h>

namespace rill::cuda {

/// Throws an Error that names the op when a call of cuDNN failed.
void check_dnn(cudnnStatus_t status, const char* what);

cudnnDataType_t dnn_type(Dtype d);
/// What products and sums of a dtype are computed in.
inline cudnnDataType_t dnn_compute_type(Dtype d) { return d == Dtype::float64 ? CUDNN_DATA_DOUBLE : CUDNN_DATA_FLOAT; }

/// One descriptor of the graph interface: attributes are set, then it is finished. Tensors, convolutions and operations need no device.
class DnnDescriptor {
 public:
  explicit DnnDescriptor(cudnnBackendDescriptorType_t type) { check_dnn(cudnnBackendCreateDescriptor(type, &raw_), "a descriptor"); }
  DnnDescriptor(DnnDescriptor&& other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
  DnnDescriptor& operator=(DnnDescriptor&& other) noexcept { return std::swap(raw_, other.raw_), *this; }
  ~DnnDescriptor() {
    if (raw_) (void)cudnnBackendDestroyDescriptor(raw_);
  }
  cudnnBackendDescriptor_t raw() const { return raw_; }

  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const void* values, std::int64_t count = 1) {
    check_dnn(cudnnBackendSetAttribute(raw_, name, type, count, values), "an attribute");
  }
  void set(cudnnBackendAttributeName_t name, std::int64_t value) { set(name, CUDNN_TYPE_INT64, &value); }
  void set(cudnnBackendAttributeName_t name, std::span<const std::int64_t> values) { set(name, CUDNN_TYPE_INT64, values.data(), static_cast<std::int64_t>(values.size())); }
  void set(cudnnBackendAttributeName_t name, cudnnDataType_t value) { set(name, CUDNN_TYPE_DATA_TYPE, &value); }
  void set(cudnnBackendAttributeName_t name, const DnnDescriptor& value) { set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, &value.raw_); }
  void set(cudnnBackendAttributeName_t name, std::span<const DnnDescriptor> values) {
    static_assert(sizeof(DnnDescriptor) == sizeof(cudnnBackendDescriptor_t));  // so that a list of them is a list of what they hold
    set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, values.data(), static_cast<std::int64_t>(values.size()));
  }
  /// How many values an attribute has, up to as many as `values` has room for.
  std::int64_t get(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, void* values, std::int64_t room) const {
    std::int64_t count = 0;
    check_dnn(cudnnBackendGetAttribute(raw_, name, type, room, &count, values), "an attribute");
    return count;
  }
  /// Not CUDNN_STATUS_SUCCESS where cuDNN does not support what it describes.
  [[nodiscard]] cudnnStatus_t finish() { return cudnnBackendFinalize(raw_); }

 private:
  cudnnBackendDescriptor_t raw_ = nullptr;
};

/// A descriptor of the older calls.
template <class T, const auto& kCreate, const auto& kDestroy> class OlderDescriptor {
 public:
  OlderDescriptor() { check_dnn(kCreate(&raw_), "a descriptor"); }
  ~OlderDescriptor() { (void)kDestroy(raw_); }
  OlderDescriptor(const OlderDescriptor&) = delete;
  OlderDescriptor& operator=(const OlderDescriptor&) = delete;
  operator T() const { return raw_; }

 private:
  T raw_ = nullptr;
};
using TensorDescriptor = OlderDescriptor<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor>;
using FilterDescriptor = OlderDescriptor<cudnnFilterDescriptor_t, cudnnCreateFilterDescriptor, cudnnDestroyFilterDescriptor>;
using ConvDescriptor = OlderDescriptor<cudnnConvolutionDescriptor_t, cudnnCreateConvolutionDescriptor, cudnnDestroyConvolutionDescriptor>;
using RnnDescriptor = OlderDescriptor<cudnnRNNDescriptor_t, cudnnCreateRNNDescriptor, cudnnDestroyRNNDescriptor>;
using SequenceDescriptor = OlderDescriptor<cudnnRNNDataDescriptor_t, cudnnCreateRNNDataDescriptor, cudnnDestroyRNNDataDescriptor>;

/// A tensor of an operation. `id` names it when the operation runs; `alignment` of its address, in bytes. One that is not `stored` goes from one
/// operation to the next without memory of its own.
DnnDescriptor dnn_tensor(std::int64_t id, cudnnDataType_t type, std::span<const std::int64_t> sizes, std::span<const std::int64_t> strides, int alignment, bool stored = true);

/// What an engine may do besides computing the operation.
struct DnnRules {
  bool tensor_cores;      // for float32: rounding to TF32
  bool nondeterministic;
};
/// True for the numerical notes of an engine that the rules allow. No engine may round its inputs to a narrower type or sum in one.
bool allowed(std::span<const cudnnBackendNumericalNote_t> notes, const DnnRules& rules);

/// A tensor's id and where it lies.
struct DnnArgument {
  std::int64_t id;
  void* data;
};

/// What plans are made for: the device of a handle, or a kind of device described by its properties, for which plans can be made anywhere.
struct DnnTarget {
  cudnnHandle_t handle = nullptr;
  const DnnDescriptor* properties = nullptr;
};

/// Operations with an engine, ready to run.
class DnnPlan {
 public:
  std::size_t workspace = 0;  // bytes

  /// Up to `count` plans that the heuristic recommends, best first, and that follow the rules; empty when cuDNN has none. `any`: those, too, that
  /// work but are not recommended.
  static std::vector<DnnPlan> candidates(const DnnTarget& target, std::span<const DnnDescriptor> operations, const DnnRules& rules, std::size_t most_workspace, int count, bool any = true);
  void run(cudnnHandle_t handle, std::initializer_list<DnnArgument> arguments, void* memory) const;

 private:
  DnnPlan(DnnDescriptor config, DnnDescriptor plan, std::size_t bytes) : workspace(bytes), config_(std::move(config)), plan_(std::move(plan)) {}
  DnnDescriptor config_, plan_;
};

/// The handle of the current device, set to the current stream, for the time of a scope. It serves one call at a time.
class DnnHandle {
 public:
  DnnHandle();
  operator cudnnHandle_t() const { return handle_; }

 private:
  std::unique_lock<std::mutex> lock_;
  cudnnHandle_t handle_;
};

}  // namespace rill::cuda
