#ifdef RILL_WITH_ONEDNN
#include <dnnl.h>

#include "backends/cpu/onednn.h"
#include "lib/core/check.h"
#include "backends/cpu/one_thread.h"

namespace rill::cpu {

void onednn_sgemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda, const float* b,
                  std::int64_t ldb, bool accumulate, float* c, std::int64_t ldc) {
  const OneThread guard;  // blocks are shared out above: the same blocks for any number of threads
  const auto status = dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, 1.0f, a, lda, b, ldb, accumulate ? 1.0f : 0.0f, c, ldc);
  check<Internal>(status == dnnl_success, "matmul", "oneDNN's sgemm refused m {}, n {}, k {} with status {}", m, n, k, static_cast<int>(status));
}

}  // namespace rill::cpu
#endif
