#include "backends/cuda/libraries.h"

namespace rill::cuda {

std::span<Library* const> libraries() {
  static constexpr Library* all[] = {&cublaslt::library, &cublas::library, &cusolver::library, &cudnn::library,
#ifdef RILL_WITH_NCCL
                                     &nccl::library,
#endif
  };
  return all;
}

}  // namespace rill::cuda
