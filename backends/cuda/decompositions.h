// The slots of decompositions as calls of a library with LAPACK's routines, one matrix at a time. cuSOLVER is one such library (solver.cpp); tests
// put another one in its place. Every matrix is stored by columns, as LAPACK wants it (backends/api/kernels/linalg.h).
//
// A Library has, for float and double, with LAPACK's arguments and device memory:
//   getrf(m, n, a, lda, pivots, info)                getrs(n, sides, a, lda, pivots, b, ldb)
//   potrf(n, a, lda, info), of the lower triangle    trsm(upper, unit, m, n, a, lda, b, ldb), a on the left
//   geqrf(m, n, a, lda, tau)                         orgqr(m, n, k, a, lda, tau)
//   gesvd(job, m, n, a, lda, s, u, ldu, vh, ldvh, info) for m >= n; job 'N', 'S' or 'A' for both sides
//   syevd(vectors, upper, n, a, lda, values, info)
#pragma once

#include <algorithm>
#include <limits>
#include <utility>

#include "backends/api/kernels/linalg.h"
#include "backends/cuda/kernels/dense.h"
#include "backends/cuda/kernels/linalg.h"
#include "lib/core/check.h"

namespace rill::RILL_GPU {

template <class Library> class Decompositions {
 public:
  static void fill(LinalgKernels& k) {
    k.lu = &lu, k.lu_solve = &lu_solve, k.determinant = &determinant, k.cholesky = &cholesky, k.triangular_solve = &triangular_solve;
    k.qr = &qr, k.qr_columns = &qr_columns, k.svd = &svd, k.eigh = &eigh;
  }

 private:
  /// The matrices of a view [.., columns, rows].
  struct Matrices {
    int rows, columns;
    std::int64_t each, count;
    explicit Matrices(const View& v) {
      const std::int64_t r = v.sizes[v.rank - 1], c = v.sizes[v.rank - 2], most = std::numeric_limits<int>::max();
      check<ShapeError>(r <= most && c <= most, "linalg", "a {} x {} matrix is too large for LAPACK", r, c);
      rows = static_cast<int>(r), columns = static_cast<int>(c), each = r * c, count = 1;
      for (int i = 0; i < v.rank - 2; ++i) count *= v.sizes[i];
    }
    int least() const { return std::min(rows, columns); }
    int leading() const { return std::max(1, rows); }
  };
  /// f(a T, the matrices of v)
  template <class F> static void visit(const View& v, F f) {
    if (v.dtype == Dtype::float32) f(float{}, Matrices(v));
    else f(double{}, Matrices(v));
  }

  static void lu(const View& a, const View& pivots, const View& info) {
    visit(a, [&]<class T>(T, const Matrices& m) {
      for (std::int64_t i = 0; i < m.count; ++i) Library::getrf(m.rows, m.columns, a.as<T>() + i * m.each, m.leading(), pivots.as<int>() + i * m.least(), info.as<int>() + i);
    });
  }
  static void lu_solve(const View& a, const View& pivots, const View& b) {
    visit(a, [&]<class T>(T, const Matrices& m) {
      const Matrices x(b);
      for (std::int64_t i = 0; i < m.count; ++i)
        Library::getrs(m.rows, x.columns, a.as<const T>() + i * m.each, m.leading(), pivots.as<const int>() + i * m.rows, b.as<T>() + i * x.each, m.leading());
    });
  }
  static void cholesky(const View& a, const View& info) {
    visit(a, [&]<class T>(T, const Matrices& m) {
      for (std::int64_t i = 0; i < m.count; ++i) Library::potrf(m.rows, a.as<T>() + i * m.each, m.leading(), info.as<int>() + i);
    });
    clear_upper(a);
  }
  static void triangular_solve(const View& a, const View& b, bool upper, bool unitriangular) {
    visit(a, [&]<class T>(T, const Matrices& m) {
      const Matrices x(b);
      for (std::int64_t i = 0; i < m.count; ++i) Library::trsm(upper, unitriangular, x.rows, x.columns, a.as<const T>() + i * m.each, m.leading(), b.as<T>() + i * x.each, m.leading());
    });
  }
  static void qr(const View& a, const View& tau) {
    visit(a, [&]<class T>(T, const Matrices& m) {
      for (std::int64_t i = 0; i < m.count; ++i) Library::geqrf(m.rows, m.columns, a.as<T>() + i * m.each, m.leading(), tau.as<T>() + i * m.least());
    });
  }
  static void qr_columns(const View& q, const View& tau) {
    visit(q, [&]<class T>(T, const Matrices& m) {
      const int k = static_cast<int>(tau.sizes[tau.rank - 1]);
      for (std::int64_t i = 0; i < m.count; ++i) Library::orgqr(m.rows, m.columns, k, q.as<T>() + i * m.each, m.leading(), tau.as<const T>() + i * k);
    });
  }
  static void eigh(const View& a, const View& values, const View& info, bool vectors, bool upper) {
    visit(a, [&]<class T>(T, const Matrices& m) {
      for (std::int64_t i = 0; i < m.count; ++i) Library::syevd(vectors, upper, m.rows, a.as<T>() + i * m.each, m.leading(), values.as<T>() + i * m.rows, info.as<int>() + i);
    });
  }

  // ---- singular values: a matrix with more columns than rows is decomposed as its transpose, A^T = V S U^T ----------------------------

  static View transposed(const View& v, std::int64_t* sizes, std::int64_t* strides) {
    std::copy(v.sizes, v.sizes + v.rank, sizes), std::copy(v.strides, v.strides + v.rank, strides);
    std::swap(sizes[v.rank - 1], sizes[v.rank - 2]), std::swap(strides[v.rank - 1], strides[v.rank - 2]);
    return {v.data, v.dtype, v.rank, sizes, strides, v.numel, false};
  }
  static void svd(const View& a, const View& u, const View& s, const View& vh, const View& info) {
    const NanMatrices nan(a);
    if (const Matrices m(a); m.rows >= m.columns) {
      tall_svd(a, u, s, vh, info);
    } else {
      std::int64_t sizes[3][kMaxRank], strides[3][kMaxRank];
      const View wide = transposed(a, sizes[0], strides[0]), left = transposed(u, sizes[1], strides[1]), right = transposed(vh, sizes[2], strides[2]);
      Dense tall_a, tall_u, tall_vh;
      const View of_u = tall_u.make(u.dtype, right.sizes, right.rank), of_vh = tall_vh.make(u.dtype, left.sizes, left.rank);
      tall_svd(tall_a.copy_of(wide), of_u, s, of_vh, info);
      if (u.numel > 0) {
        copies().copy(transposed(of_vh, sizes[1], strides[1]), u);
        copies().copy(transposed(of_u, sizes[2], strides[2]), vh);
      }
    }
    nan.mark(info);
  }
  static void tall_svd(const View& a, const View& u, const View& s, const View& vh, const View& info) {
    visit(a, [&]<class T>(T, const Matrices& m) {
      const bool values_only = u.numel == 0;
      const int vectors = values_only ? 0 : static_cast<int>(u.sizes[u.rank - 2]);
      const char job = values_only ? 'N' : vectors > m.columns ? 'A' : 'S';
      for (std::int64_t i = 0; i < m.count; ++i) {
        T* left = values_only ? nullptr : u.as<T>() + i * m.rows * vectors;
        T* right = values_only ? nullptr : vh.as<T>() + i * static_cast<std::int64_t>(m.columns) * m.columns;
        Library::gesvd(job, m.rows, m.columns, a.as<T>() + i * m.each, m.leading(), s.as<T>() + i * m.columns, left, m.leading(), right, std::max(1, m.columns), info.as<int>() + i);
      }
    });
  }
};

}  // namespace rill::RILL_GPU
