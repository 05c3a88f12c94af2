// Names of recorded ops.
#pragma once

#include "autograd/node.h"

namespace rill {

/// True while a NameScope is open on this thread.
bool naming() noexcept;
/// Brings thread_state.noted up to date.
void update_noted() noexcept;
/// Names a recorded op and its result after the open scope.
void name_recorded(Node& node, const Tensor& out);

}  // namespace rill
