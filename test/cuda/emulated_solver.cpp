// The library behind decompositions (backends/cuda/decompositions.h) on made-up devices: LAPACK of the host.
#include "backends/cuda/decompositions.h"
#include "backends/cuda/kernels/launch.h"

#ifdef RILL_WITH_LAPACK
#include "backends/cpu/lapack_routines.h"

namespace rill::emulated {
namespace {

using lapack::Lapack;

struct Unlocked {
  Unlocked() { enter_device(); }
  ~Unlocked() { leave_device(); }
};
/// Room for any of the routines on matrices of so many rows and columns.
template <class T> struct Work {
  explicit Work(int m, int n) : size(64 * (m + n) + 64), memory(static_cast<std::size_t>(size)) {}
  int size;
  std::vector<T> memory;
};

struct HostLapack {
  template <class T> static void getrf(int m, int n, T* a, int lda, int* pivots, int* info) {
    const Unlocked here;
    Lapack<T>::getrf(&m, &n, a, &lda, pivots, info);
  }
  template <class T> static void getrs(int n, int sides, const T* a, int lda, const int* pivots, T* b, int ldb) {
    const Unlocked here;
    int info = 0;
    Lapack<T>::getrs("N", &n, &sides, a, &lda, pivots, b, &ldb, &info, 1);
  }
  template <class T> static void potrf(int n, T* a, int lda, int* info) {
    const Unlocked here;
    Lapack<T>::potrf("L", &n, a, &lda, info, 1);
  }
  template <class T> static void trsm(bool upper, bool unit, int m, int n, const T* a, int lda, T* b, int ldb) {
    const Unlocked here;
    const T one = 1;
    Lapack<T>::trsm("L", upper ? "U" : "L", "N", unit ? "U" : "N", &m, &n, &one, a, &lda, b, &ldb, 1, 1, 1, 1);
  }
  template <class T> static void geqrf(int m, int n, T* a, int lda, T* tau) {
    const Unlocked here;
    Work<T> work(m, n);
    int info = 0;
    Lapack<T>::geqrf(&m, &n, a, &lda, tau, work.memory.data(), &work.size, &info);
  }
  template <class T> static void orgqr(int m, int n, int k, T* a, int lda, const T* tau) {
    const Unlocked here;
    Work<T> work(m, n);
    int info = 0;
    Lapack<T>::orgqr(&m, &n, &k, a, &lda, tau, work.memory.data(), &work.size, &info);
  }
  template <class T> static void gesvd(char job, int m, int n, T* a, int lda, T* s, T* u, int ldu, T* vh, int ldvh, int* info) {
    check<Internal>(m >= n, "svd", "cuSOLVER wants at least as many rows as columns, got {} x {}", m, n);
    const Unlocked here;
    Work<T> work(m, n);
    Lapack<T>::gesvd(&job, &job, &m, &n, a, &lda, s, u, &ldu, vh, &ldvh, work.memory.data(), &work.size, info, 1, 1);
  }
  template <class T> static void syevd(bool vectors, bool upper, int n, T* a, int lda, T* values, int* info) {
    const Unlocked here;
    Work<T> work(n, n);
    Lapack<T>::syev(vectors ? "V" : "N", upper ? "U" : "L", &n, a, &lda, values, work.memory.data(), &work.size, info, 1, 1);
  }
};

}  // namespace

void fill_solver(LinalgKernels& k) { Decompositions<HostLapack>::fill(k); }

}  // namespace rill::emulated
#else
namespace rill::emulated {
void fill_solver(LinalgKernels&) {}
}  // namespace rill::emulated
#endif
