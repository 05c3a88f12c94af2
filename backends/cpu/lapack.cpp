// Decompositions by LAPACK, one matrix at a time.
#ifdef RILL_WITH_LAPACK
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "backends/cpu/lapack_routines.h"
#include "backends/cpu/linalg.h"
#include "lib/core/check.h"
#include "lib/core/parallel.h"

namespace rill::cpu {
namespace {

using lapack::Int;
using lapack::Lapack;

/// Sizes of the matrices of a view [.., columns, rows].
struct Matrices {
  Int rows, columns;
  std::int64_t each, count;
  explicit Matrices(const View& v) {
    const std::int64_t r = v.sizes[v.rank - 1], c = v.sizes[v.rank - 2];
    check<ShapeError>(r <= std::numeric_limits<Int>::max() && c <= std::numeric_limits<Int>::max(), "linalg", "a {} x {} matrix is too large for LAPACK", r, c);
    rows = static_cast<Int>(r), columns = static_cast<Int>(c), each = r * c, count = 1;
    for (int i = 0; i < v.rank - 2; ++i) count *= v.sizes[i];
  }
  Int least() const { return std::min(rows, columns); }
  Int leading() const { return std::max<Int>(1, rows); }
};

/// Runs f(i) for every matrix of the batch, several at a time when they are worth it.
template <class F> void each(const Matrices& m, F f) {
  const std::int64_t work = std::max<std::int64_t>(1, m.each * m.least());
  parallel_for(m.count, std::max<std::int64_t>(1, 32768 / work), [&](std::int64_t b, std::int64_t e) {
    for (std::int64_t i = b; i < e; ++i) f(i);
  });
}

template <class F> void visit(const View& v, F f) {
  if (v.dtype == Dtype::float32) f(float{});
  else f(double{});
}

void lu(const View& a, const View& pivots, const View& info) {
  visit(a, [&]<class T>(T) {
    const Matrices m(a);
    each(m, [&](std::int64_t i) {
      const Int lda = m.leading();
      Lapack<T>::getrf(&m.rows, &m.columns, a.as<T>() + i * m.each, &lda, pivots.as<Int>() + i * m.least(), info.as<Int>() + i);
    });
  });
}

void lu_solve(const View& a, const View& pivots, const View& b) {
  visit(a, [&]<class T>(T) {
    const Matrices m(a), x(b);
    each(m, [&](std::int64_t i) {
      const Int ld = m.leading();
      Int info;
      Lapack<T>::getrs("N", &m.rows, &x.columns, a.as<T>() + i * m.each, &ld, pivots.as<Int>() + i * m.rows, b.as<T>() + i * x.each, &ld, &info, 1);
    });
  });
}

void determinant(const View& a, const View& pivots, const View& det, const View& sign, const View& logabs) {
  visit(a, [&]<class T>(T) {
    const Matrices m(a);
    for (std::int64_t i = 0; i < m.count; ++i) {
      T product = 1, s = 1, logarithm = 0;
      for (Int k = 0; k < m.rows; ++k) {
        const T u = a.as<T>()[i * m.each + k * (m.rows + std::int64_t{1})];
        const bool exchanged = pivots.as<Int>()[i * m.rows + k] != k + 1;
        product *= exchanged ? -u : u;
        s *= (u > 0) - (u < 0), s = exchanged ? -s : s;
        if (std::isnan(u)) s = u;
        logarithm += std::log(std::abs(u));
      }
      det.as<T>()[i] = product, sign.as<T>()[i] = s == 0 ? T(0) : s, logabs.as<T>()[i] = logarithm;
    }
  });
}

void cholesky(const View& a, const View& info) {
  visit(a, [&]<class T>(T) {
    const Matrices m(a);
    each(m, [&](std::int64_t i) {
      const Int lda = m.leading();
      T* x = a.as<T>() + i * m.each;
      Lapack<T>::potrf("L", &m.rows, x, &lda, info.as<Int>() + i, 1);
      for (std::int64_t column = 1; column < m.columns; ++column) std::fill_n(x + column * m.rows, column, T(0));
    });
  });
}

void triangular_solve(const View& a, const View& b, bool upper, bool unitriangular) {
  visit(a, [&]<class T>(T) {
    const Matrices m(a), x(b);
    each(m, [&](std::int64_t i) {
      const Int ld = m.leading();
      const T one = 1;
      Lapack<T>::trsm("L", upper ? "U" : "L", "N", unitriangular ? "U" : "N", &x.rows, &x.columns, &one, a.as<T>() + i * m.each, &ld, b.as<T>() + i * x.each, &ld, 1, 1, 1, 1);
    });
  });
}

/// What a routine asks for when it is called with lwork = -1.
template <class T, class Call> std::vector<T> workspace(Call call) {
  T wanted = 0;
  call(&wanted, Int{-1});
  return std::vector<T>(static_cast<std::size_t>(std::max<T>(wanted * (1 + std::numeric_limits<T>::epsilon()), 1)));
}

void qr(const View& a, const View& tau) {
  visit(a, [&]<class T>(T) {
    const Matrices m(a);
    each(m, [&](std::int64_t i) {
      const Int lda = m.leading();
      Int info;
      const auto call = [&](T* work, Int size) { Lapack<T>::geqrf(&m.rows, &m.columns, a.as<T>() + i * m.each, &lda, tau.as<T>() + i * m.least(), work, &size, &info); };
      auto work = workspace<T>(call);
      call(work.data(), static_cast<Int>(work.size()));
    });
  });
}

void qr_columns(const View& q, const View& tau) {
  visit(q, [&]<class T>(T) {
    const Matrices m(q);
    const Int k = static_cast<Int>(tau.sizes[tau.rank - 1]);
    each(m, [&](std::int64_t i) {
      const Int lda = m.leading();
      Int info;
      const auto call = [&](T* work, Int size) { Lapack<T>::orgqr(&m.rows, &m.columns, &k, q.as<T>() + i * m.each, &lda, tau.as<T>() + i * k, work, &size, &info); };
      auto work = workspace<T>(call);
      call(work.data(), static_cast<Int>(work.size()));
    });
  });
}

void svd(const View& a, const View& u, const View& s, const View& vh, const View& info) {
  visit(a, [&]<class T>(T) {
    const Matrices m(a);
    const bool values_only = u.numel == 0;
    const Int vectors_u = values_only ? 0 : static_cast<Int>(u.sizes[u.rank - 2]), vectors_v = values_only ? 0 : static_cast<Int>(vh.sizes[vh.rank - 1]);
    const bool all = vectors_u > m.least() || vectors_v > m.least();
    each(m, [&](std::int64_t i) {
      const Int lda = m.leading(), ldu = m.leading(), ldv = std::max<Int>(1, vectors_v);
      std::vector<Int> integers(static_cast<std::size_t>(8 * m.least()));
      T* uu = u.as<T>() + (values_only ? 0 : i * m.rows * vectors_u);
      T* vv = vh.as<T>() + (values_only ? 0 : i * static_cast<std::int64_t>(vectors_v) * m.columns);
      const auto call = [&](T* work, Int size) {
        Lapack<T>::gesdd(values_only ? "N" : all ? "A" : "S", &m.rows, &m.columns, a.as<T>() + i * m.each, &lda, s.as<T>() + i * m.least(), uu, &ldu, vv, &ldv, work, &size,
                         integers.data(), info.as<Int>() + i, 1);
      };
      auto work = workspace<T>(call);
      call(work.data(), static_cast<Int>(work.size()));
    });
  });
}

void eigh(const View& a, const View& values, const View& info, bool vectors, bool upper) {
  visit(a, [&]<class T>(T) {
    const Matrices m(a);
    each(m, [&](std::int64_t i) {
      const Int lda = m.leading();
      Int wanted = 0;
      T size = 0;
      const auto call = [&](T* work, Int lwork, Int* integers, Int liwork) {
        Lapack<T>::syevd(vectors ? "V" : "N", upper ? "U" : "L", &m.rows, a.as<T>() + i * m.each, &lda, values.as<T>() + i * m.rows, work, &lwork, integers, &liwork, info.as<Int>() + i,
                         1, 1);
      };
      call(&size, -1, &wanted, -1);
      std::vector<T> work(static_cast<std::size_t>(std::max<T>(size * (1 + std::numeric_limits<T>::epsilon()), 1)));
      std::vector<Int> integers(static_cast<std::size_t>(std::max<Int>(wanted, 1)));
      call(work.data(), static_cast<Int>(work.size()), integers.data(), static_cast<Int>(integers.size()));
    });
  });
}

}  // namespace

void add_lapack(LinalgKernels& k) {
  k.lu = &lu, k.lu_solve = &lu_solve, k.determinant = &determinant, k.cholesky = &cholesky, k.triangular_solve = &triangular_solve;
  k.qr = &qr, k.qr_columns = &qr_columns, k.svd = &svd, k.eigh = &eigh;
}

}  // namespace rill::cpu
#else
#include "backends/cpu/linalg.h"

namespace rill::cpu {
void add_lapack(LinalgKernels&) {}
}  // namespace rill::cpu
#endif
