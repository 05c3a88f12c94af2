// Softmax family, normalisation, losses.
#pragma once

#include <cstdint>

#include "backends/api/view.h"

namespace rill {

struct NormKernels {
  // ---- softmax: along an axis of a contiguous float32 or float64 tensor; `log` chooses log_softmax -------------------------------
  void (*softmax)(const View& x, int axis, bool log, const View& out) = nullptr;
  /// out = y (g - sum(g y)), or g - e^y sum(g).
  void (*softmax_gradient)(const View& g, const View& y, int axis, bool log, const View& out) = nullptr;

  // ---- cross entropy of contiguous logits [N, C] and int64 classes [N] ------------------------------------------------------------
  /// losses[i] = lse[i] - x[i][target[i]], 0 for ignored rows. Returns the first row whose class is outside [0, C), or -1.
  std::int64_t (*cross_entropy)(const View& x, const View& target, std::int64_t ignore, const View& losses, const View& lse) = nullptr;
  /// out = (softmax(x) - one_hot(target)) g[i], 0 for ignored rows; g may have stride 0.
  void (*cross_entropy_gradient)(const View& x, const View& target, std::int64_t ignore, const View& lse, const View& g, const View& out) = nullptr;

  // ---- lines of the above for one instruction set ---------------------------------------------------------------------------------
  struct SoftmaxLines {
    /// y = softmax of `n` elements that are `stride` apart, for `width` neighbouring lines.
    void (*forward)(const void* x, void* y, std::int64_t n, std::int64_t stride, std::int64_t width, bool log);
    void (*backward)(const void* g, const void* y, void* out, std::int64_t n, std::int64_t stride, std::int64_t width, bool log);
    /// log(sum(e^x)) of one contiguous line.
    double (*log_sum)(const void* x, std::int64_t n);
    /// out[i] = e^(x[i] - lse) scale.
    void (*scaled_exp)(const void* x, void* out, std::int64_t n, double lse, double scale);
  };
  SoftmaxLines softmax_lines[2] = {};  // float32, float64
};

}  // namespace rill
