// Decompositions by cuSOLVER, triangular systems by cuBLAS.
#define RILL_GPU cuda
#include "backends/cuda/solver.h"

#include <map>
#include <mutex>

#include "backends/cuda/decompositions.h"
#include "backends/cuda/libraries.h"
#include "backends/cuda/runtime.h"
#include "lib/core/op_range.h"

namespace rill::cuda {
namespace {

const char* running_op() {
  const char* op = profiler::current_op();
  return *op ? op : "linalg";
}
void check_solver(cusolverStatus_t status, const char* routine) {
  if (status == CUSOLVER_STATUS_SUCCESS) [[likely]] return;
  if (status == CUSOLVER_STATUS_ALLOC_FAILED) fail<OutOfMemory>(running_op(), "{} of cuSOLVER found no memory on cuda:{}; use smaller matrices or release some", routine, current_device());
  fail<Error>(running_op(), "{} of cuSOLVER failed with status {}", routine, static_cast<int>(status));
}
void check_blas(cublasStatus_t status, const char* routine) {
  if (status != CUBLAS_STATUS_SUCCESS) [[unlikely]] fail<Error>(running_op(), "{} of cuBLAS failed: {}", routine, cublasGetStatusString(status));
}

/// The handles of one device. They belong to one thread at a time, and follow its current stream.
struct Handles {
  cusolverDnHandle_t solver = nullptr;
  cublasHandle_t blas = nullptr;
};
std::mutex g_mutex;
class Borrowed {
 public:
  Borrowed() : lock_(g_mutex) {
    static auto* all = new std::map<int, Handles>;  // never destroyed: the driver may be gone when static destructors run
    Handles& h = (*all)[current_device()];
    if (!h.solver) check_solver(cusolverDnCreate(&h.solver), "the start");
    if (!h.blas) check_blas(cublasCreate(&h.blas), "the start");
    const auto s = static_cast<cudaStream_t>(stream());
    check_solver(cusolverDnSetStream(h.solver, s), "the choice of a stream");
    check_blas(cublasSetStream(h.blas, s), "the choice of a stream");
    handles_ = h;
  }
  cusolverDnHandle_t solver() const { return handles_.solver; }
  cublasHandle_t blas() const { return handles_.blas; }

