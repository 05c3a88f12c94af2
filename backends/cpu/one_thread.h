// Keeps oneDNN, which asks OpenMP for its team, on the calling thread, where our own chunks already share out the work.
#pragma once

#include <omp.h>

namespace rill {

/// While it lives, OpenMP teams started by this thread have one member.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) {
    if (before_ != 1) omp_set_num_threads(1);
  }
  ~OneThread() {
    if (before_ != 1) omp_set_num_threads(before_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

}  // namespace rill
