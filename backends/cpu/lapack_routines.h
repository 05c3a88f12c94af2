// LAPACK's Fortran routines, declared here so that no LAPACK header is needed. Hidden lengths of character arguments follow the other arguments, as
// gfortran passes them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rill::lapack {

using Int = std::int32_t;
using Length = std::size_t;

/// The routines of an element type under one name.
template <class T> struct Lapack;

#define RILL_LAPACK_ROUTINES(T, p)                                                                                                                 \
  extern "C" {                                                                                                                                     \
  void p##getrf_(const Int* m, const Int* n, T* a, const Int* lda, Int* pivots, Int* info);                                                        \
  void p##getrs_(const char* trans, const Int* n, const Int* nrhs, const T* a, const Int* lda, const Int* pivots, T* b, const Int* ldb, Int* info, \
                 Length);                                                                                                                          \
  void p##potrf_(const char* uplo, const Int* n, T* a, const Int* lda, Int* info, Length);                                                         \
  void p##trsm_(const char* side, const char* uplo, const char* trans, const char* diag, const Int* m, const Int* n, const T* alpha, const T* a,   \
                const Int* lda, T* b, const Int* ldb, Length, Length, Length, Length);                                                             \
  void p##geqrf_(const Int* m, const Int* n, T* a, const Int* lda, T* tau, T* work, const Int* lwork, Int* info);                                  \
  void p##orgqr_(const Int* m, const Int* n, const Int* k, T* a, const Int* lda, const T* tau, T* work, const Int* lwork, Int* info);              \
  void p##gesdd_(const char* job, const Int* m, const Int* n, T* a, const Int* lda, T* s, T* u, const Int* ldu, T* vt, const Int* ldvt, T* work,   \
                 const Int* lwork, Int* iwork, Int* info, Length);                                                                                 \
  void p##gesvd_(const char* job_u, const char* job_vt, const Int* m, const Int* n, T* a, const Int* lda, T* s, T* u, const Int* ldu, T* vt,       \
                 const Int* ldvt, T* work, const Int* lwork, Int* info, Length, Length);                                                           \
  void p##syevd_(const char* job, const char* uplo, const Int* n, T* a, const Int* lda, T* w, T* work, const Int* lwork, Int* iwork,               \
                 const Int* liwork, Int* info, Length, Length);                                                                                    \
  void p##syev_(const char* job, const char* uplo, const Int* n, T* a, const Int* lda, T* w, T* work, const Int* lwork, Int* info, Length,         \
                Length);                                                                                                                           \
  }                                                                                                                                                \
  template <> struct Lapack<T> {                                                                                                                   \
    static constexpr auto getrf = &p##getrf_;                                                                                                      \
    static constexpr auto getrs = &p##getrs_;                                                                                                      \
    static constexpr auto potrf = &p##potrf_;                                                                                                      \
    static constexpr auto trsm = &p##trsm_;                                                                                                        \
    static constexpr auto geqrf = &p##geqrf_;                                                                                                      \
    static constexpr auto orgqr = &p##orgqr_;                                                                                                      \
    static constexpr auto gesdd = &p##gesdd_;                                                                                                      \
    static constexpr auto gesvd = &p##gesvd_;                                                                                                      \
    static constexpr auto syevd = &p##syevd_;                                                                                                      \
    static constexpr auto syev = &p##syev_;                                                                                                        \
  };
RILL_LAPACK_ROUTINES(float, s)
RILL_LAPACK_ROUTINES(double, d)
#undef RILL_LAPACK_ROUTINES

}  // namespace rill::lapack