 private:
  std::lock_guard<std::mutex> lock_;
  Handles handles_;
};

/// The routines of an element type under one name.
#define RILL_SOLVER_ROUTINE(name)                                                                                \
  [[maybe_unused]] constexpr auto& routine_##name(float) { return cusolverDnS##name; }                           \
  [[maybe_unused]] constexpr auto& routine_##name(double) { return cusolverDnD##name; }
RILL_SOLVER_ROUTINE(getrf)
RILL_SOLVER_ROUTINE(getrf_bufferSize)
RILL_SOLVER_ROUTINE(getrs)
RILL_SOLVER_ROUTINE(potrf)
RILL_SOLVER_ROUTINE(potrf_bufferSize)
RILL_SOLVER_ROUTINE(geqrf)
RILL_SOLVER_ROUTINE(geqrf_bufferSize)
RILL_SOLVER_ROUTINE(orgqr)
RILL_SOLVER_ROUTINE(orgqr_bufferSize)
RILL_SOLVER_ROUTINE(gesvd)
RILL_SOLVER_ROUTINE(gesvd_bufferSize)
RILL_SOLVER_ROUTINE(syevd)
RILL_SOLVER_ROUTINE(syevd_bufferSize)
#undef RILL_SOLVER_ROUTINE
constexpr auto& routine_trsm(float) { return cublasStrsm; }
constexpr auto& routine_trsm(double) { return cublasDtrsm; }

/// Runs call(work, size) with the memory of T that ask(&size) wants.
template <class T, class Ask, class Call> void with_workspace(const char* routine, Ask ask, Call call) {
  int size = 0;
  check_solver(ask(&size), routine);
  const Scratch work(static_cast<std::int64_t>(size) * static_cast<std::int64_t>(sizeof(T)));
  check_solver(call(work.as<T>(), size), routine);
  launched();
}

/// Where LAPACK reports about its arguments, the device would only repeat what the host has checked.
struct Unread {
  Scratch info{sizeof(int)};
  operator int*() const { return info.as<int>(); }
};

struct CuSolver {
  template <class T> static void getrf(int m, int n, T* a, int lda, int* pivots, int* info) {
    const Borrowed h;
    with_workspace<T>("getrf", [&](int* size) { return routine_getrf_bufferSize(T{})(h.solver(), m, n, a, lda, size); },
                      [&](T* work, int) { return routine_getrf(T{})(h.solver(), m, n, a, lda, work, pivots, info); });
  }
  template <class T> static void getrs(int n, int sides, const T* a, int lda, const int* pivots, T* b, int ldb) {
    const Borrowed h;
    check_solver(routine_getrs(T{})(h.solver(), CUBLAS_OP_N, n, sides, a, lda, pivots, b, ldb, Unread()), "getrs");
    launched();
  }
  template <class T> static void potrf(int n, T* a, int lda, int* info) {
    const Borrowed h;
    with_workspace<T>("potrf", [&](int* size) { return routine_potrf_bufferSize(T{})(h.solver(), CUBLAS_FILL_MODE_LOWER, n, a, lda, size); },
                      [&](T* work, int size) { return routine_potrf(T{})(h.solver(), CUBLAS_FILL_MODE_LOWER, n, a, lda, work, size, info); });
  }
  template <class T> static void trsm(bool upper, bool unit, int m, int n, const T* a, int lda, T* b, int ldb) {
    const Borrowed h;
    const T one = 1;
    check_blas(routine_trsm(T{})(h.blas(), CUBLAS_SIDE_LEFT, upper ? CUBLAS_FILL_MODE_UPPER : CUBLAS_FILL_MODE_LOWER, CUBLAS_OP_N, unit ? CUBLAS_DIAG_UNIT : CUBLAS_DIAG_NON_UNIT, m, n, &one, a,
                                 lda, b, ldb),
               "trsm");
    launched();
  }
  template <class T> static void geqrf(int m, int n, T* a, int lda, T* tau) {
    const Borrowed h;
    with_workspace<T>("geqrf", [&](int* size) { return routine_geqrf_bufferSize(T{})(h.solver(), m, n, a, lda, size); },
                      [&](T* work, int size) { return routine_geqrf(T{})(h.solver(), m, n, a, lda, tau, work, size, Unread()); });
  }
  template <class T> static void orgqr(int m, int n, int k, T* a, int lda, const T* tau) {
    const Borrowed h;
    with_workspace<T>("orgqr", [&](int* size) { return routine_orgqr_bufferSize(T{})(h.solver(), m, n, k, a, lda, tau, size); },
                      [&](T* work, int size) { return routine_orgqr(T{})(h.solver(), m, n, k, a, lda, tau, work, size, Unread()); });
  }
  template <class T> static void gesvd(char job, int m, int n, T* a, int lda, T* s, T* u, int ldu, T* vh, int ldvh, int* info) {
    const Borrowed h;
    with_workspace<T>("gesvd", [&](int* size) { return routine_gesvd_bufferSize(T{})(h.solver(), m, n, size); },
                      [&](T* work, int size) { return routine_gesvd(T{})(h.solver(), static_cast<signed char>(job), static_cast<signed char>(job), m, n, a, lda, s, u, ldu, vh, ldvh, work, size, nullptr, info); });
  }
  template <class T> static void syevd(bool vectors, bool upper, int n, T* a, int lda, T* values, int* info) {
    const Borrowed h;
    const auto mode = vectors ? CUSOLVER_EIG_MODE_VECTOR : CUSOLVER_EIG_MODE_NOVECTOR;
    const auto half = upper ? CUBLAS_FILL_MODE_UPPER : CUBLAS_FILL_MODE_LOWER;
    with_workspace<T>("syevd", [&](int* size) { return routine_syevd_bufferSize(T{})(h.solver(), mode, half, n, a, lda, values, size); },
                      [&](T* work, int size) { return routine_syevd(T{})(h.solver(), mode, half, n, a, lda, values, work, size, info); });
  }
};

}  // namespace

void fill_solver(LinalgKernels& k) { Decompositions<CuSolver>::fill(k); }

}  // namespace rill::cuda
