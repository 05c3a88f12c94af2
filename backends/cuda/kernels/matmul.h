// Matrix products without a library.
#pragma once

#include "backends/api/view.h"
#include "backends/cuda/kernels/runtime.h"

namespace rill::RILL_GPU {

/// The last two axes of the operands of a product; strides in elements.
struct MatmulShape {
  std::int64_t m, n, k, a_row, a_col, b_row, b_col, out_row, out_col;
  bool accumulate;
};
inline MatmulShape matmul_shape(const View& a, const View& b, const View& out, bool accumulate) {
  const int i = a.rank - 2, j = b.rank - 2, o = out.rank - 2;
  return {a.sizes[i], b.sizes[j + 1], a.sizes[i + 1], a.strides[i], a.strides[i + 1], b.strides[j], b.strides[j + 1], out.strides[o], out.strides[o + 1], accumulate};
}

/// LinalgKernels::gemm for any dtype but bool; `out` may be float32 beside 16-bit floats.
void matmul(const View& a, const View& b, const View& out, bool accumulate);

}  // namespace rill::RILL_GPU
