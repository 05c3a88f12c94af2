// What decompositions need besides the library that makes them. Matrices are stored by columns: views [.., columns, rows].
#pragma once

#include "backends/api/view.h"
#include "backends/cuda/kernels/runtime.h"

namespace rill::RILL_GPU {

/// The slot of LinalgKernels.
void determinant(const View& lu, const View& pivots, const View& det, const View& sign, const View& logabs);
/// What lies above the diagonal becomes 0.
void clear_upper(const View& a);

/// Which matrices held NaN before they were decomposed: LAPACK refuses them, the library for devices does not look.
class NanMatrices {
 public:
  explicit NanMatrices(const View& a);
  /// Their info becomes negative.
  void mark(const View& info) const;

 private:
  Scratch held_;
};

}  // namespace rill::RILL_GPU
