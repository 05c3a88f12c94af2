// How products of views become products of matrices stored by columns, which is all that cuBLAS knows: out = a b is computed as
// out^T = b^T a^T where out is stored by rows. Free of CUDA, so that tests multiply for it.
#pragma once

#include <algorithm>

#include "backends/api/loop.h"

namespace rill::cuda {

/// A matrix stored by columns that are `leading` elements apart, or the transpose of one. A batch repeats it every batch_step elements.
struct StoredMatrix {
  char* data;
  std::int64_t rows, columns, leading;  // of the matrix itself, not as stored
  bool transposed;
  std::int64_t batch_step;
};

namespace detail {
/// Columns lie side by side: a step along a column is 1, and columns do not overlap.
inline bool by_columns(std::int64_t rows, std::int64_t columns, std::int64_t row_step, std::int64_t column_step) { return (rows == 1 || row_step == 1) && (columns == 1 || column_step >= rows); }
inline StoredMatrix stored(char* data, std::int64_t rows, std::int64_t columns, std::int64_t row_step, std::int64_t column_step, std::int64_t batch_step) {
  if (by_columns(rows, columns, row_step, column_step)) return {data, rows, columns, columns == 1 ? rows : column_step, false, batch_step};
  return {data, rows, columns, rows == 1 ? columns : row_step, true, batch_step};
}
}  // namespace detail

/// The last two axes are stored by columns or by rows.
inline bool adjacent(const View& v) {
  const std::int64_t rows = v.sizes[v.rank - 2], columns = v.sizes[v.rank - 1], row_step = v.strides[v.rank - 2], column_step = v.strides[v.rank - 1];
  return detail::by_columns(rows, columns, row_step, column_step) || detail::by_columns(columns, rows, column_step, row_step);
}

/// One product without a batch: result = left right, over k.
struct Product {
  StoredMatrix left, right, result;
  std::int64_t k;
};
/// y [.., out] = x [.., in] w^T for w [out, in] as y^T = w x^T. Features are the rows of the result, to which cuBLAS adds a bias. x and y are
/// row-major, w is adjacent.
inline Product linear_product(const View& x, const View& w, const View& y) {
  const std::int64_t out = w.sizes[0], in = w.sizes[1], rows = y.numel / out;
  const auto data = [](const View& v) { return static_cast<char*>(v.data); };
  return {detail::stored(data(w), out, in, w.strides[0], w.strides[1], 0), detail::stored(data(x), in, rows, 1, in, 0), {data(y), out, rows, out, false, 0}, in};
}
/// dw [out, in] = g^T x for g [rows, out] and x [rows, in] as dw^T = x^T g, all row-major. cuBLAS sums the rows of g, its right operand, into a
/// gradient of the bias.
inline Product weight_product(const View& g, const View& x, const View& dw) {
  const std::int64_t rows = g.sizes[0], out = g.sizes[1], in = x.sizes[1];
  const auto data = [](const View& v) { return static_cast<char*>(v.data); };
  return {detail::stored(data(x), in, rows, 1, in, 0), detail::stored(data(g), rows, out, out, 1, 0), {data(dw), in, out, in, false, 0}, rows};
}

/// Calls multiply(left, right, result, k, batch) for products left [m, k] by right [k, n] into result, stored by columns. The views are
/// adjacent and not empty, leading axes broadcast to those of `out`; one call covers as many of them as have even steps.
template <class Multiply> void for_each_product(const View& a, const View& b, const View& out, Multiply multiply) {
  const auto leading = [](const View& v) {
    View l{v.data, v.dtype, v.rank - 2, v.sizes, v.strides, 1, false};
    for (int axis = 0; axis < l.rank; ++axis) l.numel *= l.sizes[axis];
    return l;
  };
  const auto last = [](const View& v, int axis) { return v.sizes[v.rank - 2 + axis]; };
  const auto step = [](const View& v, int axis) { return v.strides[v.rank - 2 + axis]; };
  const std::int64_t m = last(out, 0), n = last(out, 1), k = last(a, 1);
  const LoopPlan<3> batch({leading(out), leading(a), leading(b)});
  const std::int64_t inner = batch.inner_size();
  LoopCursor<3> at(batch, 0);
  for (std::int64_t done = 0; done < batch.numel; done += inner) {
    const auto matrix = [&](int operand, const View& v, std::int64_t rows, std::int64_t columns, bool turned) {
      return detail::stored(batch.data[operand] + at.offset[operand], turned ? columns : rows, turned ? rows : columns, step(v, turned), step(v, !turned), batch.inner_stride(operand) / static_cast<std::int64_t>(size_of(v.dtype)));
    };
    const bool by_rows = !detail::by_columns(m, n, step(out, 0), step(out, 1));
    const StoredMatrix left = matrix(1, a, m, k, by_rows), right = matrix(2, b, k, n, by_rows), result = matrix(0, out, m, n, by_rows);
    if (by_rows) multiply(right, left, result, k, inner);
    else multiply(left, right, result, k, inner);
    at.advance(inner);
  }
}

}  // namespace rill::cuda
