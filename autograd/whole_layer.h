// A recurrent layer as one call of a backend whose library has it (WholeRnn in backends/api/kernels/rnn.h).
#pragma once

#include "autograd/recurrent.h"

namespace rill {

/// Tensors of a layer, or their gradients; undefined: none. All of one dtype.
struct RnnTensors {
  Tensor x, h, c, ih, hh, bias_ih, bias_hh, hr;
};
struct RnnResult {
  Tensor y, h, c;
};

class WholeLayer {
 public:
  /// The backend of x has such layers.
  static bool available(const Tensor& x) { return kernels(x).whole_rnn.forward != nullptr; }
  WholeLayer(const Sequence& q, RnnCell cell, const Tensor& x, std::int64_t units, std::int64_t state, const std::array<std::int64_t, 4>& block);
  /// The library has it: every row of the batch has a first step, and there is something to multiply.
  bool fits() const { return complete_; }
  /// Off the tape. `reserve`: where what backward needs is kept; null when there will be none.
  RnnResult forward(const RnnTensors& in, Tensor* reserve) const;
  /// g: gradients of the results, undefined for zero. Gives those of all inputs that there are.
  RnnTensors gradient(const RnnTensors& in, const Tensor& y, const RnnResult& g, const Tensor& reserve) const;

 private:
  RnnLayerSpec layer_;
  bool complete_;
  std::vector<std::int64_t> order_;  // of a reversed sequence: where the library wants row k; its own inverse

  Tensor reordered(const Tensor& rows) const;
};

}  // namespace rill
