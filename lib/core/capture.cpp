#include "lib/core/capture.h"

#include "lib/core/check.h"
#include "lib/core/op_range.h"

namespace rill {

void check_not_captured(const char* what) {
  if (!current_capture) [[likely]] return;
  const char* op = profiler::current_op();
  fail<FailedPrecondition>(*op ? op : what, "the host would have to wait for the device ({}), which a captured step cannot do; do it outside of the function given to cuda::GraphStep, "
                           "and pass tensors from the host as its inputs", what);
}

}  // namespace rill
