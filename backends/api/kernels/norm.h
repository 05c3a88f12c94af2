// Softmax family, normalisation, losses, embedding.
#pragma once

#include <array>

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
};

/// Operands of a row or channel norm: contiguous, x, weight, bias, y and their gradients in one dtype, statistics in double. Null
/// pointers: absent, or not wanted.
struct NormArgs {
  const void *x = nullptr, *weight = nullptr, *bias = nullptr, *g = nullptr;
  void *y = nullptr, *gx = nullptr;
  double *mean = nullptr, *rstd = nullptr;
  double *gweight = nullptr, *gbias = nullptr;  // [channels of all groups], in double
};

/// One element type on one instruction set; threads are started above.
struct NormSteps {
  void (*rows)(const RowNorm&, const NormArgs&, std::int64_t begin, std::int64_t end) = nullptr;
  /// Adds to gweight and gbias.
  void (*rows_grad)(const RowNorm&, const NormArgs&, std::int64_t begin, std::int64_t end) = nullptr;
  /// Channels begin to end of [outer, channels, inner], inner > 1, one after the other.
  void (*planes)(const ChannelNorm&, const NormArgs&, std::int64_t begin, std::int64_t end) = nullptr;
  void (*planes_grad)(const ChannelNorm&, const NormArgs&, std::int64_t begin, std::int64_t end) = nullptr;
  /// Rows of [rows, width]: acc += x; acc += (x - mean)^2; y = (x - mean) scale + shift (parameters in double).
  void (*column_sums)(const void* x, std::int64_t rows, std::int64_t width, double* acc) = nullptr;
  void (*column_squares)(const void* x, const double* mean, std::int64_t rows, std::int64_t width, double* acc) = nullptr;
  void (*columns_affine)(const void* x, const double* mean, const double* scale, const double* shift, void* y, std::int64_t rows, std::int64_t width) = nullptr;
  /// acc_g += g, acc_gx += g (x - mean).
  void (*column_grad_sums)(const void* g, const void* x, const double* mean, std::int64_t rows, std::int64_t width, double* acc_g, double* acc_gx) = nullptr;
  /// gx = a g + b (x - mean) + c.
  void (*columns_grad)(const void* g, const void* x, const double* mean, const double* a, const double* b, const double* c, void* gx, std::int64_t rows, std::int64_t width) = nullptr;
};

struct NormKernels {
  std::array<NormSteps, kDtypeCount> norm_steps{};  // float32 and float64

  /// y = (x - mean) rstd weight + bias; writes mean and rstd [rows].
  void (*norm_rows)(Dtype, const RowNorm&, const NormArgs&) = nullptr;
  /// Gradients from g, x, mean, rstd and weight.
  void (*norm_rows_grad)(Dtype, const RowNorm&, const NormArgs&) = nullptr;
  /// With `batch` writes mean and rstd [channels], otherwise reads them.
  void (*norm_channels)(Dtype, const ChannelNorm&, const NormArgs&) = nullptr;
  void (*norm_channels_grad)(Dtype, const ChannelNorm&, const NormArgs&) = nullptr;
};

}  // namespace rill
