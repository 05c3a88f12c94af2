// Convolutions by cuDNN: through its graph interface, or its older calls where that has no engine. What was chosen is kept for each shape.
#define RILL_GPU cuda
#include "backends/cuda/conv.h"

#include <bit>
#include <map>
#include <memory>

#include "backends/cuda/conv_legacy.h"
#include "backends/cuda/kernels/dense.h"
#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/window.h"
#include "backends/cuda/runtime.h"
#include "lib/core/check.h"
#include <rill/cuda/device.h>

namespace rill::cuda {
namespace {

constexpr std::size_t kMostWorkspace = std::size_t{1} << 30, kMostPlans = 4096;
constexpr int kTried = 8;  // engines that benchmark(true) measures

/// Where the operands of a convolution lie; no bias: null.
struct ConvData {
  void *x, *w, *y, *b = nullptr;
};
void run_plan(const DnnPlan& plan, cudnnHandle_t handle, const ConvData& at, void* memory) {
  if (at.b) plan.run(handle, {{kConvX, at.x}, {kConvW, at.w}, {kConvY, at.y}, {kConvB, at.b}}, memory);
  else plan.run(handle, {{kConvX, at.x}, {kConvW, at.w}, {kConvY, at.y}}, memory);
}

/// Either of the two ways to run a convolution.
struct ConvEngine {
  std::unique_ptr<DnnPlan> graph;
  std::unique_ptr<LegacyConv> legacy;
  bool adds_bias = false;
  std::size_t workspace() const { return graph ? graph->workspace : legacy->workspace; }
};

/// The fastest of the plans, by one run of each after a first one that may compile and load kernels. The result is overwritten.
DnnPlan fastest(cudnnHandle_t handle, std::vector<DnnPlan> plans, const ConvData& data) {
  const auto s = static_cast<cudaStream_t>(stream());
  const auto make = [] {
    cudaEvent_t e = nullptr;
    check_runtime(cudaEventCreate(&e), "cudaEventCreate");
    return std::unique_ptr<std::remove_pointer_t<cudaEvent_t>, cudaError_t (*)(cudaEvent_t)>(e, &cudaEventDestroy);
  };
  const auto begin = make(), end = make();
  std::size_t best = 0;
  float least = 0;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const Scratch memory(static_cast<std::int64_t>(plans[i].workspace));
    float took = 0;
    for (int round = 0; round < 2; ++round) {
      check_runtime(cudaEventRecord(begin.get(), s), "benchmark");
      run_plan(plans[i], handle, data, memory.as<void>());
      check_runtime(cudaEventRecord(end.get(), s), "benchmark");
      check_runtime(cudaEventSynchronize(end.get()), "benchmark");
      check_runtime(cudaEventElapsedTime(&took, begin.get(), end.get()), "benchmark");
    }
    if (i == 0 || took < least) best = i, least = took;
  }
  return std::move(plans[best]);
}

int alignment_of(const void* p) { return 1 << std::countr_zero(reinterpret_cast<std::uintptr_t>(p) | 16); }

/// False when a bias is left to be added.
bool run_conv(ConvDirection direction, const ConvPlan& p, Dtype dtype, ConvData data) {
  static auto* engines = new std::map<std::vector<int>, ConvEngine>;  // guarded by the handle; never destroyed, as the driver may be gone by then
  const DnnRules rules{dtype != Dtype::float32 || tf32_allowed(), nondeterministic_allowed()};
  const bool measure = benchmark();
  const int alignment = std::min({alignment_of(data.x), alignment_of(data.w), alignment_of(data.y), alignment_of(data.b)});
  std::vector<int> key = {static_cast<int>(direction), static_cast<int>(dtype), current_device(), rules.tensor_cores, rules.nondeterministic, measure, alignment, p.last, p.groups, data.b != nullptr};
  for (const auto* list : {&p.x, &p.w, &p.y, &p.pad, &p.stride, &p.dilation}) key.insert(key.end(), list->begin(), list->end());
  const DnnHandle handle;
  if (engines->size() >= kMostPlans) engines->clear();
  auto at = engines->find(key);
  if (at == engines->end()) {
    ConvEngine engine;
    const int count = measure ? kTried : 1;
    std::vector<DnnPlan> plans;
    if (data.b) plans = DnnPlan::candidates({.handle = handle}, conv_operations(direction, p, dtype, alignment, true), rules, kMostWorkspace, count, false);
    engine.adds_bias = !plans.empty();
    if (plans.empty()) plans = DnnPlan::candidates({.handle = handle}, conv_operations(direction, p, dtype, alignment), rules, kMostWorkspace, count);
    if (plans.empty()) engine.legacy = std::make_unique<LegacyConv>(handle, direction, p, dtype, rules, kMostWorkspace);
    else engine.graph = std::make_unique<DnnPlan>(plans.size() == 1 ? std::move(plans[0]) : fastest(handle, std::move(plans), {data.x, data.w, data.y, engine.adds_bias ? data.b : nullptr}));
    at = engines->emplace(std::move(key), std::move(engine)).first;
  }
  const ConvEngine& engine = at->second;
  const bool complete = engine.adds_bias || !data.b;
  if (!engine.adds_bias) data.b = nullptr;
  const Scratch workspace(static_cast<std::int64_t>(engine.workspace()));
  if (engine.graph) run_plan(*engine.graph, handle, data, workspace.as<void>());
  else engine.legacy->run(handle, data.x, data.w, data.y, workspace.as<void>());
  launched();
  return complete;
}

/// An operand that is read, in the format of the plan.
View operand(const ConvPlan& p, const View& v, Dense& memory) { return has_format(v, p.last) ? v : memory.copy_of(v, p.last); }
/// The input of a convolution as cuDNN shall read it.
View input_of(const ConvPlan& p, const View& x, Dense& memory) {
  if (!p.padded) return operand(p, x, memory);
  const View large = memory.make(x.dtype, p.shape.data(), x.rank, p.last);
  clear(large.data, large.numel * static_cast<std::int64_t>(size_of(x.dtype)));
  p.with_common_part(large, x, [](const View& to, const View& from) { copies().copy(from, to); });
  return large;
}
/// Where a result is written; `memory` when its own is of another format, and then to be copied.
View result(const ConvPlan& p, const View& v, Dense& memory) { return has_format(v, p.last) ? v : memory.make(v.dtype, v.sizes, v.rank, p.last); }

void conv(const View& x, const View& w, const View& b, const View& y, const WindowGeometry& g) {
  if (!is_floating(x.dtype)) return conv_by_definition(x, w, b, y, g);
  const ConvPlan p(x, w, y, g);
  Dense memory_x, memory_w, memory_y;
  const View in = input_of(p, x, memory_x), weight = operand(p, w, memory_w), out = result(p, y, memory_y);
  if (!run_conv(ConvDirection::forward, p, x.dtype, {in.data, weight.data, out.data, b.data})) add_bias(b, out);
  if (out.data != y.data) copies().copy(out, y);
}
void conv_input_gradient(const View& g, const View& w, const View& dx, const WindowGeometry& geometry) {
  if (!is_floating(g.dtype)) return conv_input_by_definition(g, w, dx, geometry);
  const ConvPlan p(dx, w, g, geometry);
  Dense memory_g, memory_w, memory_x;
  const View from = operand(p, g, memory_g), weight = operand(p, w, memory_w);
  const View out = p.padded ? memory_x.make(dx.dtype, p.shape.data(), dx.rank, p.last) : result(p, dx, memory_x);
  run_conv(ConvDirection::input, p, g.dtype, {out.data, weight.data, from.data});
  if (p.padded) {  // what lies beyond the windows gets 0
    const std::int64_t none[1] = {0};
    copies().fill(none, dx);
    p.with_common_part(out, dx, [](const View& large, const View& part) { copies().copy(large, part); });
  } else if (out.data != dx.data) {
    copies().copy(out, dx);
  }
}
void conv_weight_gradient(const View& g, const View& x, const View& dw, const WindowGeometry& geometry) {
  if (!is_floating(g.dtype)) return conv_weight_by_definition(g, x, dw, geometry);
  const ConvPlan p(x, dw, g, geometry);
  Dense memory_g, memory_x, memory_w;
  const View from = operand(p, g, memory_g), in = input_of(p, x, memory_x), out = result(p, dw, memory_w);
  run_conv(ConvDirection::weight, p, g.dtype, {in.data, out.data, from.data});
  if (out.data != dw.data) copies().copy(out, dw);
}

}  // namespace

void fill_conv(ConvKernels& k) {
  k.conv = &conv;
  k.conv_input_gradient = &conv_input_gradient;
  k.conv_weight_gradient = &conv_weight_gradient;
}

}  // namespace rill::cuda
