// Keeps a library that asks OpenMP for its team on the calling thread, where our own chunks already share out the work.
#pragma once

#ifdef RILL_WITH_OPENMP
#include <omp.h>
#endif

namespace rill {

/// While it lives, OpenMP teams started by this thread have one member.
class OneThread {
 public:
#ifdef RILL_WITH_OPENMP
  OneThread() : before_(omp_get_max_threads()) {
    if (before_ != 1) omp_set_num_threads(1);
  }
  ~OneThread() {
    if (before_ != 1) omp_set_num_threads(before_);
  }
#else
  OneThread() {}
#endif
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  [[maybe_unused]] int before_ = 1;
};

}  // namespace rill
