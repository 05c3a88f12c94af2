// Convolutions by cuDNN's older calls, for what its graph interface refuses.
#pragma once

#include "backends/cuda/conv_graph.h"

namespace rill::cuda {

class LegacyConv {
 public:
  std::size_t workspace = 0;

  /// With the first algorithm that cuDNN recommends and that follows the rules; throws Unimplemented when there is none.
  LegacyConv(cudnnHandle_t handle, ConvDirection direction, const ConvPlan& p, Dtype dtype, const DnnRules& rules, std::size_t most_workspace);
  void run(cudnnHandle_t handle, void* x, void* w, void* y, void* memory) const;

 private:
  template <class Performance> void choose(const Performance* list, int count, const DnnRules& rules, std::size_t most_workspace);
  ConvDirection direction_;
  bool wide_;
  int algorithm_ = 0;
  TensorDescriptor x_, y_;
  FilterDescriptor w_;
  ConvDescriptor conv_;
};

}  // namespace rill::cuda
