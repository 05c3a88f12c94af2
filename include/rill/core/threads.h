// The team of threads behind CPU kernels.
#pragma once

namespace rill {

/// Threads that one op may use; results do not depend on it. At start: OMP_NUM_THREADS or the number of cores.
int num_threads() noexcept;
/// Throws ValueError below 1.
void set_num_threads(int n);

}  // namespace rill
