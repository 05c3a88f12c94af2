#define RILL_GPU cuda
#include "backends/cuda/dnn.h"

#include <algorithm>
#include <array>
#include <map>

#include "backends/cuda/kernels/runtime.h"
#include "backends/cuda/runtime.h"
#include "lib/core/check.h"
#include "lib/core/op_range.h"

namespace rill::cuda {

void check_dnn(cudnnStatus_t status, const char* what) {
  if (status == CUDNN_STATUS_SUCCESS) [[likely]] return;
  const char* op = profiler::current_op();
  fail<Error>(*op ? op : "cudnn", "{} of cuDNN failed: {}", what, cudnnGetErrorString(status));
}

cudnnDataType_t dnn_type(Dtype d) {
  switch (d) {
    case Dtype::float16: return CUDNN_DATA_HALF;
    case Dtype::bfloat16: return CUDNN_DATA_BFLOAT16;
    case Dtype::float64: return CUDNN_DATA_DOUBLE;
    default: return CUDNN_DATA_FLOAT;
  }
}

DnnDescriptor dnn_tensor(std::int64_t id, cudnnDataType_t type, std::span<const std::int64_t> sizes, std::span<const std::int64_t> strides, int alignment, bool stored) {
  DnnDescriptor d(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  d.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id);
  d.set(CUDNN_ATTR_TENSOR_DATA_TYPE, type);
  d.set(CUDNN_ATTR_TENSOR_DIMENSIONS, sizes);
  d.set(CUDNN_ATTR_TENSOR_STRIDES, strides);
  d.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, static_cast<std::int64_t>(alignment));
  const bool is_virtual = !stored;
  d.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, &is_virtual);
  check_dnn(d.finish(), "the description of a tensor");
  return d;
}

bool allowed(std::span<const cudnnBackendNumericalNote_t> notes, const DnnRules& rules) {
  return std::none_of(notes.begin(), notes.end(), [&](cudnnBackendNumericalNote_t note) {
    switch (note) {
      case CUDNN_NUMERICAL_NOTE_TENSOR_CORE: return !rules.tensor_cores;
      case CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC: return !rules.nondeterministic;
      case CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS:
      case CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION: return true;
      default: return false;
    }
  });
}

std::vector<DnnPlan> DnnPlan::candidates(const DnnTarget& target, std::span<const DnnDescriptor> operations, const DnnRules& rules, std::size_t most_workspace, int count, bool any) {
  std::vector<DnnPlan> found;
  DnnDescriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  if (target.handle) graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, &target.handle);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations);
  if (graph.finish() != CUDNN_STATUS_SUCCESS) return found;
  constexpr int kAsked = 8;  // the rules leave out some
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_INSTANT, CUDNN_HEUR_MODE_FALLBACK}) {
    DnnDescriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
    heuristic.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, &mode);
    if (target.properties) heuristic.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *target.properties);
    if (heuristic.finish() != CUDNN_STATUS_SUCCESS) continue;
    std::vector<DnnDescriptor> configs;
    std::array<cudnnBackendDescriptor_t, kAsked> raw{};
    for (auto& r : raw) r = configs.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR).raw();
    std::int64_t results = 0;
    if (cudnnBackendGetAttribute(heuristic.raw(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, kAsked, &results, raw.data()) != CUDNN_STATUS_SUCCESS) continue;
    for (std::size_t i = 0; i < static_cast<std::size_t>(std::min<std::int64_t>(results, kAsked)); ++i) {
      DnnDescriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
      cudnnBackendDescriptor_t raw_engine = engine.raw();
      (void)configs[i].get(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, &raw_engine, 1);
      std::array<cudnnBackendNumericalNote_t, CUDNN_NUMERICAL_NOTE_TYPE_COUNT> notes{};
      const std::int64_t noted = engine.get(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, notes.data(), CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
      if (!allowed({notes.data(), static_cast<std::size_t>(noted)}, rules)) continue;
      DnnDescriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
      if (target.handle) plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, &target.handle);
      if (target.properties) plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *target.properties);
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configs[i]);
      if (plan.finish() != CUDNN_STATUS_SUCCESS) continue;  // recommended, yet not for this device or these tensors
      std::int64_t bytes = 0;
      (void)plan.get(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, &bytes, 1);
      if (static_cast<std::size_t>(bytes) > most_workspace) continue;
      found.push_back(DnnPlan(std::move(configs[i]), std::move(plan), static_cast<std::size_t>(bytes)));
      if (static_cast<int>(found.size()) == count) return found;
    }
    if (!found.empty() || !any) break;
  }
  return found;
}

void DnnPlan::run(cudnnHandle_t handle, std::initializer_list<DnnArgument> arguments, void* memory) const {
  std::array<std::int64_t, 8> ids{};
  std::array<void*, 8> data{};
  std::size_t n = 0;
  for (const DnnArgument& a : arguments) ids[n] = a.id, data[n] = a.data, ++n;
  DnnDescriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, std::span<const std::int64_t>(ids.data(), n));
  pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, data.data(), static_cast<std::int64_t>(n));
  pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, &memory);
  check_dnn(pack.finish(), "the arguments");
  check_dnn(cudnnBackendExecute(handle, plan_.raw(), pack.raw()), "an operation");
}

namespace {
struct DnnHandles {
  std::mutex mutex;
  std::map<int, cudnnHandle_t> of;
};
DnnHandles& handles() {
  static auto* h = new DnnHandles;  // never destroyed: the driver may be gone when static destructors run
  return *h;
}
}  // namespace

DnnHandle::DnnHandle() : lock_(handles().mutex) {
  cudnnHandle_t& handle = handles().of[current_device()];
  if (!handle) check_dnn(cudnnCreate(&handle), "the start");
  handle_ = handle;
  check_dnn(cudnnSetStream(handle_, static_cast<cudaStream_t>(stream())), "the choice of a stream");
}

}  // namespace rill::cuda
