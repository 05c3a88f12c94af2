#include "autograd/anomaly.h"

#include "autograd/record.h"
#include "lib/core/check.h"
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>

namespace rill {

void detail::note_forward_slow(const char* op, const Tensor& out) { node_of(impl(out))->extra().trace = op; }

void throw_if_nan(const Node& node, const Tensor& g) {
  if (!any(isnan(g)).item<bool>()) return;
  fail<GradError>(node.op, "backward made a NaN; the forward op was called from: {}", node.extras ? node.extras->trace : "unknown (recorded before anomaly mode was on)");
}

}  // namespace rill
