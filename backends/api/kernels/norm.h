// Softmax family, normalisation, losses.
#pragma once

#include <array>
#include <cstdint>

#include "backends/api/view.h"

namespace rill {

// ---- normalisation --------------------------------------------------------------------------------------------------------------

/// Rows that are normalised each on its own: n = channels * run elements; element j of row r belongs to channel
/// (r % groups) * channels + j / run. Layer norm: groups = 1, run = 1. Group norm: rows = samples * groups, run = pixels.
struct RowNorm {
  std::int64_t rows, groups, channels, run;
  double eps;
  bool centered;  // off: RMS norm, no mean is subtracted
};
/// Channels that are normalised over outer and inner: x is [outer, channels, inner] (inner = 1: channels last).
struct ChannelNorm {
  std::int64_t outer, channels, inner;
  double eps;
  bool batch;     // statistics of x, which depend on x; otherwise they are given constants
  bool relu = false;  // y = max(0, ..)
};

/// Operands of a row or channel norm: contiguous; x, y and their gradients in one dtype, weight and bias in the one that it is computed in,
/// statistics in double. Null pointers: absent, or not wanted.
struct NormArgs {
  const void *x = nullptr, *weight = nullptr, *bias = nullptr, *g = nullptr;
  void *y = nullptr, *gx = nullptr;
  double *mean = nullptr, *rstd = nullptr;
  double *gweight = nullptr, *gbias = nullptr;  // [channels of all groups], in double
  std::int64_t g_step = 0;  // channel norms: from one outer index of g to the next; g may be a part of a wider tensor
};

/// y = (x - mean) scale + shift for columns, then max(0, y) with `relu`. In double.
struct ColumnAffine {
  const double *mean, *scale, *shift;
  bool relu;
};

/// One element type on one instruction set; threads are started above.
struct NormSteps {
  void (*rows)(const RowNorm&, const NormArgs&, std::int64_t begin, std::int64_t end) = nullptr;
  /// Adds to gweight and gbias.
  void (*rows_grad)(const RowNorm&, const NormArgs&, std::int64_t begin, std::int64_t end) = nullptr;
  /// Channels begin to end of [outer, channels, inner], inner > 1, one after the other.
  void (*planes)(const ChannelNorm&, const NormArgs&, std::int64_t begin, std::int64_t end) = nullptr;
  void (*planes_grad)(const ChannelNorm&, const NormArgs&, std::int64_t begin, std::int64_t end) = nullptr;
  /// Rows of [rows, width], those of g `g_step` apart: mean and the sum of (x - mean)^2; the affine map.
  void (*column_moments)(const void* x, std::int64_t rows, std::int64_t width, double* mean, double* square) = nullptr;
  void (*columns_affine)(const void* x, const ColumnAffine&, void* y, std::int64_t rows, std::int64_t width) = nullptr;
  /// acc_g += h, acc_gx += h (x - mean), where h is g, or with `relu` g where y is positive.
  void (*column_grad_sums)(const void* g, std::int64_t g_step, const void* x, const ColumnAffine&, std::int64_t rows, std::int64_t width, double* acc_g, double* acc_gx) = nullptr;
  /// gx = a h + b (x - mean) + c.
  void (*columns_grad)(const void* g, std::int64_t g_step, const void* x, const ColumnAffine&, const double* a, const double* b, const double* c, void* gx, std::int64_t rows,
                       std::int64_t width) = nullptr;
};

/// What the samples of a batch must spell: sample n reads `input_lengths[n]` steps and its labels are
/// labels[starts[n]] .. labels[starts[n] + target_lengths[n]]. All checked.
struct CtcTargets {
  const std::int64_t *labels, *starts, *target_lengths, *input_lengths;
  std::int64_t blank;
};

struct NormKernels {
  // ---- normalisation ------------------------------------------------------------------------------------------------------------
  std::array<NormSteps, kDtypeCount> norm_steps{};  // floating dtypes; rows for float32 and float64 only

  /// y = (x - mean) rstd weight + bias; writes mean and rstd [rows].
  void (*norm_rows)(Dtype, const RowNorm&, const NormArgs&) = nullptr;
  /// Gradients from g, x, mean, rstd and weight.
  void (*norm_rows_grad)(Dtype, const RowNorm&, const NormArgs&) = nullptr;
  /// With `batch` writes mean and rstd [channels], otherwise reads them. The gradient needs the bias with `relu` only.
  void (*norm_channels)(Dtype, const ChannelNorm&, const NormArgs&) = nullptr;
  void (*norm_channels_grad)(Dtype, const ChannelNorm&, const NormArgs&) = nullptr;

  // ---- softmax: along an axis of a contiguous float32 or float64 tensor; `log` chooses log_softmax -------------------------------
  void (*softmax)(const View& x, int axis, bool log, const View& out) = nullptr;
  /// out = y (g - sum(g y)), or g - e^y sum(g).
  void (*softmax_gradient)(const View& g, const View& y, int axis, bool log, const View& out) = nullptr;

  // ---- cross entropy of contiguous logits [N, C] and int64 classes [N] ------------------------------------------------------------
  /// losses[i] = lse[i] - x[i][target[i]], 0 for ignored rows. Returns the first row whose class is outside [0, C), or -1.
  std::int64_t (*cross_entropy)(const View& x, const View& target, std::int64_t ignore, const View& losses, const View& lse) = nullptr;
  /// out = (softmax(x) - one_hot(target)) g[i], 0 for ignored rows; g may have stride 0.
  void (*cross_entropy_gradient)(const View& x, const View& target, std::int64_t ignore, const View& lse, const View& g, const View& out) = nullptr;

  // ---- connectionist temporal classification of contiguous log-probabilities [T, N, C] ----------------------------------------------
  /// losses[n] (float64) = -log of the probability of target n; alpha (float64 [N, T, 2 S + 1]) keeps the forward variables, S is the
  /// longest target.
  void (*ctc)(const View& x, const CtcTargets&, const View& losses, const View& alpha) = nullptr;
  /// out = d losses[n] / d x times scale[n] (float64); NaN where the loss is infinite, unless `skip_infinite` makes it 0.
  void (*ctc_gradient)(const View& x, const CtcTargets&, const View& losses, const View& alpha, const View& scale, bool skip_infinite, const View& out) = nullptr;

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
