// The door to oneDNN. Present only in builds with RILL_WITH_ONEDNN; only backends/cpu/onednn*.cpp include its headers.
#pragma once

#include <cstdint>

#include "backends/api/kernels/conv.h"

namespace rill::cpu {

/// C[m, n] = op(A) op(B) + (accumulate ? C : 0) in float32, row-major, on the calling thread only, so that the order of additions does
/// not depend on how many threads there are. The leading dimensions are those of the matrices as stored.
void onednn_sgemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda, const float* b,
                  std::int64_t ldb, bool accumulate, float* c, std::int64_t ldc);

/// The slots of ConvKernels for float32; false: oneDNN has no implementation for these shapes, nothing was written.
bool onednn_conv(const View& x, const View& w, const View& b, const View& y, const WindowGeometry& window);
bool onednn_conv_input_gradient(const View& g, const View& w, const View& dx, const WindowGeometry& window);
bool onednn_conv_weight_gradient(const View& g, const View& x, const View& dw, const WindowGeometry& window);

}  // namespace rill::cpu
