// What decompositions share: checks, matrices stored by columns, the words for a matrix without an answer.
#pragma once

#include <rill/ops/linalg.h>

#include "autograd/record.h"
#include "backends/api/backend.h"

namespace rill {

/// float32 or float64 matrices; throws DtypeError or ShapeError.
void check_matrices(const char* op, const Tensor& x, bool square = false, const char* argument = "input");
/// Throws Unimplemented when the build has no LAPACK.
template <class Slot> Slot need(const char* op, Slot slot) {
  if (!slot) [[unlikely]]
    fail<Unimplemented>(op, "this build of rill has no LAPACK; install it and configure with -DRILL_LAPACK=ON");
  return slot;
}

/// The leading axes of a matrix shape, followed by `tail`.
Shape batch_shape(const Shape& s, std::initializer_list<std::int64_t> tail = {});
/// A copy of x stored by columns, as kernels want it: shape [.., n, m] for an m x n matrix. Not recorded.
Tensor by_columns(const Tensor& x);
/// A tensor of such a layout for `like`'s batch.
Tensor columns_buffer(const Tensor& like, std::int64_t rows, std::int64_t columns);
/// The m x n matrix over a buffer [.., n, m]; not recorded.
Tensor as_matrix(const Tensor& buffer);
/// int32, one per matrix.
Tensor info_of(const Tensor& x);
/// Throws ValueError with the place of the first matrix whose info is not 0; `sentence` says what happened to it, {} is its info.
void check_info(const char* op, const Tensor& info, fmt::format_string<int> sentence);
/// Sums a gradient over broadcast batch axes.
Tensor to_shape(const Tensor& g, const Shape& shape);

}  // namespace rill
